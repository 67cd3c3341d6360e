import type { S3MutexOptions } from "../../index.js";
import type { Input, OptionSpecs } from "../command.js";
import { clientConfigOf, lockOf, STORE_OPTIONS } from "../store-options.js";
import { UsageError } from "../usage-error.js";
import { type DeadlinePlan, planDeadline } from "./deadline.js";
import type { CommandLine } from "./while-held.js";

/** What is to run while a lock is held, and how it is held. */
export interface HoldingPlan {
  readonly mutex: Omit<S3MutexOptions, "logger">;
  readonly isDebugging: boolean;
  readonly lockName: string;
  readonly line: CommandLine;
  readonly leaseMs: number;
  readonly deadline: DeadlinePlan;
  /** From an ending signal to SIGKILL; undefined when nothing was said. */
  readonly groupGraceMs: number | undefined;
  readonly priority: number;
}

/** Options of all commands that run another while they hold a lock. */
export const HOLDING_OPTIONS: OptionSpecs = {
  "group-grace": {
    type: "string",
    value: "DURATION",
    help: "From SIGTERM to SIGKILL for the command and all that it started\n(default: what it started has 7s after its own end)",
  },
  tolerance: {
    type: "string",
    value: "DURATION",
    help: "How long after its end a lease is left alone (default: 1s)",
  },
  ...STORE_OPTIONS,
};

/** Below this, starting a process or a moment's load already costs a large part of the lease. */
const MIN_LEASE_MS = 1000;

interface Wording {
  /** What the command is called. */
  readonly name: string;
  /** What to ask when nothing was said. */
  readonly question: string;
  readonly defaultLeaseMs: number;
}

/** Reads `ADDRESS -- COMMAND [ARGUMENTS]` and the options around it. */
export function holdingPlan(input: Input, { name, question, defaultLeaseMs }: Wording): HoldingPlan {
  const { values, positionals, rest, environment } = input;
  const [address, extra] = positionals;
  const [command, ...args] = rest ?? [];
  if (address === undefined) throw new UsageError(`${question} Write s3://BUCKET/locks/NAME -- COMMAND.`);
  if (command === undefined || command === "" || extra !== undefined) {
    throw new UsageError(
      `What to run comes after two dashes: s3-mutex ${name} ${address} -- ${extra ?? "COMMAND"} ...`,
    );
  }
  const { bucketName, keyPrefix, lockName } = lockOf(input, address);
  const leaseMs = values.duration("lease", { min: MIN_LEASE_MS }) ?? defaultLeaseMs;
  return {
    lockName,
    leaseMs,
    mutex: {
      s3ClientConfig: clientConfigOf(input),
      bucketName,
      keyPrefix,
      lockTimeoutMs: leaseMs,
      clockSkewToleranceMs: values.duration("tolerance"),
      createBucketIfNotExists: values.flag("create-bucket"),
      label: values.text("label"),
    },
    isDebugging: input.isDebugging,
    line: { command, args, environment },
    deadline: planDeadline(leaseMs, values.duration("grace")),
    groupGraceMs: values.duration("group-grace"),
    priority: values.wholeNumber("priority", { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }) ?? 0,
  };
}
