import { basename } from "node:path";
import type { S3MutexBaseOptions } from "../../index.js";
import type { Input, OptionSpecs } from "../base/command.js";
import { UsageError } from "../base/usage-error.js";
import type { Values } from "../base/values.js";
import type { LockAddress } from "../store/address.js";
import { accessTo, type StoreAccess } from "../store/store-access.js";
import { STORE_OPTIONS } from "../store/store-options.js";
import { type DeadlinePlan, planDeadline } from "./deadline.js";
import type { CommandLine } from "./while-held.js";

/** What is to run while a lock is held, and how it is held. */
export interface HoldingPlan {
  readonly mutex: Omit<S3MutexBaseOptions, "logger"> & Pick<StoreAccess, "s3ClientConfig">;
  readonly isDebugging: boolean;
  /** Whether only what goes wrong is said. */
  readonly isQuiet: boolean;
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
  label: {
    type: "string",
    value: "TEXT",
    help: "Text shown with this hold (default: what the command is called)",
  },
  quiet: { type: "boolean", short: "q", help: "Say nothing but what goes wrong" },
  ...STORE_OPTIONS,
};

/** Below this, starting a process or a moment's load already costs a large part of the lease. */
const MIN_LEASE_MS = 1000;

interface Wording {
  /** What the command is called. */
  readonly name: string;
  /** What to ask when nothing was said. */
  readonly question: string;
}

/** Splits the arguments into those before the dashes, at least one, and what comes after them. */
export function commandLineOf(
  { positionals, rest, environment, values }: Input,
  { name, question }: Wording,
): { readonly addresses: readonly [string, ...string[]]; readonly line: CommandLine } {
  const [address, ...others] = positionals;
  const [command, ...args] = rest ?? [];
  // An option that wants a duration takes what follows it: the address, where that was left out.
  const eaten = ["wait", "lease", "grace"].find((option) => values.text(option)?.startsWith("s3://"));
  if (eaten !== undefined) values.duration(eaten);
  if (address === undefined) throw new UsageError(`${question} Write s3://BUCKET/locks/NAME -- COMMAND.`);
  if (command === undefined || command === "") {
    const example = others.length === 0 ? "COMMAND ..." : others.join(" ");
    throw new UsageError(`What to run comes after two dashes: \`s3-mutex ${name} ${address} -- ${example}\`.`);
  }
  return { addresses: [address, ...others], line: { command, args, environment: { ...environment } } };
}

/** Reads the options of how something is held in the store of an address. */
export function holdingPlan(
  input: Input,
  address: Pick<LockAddress, "bucketName" | "keyPrefix">,
  line: CommandLine,
  defaultLeaseMs: number,
): HoldingPlan {
  const { values, environment } = input;
  const leaseMs = values.duration("lease", { min: MIN_LEASE_MS }) ?? defaultLeaseMs;
  return {
    leaseMs,
    mutex: {
      ...accessTo(input, address),
      lockTimeoutMs: leaseMs,
      clockSkewToleranceMs: values.duration("tolerance"),
      createBucketIfNotExists: values.flag("create-bucket"),
      label: labelOf(values) ?? nameOfCommand(line.command),
      heldByParent: environment["S3_MUTEX_HELD"],
    },
    isDebugging: input.isDebugging,
    isQuiet: values.flag("quiet"),
    line,
    deadline: planDeadline(leaseMs, values.duration("grace")),
    groupGraceMs: values.duration("group-grace"),
    priority: values.wholeNumber("priority", { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }) ?? 0,
  };
}

/** No longer than the library takes. */
const LABEL_MAX = 200;

function labelOf(values: Values): string | undefined {
  const label = values.text("label");
  if (label === undefined || label.length <= LABEL_MAX) return label;
  throw new UsageError(`--label has ${label.length} characters: use at most ${LABEL_MAX}.`);
}

function nameOfCommand(command: string): string | undefined {
  const name = basename(command).slice(0, LABEL_MAX);
  return name === "" ? undefined : name;
}
