import type { OptionSpecs } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import type { Values } from "../base/values.js";

/** Options about what to do while another process has the lock, of commands that take one and run another under it. */
export const CONFLICT_OPTIONS: OptionSpecs = {
  wait: {
    type: "string",
    short: "w",
    value: "DURATION",
    help: "How long to wait for the lock: 500ms, 30s, 5m (default: without a limit)",
  },
  "no-wait": { type: "boolean", short: "n", help: "Do not wait at all" },
  "conflict-exit-code": {
    type: "string",
    short: "E",
    value: "N",
    help: `Exit code when another process has the lock (default: ${EXIT.notAcquired})`,
  },
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
  priority: { type: "string", value: "N", help: "Higher is served first (default: 0)" },
};

/** Reads what these options say. */
export function conflictPlan(values: Values): {
  readonly waitMs: number | undefined;
  readonly conflictExitCode: number;
} {
  if (values.flag("no-wait") && values.text("wait") !== undefined) {
    throw new UsageError("--wait and --no-wait contradict each other: use one of them.");
  }
  return {
    waitMs: values.flag("no-wait") ? 0 : values.duration("wait"),
    conflictExitCode: values.wholeNumber("conflict-exit-code", { min: 0, max: 255 }) ?? EXIT.notAcquired,
  };
}
