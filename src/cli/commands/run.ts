import { DEFAULT_LEASE_MS } from "../../arguments/defaults.js";
import type { Command, Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { RunPlan } from "../run/acquire.js";
import { CONFLICT_OPTIONS, conflictPlan } from "../run/conflict.js";
import { commandLineOf, HOLDING_OPTIONS, holdingPlan } from "../run/plan.js";
import { wantedOf } from "../run/wanted-options.js";

const WORDING = { name: "run", question: "Which lock, and what to run?" };

export const run: Command = {
  usage: [
    "run [options] s3://BUCKET/PREFIX/NAME ... -- COMMAND [ARGUMENTS]",
    "run [options] NAME ... -- COMMAND [ARGUMENTS]",
  ],
  about: `
Takes the lock, runs the command, renews the lock while it runs, releases it, and exits with the
command's exit code. s3://BUCKET/locks/nightly is what the library calls acquireLock("nightly").
Several locks are taken all or none, in an order that is the same everywhere.

The command finds its fencing token in S3_MUTEX_FENCING_TOKEN, and the lock's name in
S3_MUTEX_LOCK_NAME; of several, S3_MUTEX_FENCING_TOKENS has {"NAME":TOKEN,...}. S3_MUTEX_HELD tells
an s3-mutex run inside of it what is held: one that would wait for its own end exits with ${EXIT.notAcquired} at
once. When the lock is about to be lost, the command and all that it started get SIGTERM, and SIGKILL
before another process can have the lock.

The command is run as it is: for pipes, variables and "a; b" there is sh -c '...'.

Exit codes: the command's own; ${EXIT.notAcquired} another process has the lock, or a deadlock; ${EXIT.lost} the lock was lost;
${EXIT.store} the store is the problem; ${EXIT.usage} usage; ${EXIT.notExecutable} and ${EXIT.notFound} the command cannot be run or was not
found; 128+n it died of signal n.`,
  options: {
    ...CONFLICT_OPTIONS,
    shared: {
      type: "boolean",
      short: "s",
      help: "Share the lock with other --shared holders",
    },
    permits: {
      type: "string",
      value: "N",
      help: "At most N at once, everywhere: one permit of the semaphore NAME. N counts if the\nsemaphore is new; later the stored number does. stored: only that one",
    },
    "hold-at-least": {
      type: "string",
      value: "DURATION",
      help: "From the grant, however soon the command ends: for jobs that are shorter than\nthe clocks of their machines are apart (default: not at all)",
    },
    ...HOLDING_OPTIONS,
  },
  examples: [
    {
      about: "One backup at a time, on any number of machines",
      line: "s3-mutex run s3://my-bucket/locks/backup -- ./backup.sh",
    },
    {
      about: "Cron on every machine, the job on one of them: the others exit with 0 at once, and say nothing",
      line: "s3-mutex run --quiet --no-wait -E 0 --hold-at-least 1m s3://my-bucket/locks/nightly -- ./nightly.sh",
    },
    {
      about: "Wait for at most five minutes, on a store of your own",
      line: "s3-mutex run --wait 5m --endpoint-url http://localhost:9000 s3://my-bucket/locks/deploy -- make deploy",
    },
    {
      about: "At most three of these on all machines together",
      line: "s3-mutex run --permits 3 s3://my-bucket/locks/encoders -- ./encode.sh",
    },
    {
      about: "With S3_MUTEX_STORE=s3://my-bucket/locks/ names will do; two locks, and the shell sees a token",
      line: "s3-mutex run orders invoices -- ./close-month.sh\n  s3-mutex run migrate -- sh -c './migrate --token $S3_MUTEX_FENCING_TOKEN'",
    },
  ],
  async run(input, output) {
    const plan = planOf(input);
    const { runSession } = await import("../run/session.js");
    return runSession(plan, output);
  },
};

function planOf(input: Input): RunPlan {
  const { addresses, line } = commandLineOf(input, WORDING);
  const { store, wanted } = wantedOf(input, addresses);
  const plan = holdingPlan(input, store, line, DEFAULT_LEASE_MS);
  return {
    ...plan,
    mutex: { ...plan.mutex, semaphorePrefix: store.semaphorePrefix },
    ...conflictPlan(input.values),
    wanted,
    holdAtLeastMs: input.values.duration("hold-at-least"),
  };
}
