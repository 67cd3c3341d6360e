import type { Mutant } from "../../mutant.js";

/** What listeners hear of a hold, in which order, and what those are told whom a newer holder has shut out. */
export const EVENTS: readonly Mutant[] = [
  {
    name: "told of a loss before the signal",
    why: "a listener of `lost` looks at the lock's signal, and finds it as if nothing had happened",
    file: "src/runtime/hold/standing.ts",
    search: "    this.#lost.abort(error);\n    this.#told.abort(error);\n",
    replace: "    this.#lost.abort(error);\n    queueMicrotask(() => this.#told.abort(error));\n",
    caughtBy: "sim",
  },
  {
    name: "two ends",
    why: "a hold whose loss was told is given back, and told to be released as well",
    file: "src/core/client/hold.ts",
    search: 'return state.isLost ? [] : [{ do: "tell-released" }];',
    replace: 'return [{ do: "tell-released" }];',
    caughtBy: "sim",
  },
  {
    name: "no end",
    why: "a listener that counts holds by events counts what was released forever",
    file: "src/runtime/hold/lease.ts",
    search: 'return this.#context.emit("released", { ...this.#describe(), heldMs });',
    replace: "return void heldMs;",
    caughtBy: "sim",
  },
  {
    name: "renewed before acquired",
    why: "a listener hears of renewals of a hold that it knows nothing of yet",
    file: "src/runtime/acquire/acquire.ts",
    search:
      '    context.emit("acquired", { lockName, acquisitionId, fencingToken, waitedMs: acquisition.waitedMs });\n',
    replace: `    const told = { lockName, acquisitionId, fencingToken, waitedMs: acquisition.waitedMs };
    context.effects.setTimer(lease.holder.leaseMs / 2, () => context.emit("acquired", told), { keepAlive: false });
`,
    caughtBy: "sim",
  },
  {
    name: "renewed after released",
    why: "a renewal that was under way when the lock was given back is told after that",
    file: "src/runtime/hold/lease.ts",
    search:
      '    if (this.isHeld) this.#context.emit("renewed", { ...this.#describe(), expiresAt: holder.expiresAtMs });\n',
    replace: `    const told = { ...this.#describe(), expiresAt: holder.expiresAtMs };
    this.#context.effects.setTimer(200, () => this.#context.emit("renewed", told), { keepAlive: false });
`,
    caughtBy: "sim",
  },
  {
    name: "older holders let in",
    why: "who has been succeeded opens the object again, and writes over what its successor has written",
    file: "src/core/transition/fenced.ts",
    search: "  if (envelope.token <= token) return undefined;",
    replace: "  if (envelope.token <= token || envelope.lock === lock) return undefined;",
    caughtBy: { test: "test/fenced/fenced-outcomes.test.ts", named: "who has lost the lock goes on until" },
  },
  {
    name: "fenced out by one's own token",
    why: "a holder that opens its object again, or looks what became of a write, is told that a newer holder has it",
    file: "src/core/transition/fenced.ts",
    search: "  if (envelope.token <= token) return undefined;",
    replace: "  if (envelope.token < token) return undefined;",
    caughtBy: "sim",
  },
  {
    name: "fenced out where nothing has landed",
    why: "a change of which nothing has landed is not sent again: its caller is told that a newer holder has the object",
    file: "src/core/transition/fenced.ts",
    search: '  if (!isUntouched) return refused({ kind: "fenced-out", token: envelope.token, maybeApplied: true });',
    replace: '  if (isUntouched) return refused({ kind: "fenced-out", token: envelope.token, maybeApplied: true });',
    caughtBy: "sim",
  },
  {
    name: "adoption by the clock alone",
    why: "what 1.x has given back begins anew at store time, below tokens that were granted already",
    file: "src/core/transition/acquire.ts",
    search: "  const token = Math.max(record.token, attempt.now.latestMs);",
    replace: "  const token = attempt.now.latestMs;",
    caughtBy: { test: "test/protocol/beside-1x.test.ts", named: "rule 10: where 1.x has given back" },
  },
  {
    name: "a listener that rejects is not heard of",
    why: "an asynchronous listener that fails ends the process, with all that it holds",
    file: "src/mutex.ts",
    search: "super({ captureRejections: true });",
    replace: "super();",
    caughtBy: { test: "test/waiting/events.test.ts", named: "hears a listener that rejects, too" },
  },
  {
    name: "rejections of a logger unheard",
    why: "a logger that is asynchronous and fails ends the process, and all that it holds with it",
    file: "src/runtime/base/logger.ts",
    search: "Promise.resolve(answer).catch(() => {});",
    replace: "Boolean(answer);",
    caughtBy: { test: "test/telemetry/logger.test.ts", named: "a logger whose methods reject" },
  },
  {
    name: "rejections of what hears of progress unheard",
    why: "an onProgress that is asynchronous and fails ends a process that holds locks",
    file: "src/runtime/base/listeners.ts",
    search: "Promise.resolve(answer).catch((error: unknown) =>",
    replace: "[answer].map((error: unknown) => error === name &&",
    caughtBy: { test: "test/telemetry/logger.test.ts", named: "progress may reject" },
  },
  {
    name: "telemetry throws into its channels",
    why: "a span processor that throws ends the process, and all that it holds with it",
    file: "src/otel/telemetry.ts",
    search: `      diag.error("s3-mutex: telemetry failed", error);`,
    replace: "      throw error;",
    caughtBy: { test: "test/telemetry/otel.test.ts", named: "a provider that throws ends no process" },
  },
  {
    name: "lockName fails and nothing is counted",
    why: "a lock whose begin was counted is held for good in the metrics, since its end has no name",
    file: "src/otel/metrics.ts",
    search: `const failed = (error: unknown) => void diag.error("s3-mutex: lockName failed", error);`,
    replace: `const failed = (error: unknown) => {
    throw error;
  };`,
    caughtBy: { test: "test/telemetry/otel.test.ts", named: "a provider that throws ends no process" },
  },
];
