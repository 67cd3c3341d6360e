import { DEFAULT_ELECTION_LEASE_MS } from "../../arguments/defaults.js";
import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import { commandLineOf, HOLDING_OPTIONS, holdingPlan } from "../run/plan.js";
import { lockOf } from "../store/store-options.js";

const WORDING = { name: "elect", question: "Leader of what, and what to run?" };

export const elect: Command = {
  usage: [
    "elect [options] s3://BUCKET/PREFIX/NAME -- COMMAND [ARGUMENTS]",
    "elect [options] NAME -- COMMAND [ARGUMENTS]",
  ],
  about: `
Runs a service on one of many machines: start this on all of them. The leader of NAME runs the command; when
it loses the leadership, the command and all that it started are ended before another can lead, and it
campaigns for the leadership again. When the command ends by itself, it resigns and exits with the
command's exit code, or campaigns again where the store says then that the leadership was lost before.

The command finds its fencing token in S3_MUTEX_FENCING_TOKEN, and the name in S3_MUTEX_LOCK_NAME.

Exit codes: the command's own; 128+n ended by signal n while it campaigned for the leadership, or the
command died of it; ${EXIT.lost} the leadership was lost while it was being told to end; ${EXIT.store} the store is the problem;
${EXIT.usage} usage; ${EXIT.notExecutable} and ${EXIT.notFound} the command cannot be run or was not found.`,
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
    ...HOLDING_OPTIONS,
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
    const { addresses, line } = commandLineOf(input, WORDING);
    const [address, extra] = addresses;
    if (extra !== undefined) throw new UsageError(`One leadership at a time: ${extra} is one too many.`);
    const lock = lockOf(input, address);
    const plan = { ...holdingPlan(input, lock, line, DEFAULT_ELECTION_LEASE_MS), lockName: lock.lockName };
    const { electSession } = await import("../elect/session.js");
    return electSession(plan, output);
  },
};
