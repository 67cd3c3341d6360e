import type { Mutant } from "../mutant.js";

/** Leases, deadlines and clocks. */
export const TIME: readonly Mutant[] = [
  {
    name: "no tolerance",
    why: "a lease is taken over as soon as one's own clock says that it has ended",
    file: "src/core/attempt.ts",
    search: "return attempt.now.earliestMs > holder.expiresAtMs + attempt.toleranceMs;",
    replace: "return attempt.now.earliestMs > holder.expiresAtMs;",
    caughtBy: { model: "two" },
  },
  {
    name: "wall clocks compared",
    why: "store time is the local wall clock, whatever the store says",
    file: "src/core/store-time.ts",
    search: "if (isTrusted && earliestMs <= reading.wallMs && reading.wallMs <= latestMs) {",
    replace: "if (isTrusted || earliestMs <= reading.wallMs) {",
    caughtBy: "sim",
  },
  {
    name: "nearest bound",
    why: "a wall clock outside the bounds is clamped to the nearer one",
    file: "src/core/store-time.ts",
    search: "  return { earliestMs: Math.floor(earliestMs), latestMs: Math.ceil(latestMs) };",
    replace: `  const nearestMs = Math.ceil(reading.wallMs < earliestMs ? earliestMs : latestMs);
  return { earliestMs: nearestMs, latestMs: nearestMs };`,
    caughtBy: "sim",
  },
  {
    name: "expiry from the lower bound",
    why: "an expiry is published from the earliest time that it can be",
    file: "src/core/transition/acquire.ts",
    search: "  const nowMs = attempt.now.latestMs;\n  const times",
    replace: "  const nowMs = attempt.now.earliestMs;\n  const times",
    caughtBy: { model: "two, bounds" },
  },
  {
    name: "judged by the upper bound",
    why: "leases of others are judged by the latest time that it can be",
    file: "src/core/attempt.ts",
    search: "return attempt.now.earliestMs > holder.expiresAtMs + attempt.toleranceMs;",
    replace: "return attempt.now.latestMs > holder.expiresAtMs + attempt.toleranceMs;",
    caughtBy: { model: "two, bounds" },
  },
  {
    name: "deadline from the answer",
    why: "a lease is counted from the moment at which the grant was heard of",
    file: "src/runtime/confirm.ts",
    search: "    const reading = attempts.readingOf(holder.renewal);",
    replace:
      "    const { effects } = context;\n    const now = { monotonicMs: effects.monotonicMs(), wallMs: effects.wallMs() };\n    const reading = attempts.readingOf(holder.renewal) === undefined ? undefined : now;",
    caughtBy: "sim",
  },
  {
    name: "deadline from the last attempt",
    why: "a lease is counted from the last write that was sent, though an earlier one has landed",
    file: "src/runtime/attempts.ts",
    search: "    return this.#readings.get(writeId);",
    replace: "    return this.#readings.has(writeId) ? [...this.#readings.values()].at(-1) : undefined;",
    caughtBy: "sim",
  },
  {
    name: "no deadline",
    why: "a holder believes until somebody tells it otherwise",
    file: "src/core/lease.ts",
    search: "  return usableMs(leaseMs) - elapsedForHolder(from, now);",
    replace: "  return usableMs(leaseMs) - 0 * elapsedForHolder(from, now);",
    caughtBy: { model: "two" },
  },
  {
    name: "stopped clock believed",
    why: "a holder counts by the clock that ran slower, though it may have stood still",
    file: "src/core/store-time.ts",
    search: "  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);",
    replace: "  return Math.min(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);",
    caughtBy: { model: "two, suspended" },
  },
  {
    name: "leases told apart by their write",
    why: "of two leases that one write renewed, the longer one is taken for over when the shorter one is",
    file: "src/core/attempt.ts",
    search: "  return JSON.stringify([id, renewal]);",
    replace: "  return JSON.stringify([id.length * 0, renewal]);",
    caughtBy: { test: "test/protocol/watched-leases.test.ts", named: "13.1.6:" },
  },
];
