import type { Command, Input } from "../command.js";
import { EXIT } from "../exit-codes.js";
import type { RunPlan } from "../run/acquire.js";
import { HOLDING_OPTIONS, holdingPlan } from "../run/plan.js";
import { UsageError } from "../usage-error.js";

const WORDING = { name: "run", question: "Which lock, and what to run?", defaultLeaseMs: 60_000 };

export const run: Command = {
  usage: ["run [options] s3://BUCKET/PREFIX/NAME -- COMMAND [ARGUMENTS]", "run [options] NAME -- COMMAND [ARGUMENTS]"],
  about: `
Takes the lock, runs the command, renews the lock while it runs, releases it, and exits with the
command's exit code. s3://BUCKET/locks/nightly is what the library calls acquireLock("nightly").

The command finds its fencing token in S3_MUTEX_FENCING_TOKEN, and the lock's name in
S3_MUTEX_LOCK_NAME. When the lock is about to be lost, the command and all that it started get
SIGTERM, and SIGKILL before anybody else can have the lock.

Exit codes: the command's own; ${EXIT.notAcquired} somebody else has the lock; ${EXIT.lost} the lock was lost; ${EXIT.store} the store
is the problem; ${EXIT.usage} usage; ${EXIT.notExecutable} and ${EXIT.notFound} the command cannot be run or was not found; 128+n it died of
signal n.`,
  options: {
    wait: {
      type: "string",
      value: "DURATION",
      help: "How long to wait for the lock: 500ms, 30s, 5m (default: for ever)",
    },
    "no-wait": { type: "boolean", help: "Do not wait at all" },
    lease: {
      type: "string",
      value: "DURATION",
      help: "How long the lock outlives this process if it dies (default: 60s)",
    },
    grace: {
      type: "string",
      value: "DURATION",
      help: "Between SIGTERM and SIGKILL when the lock is about to be lost\n(default: a fifth of the lease, at most 10s)",
    },
    "conflict-exit-code": {
      type: "string",
      short: "E",
      value: "N",
      help: `Exit code when somebody else has the lock (default: ${EXIT.notAcquired})`,
    },
    priority: { type: "string", value: "N", help: "Higher is served first (default: 0)" },
    label: { type: "string", value: "TEXT", help: "A word about this run in the lock's record, for people to read" },
    ...HOLDING_OPTIONS,
  },
  examples: [
    {
      about: "One backup at a time, on any number of machines",
      line: "s3-mutex run s3://my-bucket/locks/backup -- ./backup.sh",
    },
    {
      about: "Cron on every machine, the job on one of them: the others exit with 0 at once",
      line: "s3-mutex run --no-wait -E 0 s3://my-bucket/locks/nightly -- ./nightly.sh --full",
    },
    {
      about: "Wait for at most five minutes, on a store of your own",
      line: "s3-mutex run --wait 5m --endpoint-url http://localhost:9000 s3://my-bucket/locks/deploy -- make deploy",
    },
    {
      about: "With S3_MUTEX_STORE=s3://my-bucket/locks/ a name will do; the shell sees the token",
      line: "s3-mutex run migrate -- sh -c './migrate --token $S3_MUTEX_FENCING_TOKEN'",
    },
  ],
  async run(input, output) {
    const plan = planOf(input);
    const { runSession } = await import("../run/session.js");
    return runSession(plan, output);
  },
};

function planOf(input: Input): RunPlan {
  const { values } = input;
  const plan = holdingPlan(input, WORDING);
  if (values.flag("no-wait") && values.text("wait") !== undefined) {
    throw new UsageError("--wait and --no-wait contradict each other: use one of them.");
  }
  return {
    ...plan,
    waitMs: values.flag("no-wait") ? 0 : values.duration("wait"),
    conflictExitCode: values.wholeNumber("conflict-exit-code", { min: 0, max: 255 }) ?? EXIT.notAcquired,
  };
}
