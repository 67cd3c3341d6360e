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
      "    const reading = attempts.readingOf(holder.renewal) === undefined ? undefined : readClocks(context.effects);",
    caughtBy: "sim",
  },
  {
    name: "renewal from the answer",
    why: "a renewed lease is counted from the moment at which the answer came",
    file: "src/runtime/lease.ts",
    search: "    const reading = this.#attempts.readingOf(reply.holder.renewal);",
    replace: "    const reading = readClocks(this.#context.effects);",
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
    name: "contradiction ignored",
    why: "a lease is handed out though the store's clock is not where its expiry assumed it",
    file: "src/runtime/confirm.ts",
    search: "reading !== undefined && !contradicted && leftMs",
    replace: "reading !== undefined && leftMs",
    caughtBy: "sim",
  },
  {
    name: "suspension not noticed",
    why: "bounds of the store's clock survive a suspension during which the monotonic clock stood still",
    file: "src/runtime/store-clock.ts",
    search: "    if (haveParted(this.#lastReading, reading)) {",
    replace: "    if (Number.isNaN(reading.wallMs) && haveParted(this.#lastReading, reading)) {",
    caughtBy: "sim",
  },
  {
    name: "belief outlives the release",
    why: "who gives a lock back believes that it holds until its lease is over",
    file: "src/runtime/lease.ts",
    search:
      "    return this.#lost.signal.aborted || this.#stopped.signal.aborted ? 0 : Math.max(0, this.#clock.remainingMs);",
    replace: "    return this.#lost.signal.aborted ? 0 : Math.max(0, this.#clock.remainingMs);",
    caughtBy: "sim",
  },
  {
    name: "observer with the larger elapsed time",
    why: "who watches a lease counts by the clock that ran faster, though it may have been set",
    file: "src/core/store-time.ts",
    search: "  return Math.min(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);",
    replace: "  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);",
    caughtBy: "sim",
  },
  {
    name: "observer misses renewals",
    why: "a watched lease ends though it was renewed meanwhile",
    file: "src/runtime/lease-watch.ts",
    search:
      "    for (const renewal of this.#firstSeen.keys()) if (!renewals.has(renewal)) this.#firstSeen.delete(renewal);\n    for (const renewal of renewals) if (!this.#firstSeen.has(renewal)) this.#firstSeen.set(renewal, reading);",
    replace: `    const [first = reading] = this.#firstSeen.values();
    if (renewals.size === 0) this.#firstSeen.clear();
    for (const renewal of renewals) if (!this.#firstSeen.has(renewal)) this.#firstSeen.set(renewal, first);`,
    caughtBy: "sim",
  },
  {
    name: "dateless store by the wall clock",
    why: "without a `Date` from the store, wall clocks of two machines are compared",
    file: "src/runtime/lock-object.ts",
    search: 'const isObserving = takeover === "observed" || clock.isDateless;',
    replace: 'const isObserving = takeover === "observed";',
    caughtBy: "sim",
  },
];
