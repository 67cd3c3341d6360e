import type { Command, Input } from "../command.js";
import type { ElectPlan } from "../elect/session.js";
import { EXIT } from "../exit-codes.js";
import { planDeadline } from "../run/deadline.js";
import { clientConfigOf, lockOf, STORE_OPTIONS } from "../store-options.js";
import { UsageError } from "../usage-error.js";

const DEFAULT_LEASE_MS = 15_000;
/** Below this, starting a process or a moment's load already costs a large part of the lease. */
const MIN_LEASE_MS = 1000;

export const elect: Command = {
  usage: [
    "elect [options] s3://BUCKET/PREFIX/NAME -- COMMAND [ARGUMENTS]",
    "elect [options] NAME -- COMMAND [ARGUMENTS]",
  ],
  about: `
Runs a service on one of many machines: start this on all of them. Whoever leads NAME runs the command; when
it loses the leadership, the command and all that it started are ended before anybody else can lead, and it
campaigns again. When the command ends by itself, it resigns and exits with the command's exit code.

The command finds its fencing token in S3_MUTEX_FENCING_TOKEN, and the name in S3_MUTEX_LOCK_NAME.

Exit codes: the command's own; 128+n ended by signal n while it campaigned, or the command died of it; ${EXIT.lost} the
leadership was lost while it was being told to end; ${EXIT.store} the store is the problem; ${EXIT.usage} usage; ${EXIT.notExecutable} and ${EXIT.notFound} the
command cannot be run or was not found.`,
  options: {
    lease: {
      type: "string",
      value: "DURATION",
      help: "After a leader has died, how long until another leads (default: 15s)",
    },
    grace: {
      type: "string",
      value: "DURATION",
      help: "Between SIGTERM and SIGKILL when the leadership is about to be lost\n(default: a fifth of the lease, at most 10s)",
    },
    priority: { type: "string", value: "N", help: "Candidates of higher priority come first (default: 0)" },
    label: { type: "string", value: "TEXT", help: "A word about this candidate in the record, for people to read" },
    tolerance: {
      type: "string",
      value: "DURATION",
      help: "How long after its end a lease is left alone (default: 1s)",
    },
    ...STORE_OPTIONS,
  },
  examples: [
    { about: "A scheduler of which one runs", line: "s3-mutex elect s3://my-bucket/locks/scheduler -- ./scheduler" },
    {
      about: "On machines that are preferred, and with a shorter pause after a crash",
      line: "s3-mutex elect --priority 10 --lease 5s s3://my-bucket/locks/scheduler -- ./scheduler",
    },
    { about: "Who leads? With S3_MUTEX_STORE set", line: "s3-mutex show scheduler" },
  ],
  async run(input, output) {
    const plan = planOf(input);
    const { electSession } = await import("../elect/session.js");
    return electSession(plan, output);
  },
};

function planOf(input: Input): ElectPlan {
  const { values, positionals, rest, environment } = input;
  const [address, extra] = positionals;
  const [command, ...args] = rest ?? [];
  if (address === undefined)
    throw new UsageError("Leader of what, and what to run? Write s3://BUCKET/locks/NAME -- COMMAND.");
  if (command === undefined || command === "" || extra !== undefined) {
    throw new UsageError(`What to run comes after two dashes: s3-mutex elect ${address} -- ${extra ?? "COMMAND"} ...`);
  }
  const { bucketName, keyPrefix, lockName } = lockOf(input, address);
  const leaseMs = values.duration("lease", { min: MIN_LEASE_MS }) ?? DEFAULT_LEASE_MS;
  return {
    lockName,
    leaseMs,
    mutex: {
      s3ClientConfig: clientConfigOf(input),
      bucketName,
      keyPrefix,
      clockSkewToleranceMs: values.duration("tolerance"),
      createBucketIfNotExists: values.flag("create-bucket"),
      label: values.text("label"),
    },
    isDebugging: input.isDebugging,
    line: { command, args, environment },
    deadline: planDeadline(leaseMs, values.duration("grace")),
    priority: values.wholeNumber("priority", { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }) ?? 0,
  };
}
