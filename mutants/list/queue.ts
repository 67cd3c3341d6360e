import type { Mutant } from "../mutant.js";

/** Who is served, and when. */
export const QUEUE: readonly Mutant[] = [
  {
    name: "newcomers overtake",
    why: "a caller that finds the lock free takes it, whatever waiters there are",
    file: "src/core/queue.ts",
    search: "compareRank(waiter, candidate) < 0)",
    replace: "compareRank(waiter, candidate) < -1e15)",
    caughtBy: "sim",
  },
  {
    name: "priority ignored",
    why: "the queue is served by arrival alone",
    file: "src/core/queue.ts",
    search: "  if (one.priority !== other.priority) return other.priority - one.priority;\n",
    replace: "",
    caughtBy: "sim",
  },
  {
    name: "entry kept after the grant",
    why: "who was granted the lock stays in the queue",
    file: "src/core/transition/acquire.ts",
    search: "record.queue.filter((waiter) => waiter.id !== command.id && !passedOver.includes(waiter)),",
    replace: "record.queue.filter((waiter) => !passedOver.includes(waiter)),",
    caughtBy: { model: "two, queue" },
  },
  {
    name: "queue without expiry",
    why: "entries of waiters that have died never run out",
    file: "src/core/expiry.ts",
    search: "  return earliestMs <= expiresAtMs;",
    replace: "  return earliestMs <= expiresAtMs + 1e12;",
    caughtBy: { model: "two, dead waiter" },
  },
  {
    name: "arrival forgotten",
    why: "a waiter begins to wait anew with each look",
    file: "src/runtime/acquire/acquisition.ts",
    search:
      "    this.#arrivalMs = arrivalMs(now.latestMs - waitedMs - (this.request.waitedBeforeMs ?? 0), this.#arrivalMs);",
    replace: "    this.#arrivalMs = now.latestMs;",
    caughtBy: "sim",
  },
  {
    name: "local order of its own",
    why: "a caller that has waited in another record's queue starts anew behind all of its own process",
    file: "src/runtime/acquire/acquisition.ts",
    search: "    return this.#patience.arrivedAtMs - (this.request.waitedBeforeMs ?? 0);",
    replace: "    return this.#patience.arrivedAtMs;",
    caughtBy: { test: "src/runtime/acquire/local-queue.spec.ts", named: "serves callers by when they began to wait" },
  },
  {
    name: "grace cut",
    why: "a waiter that lives is passed over before it could come",
    file: "src/core/queue.ts",
    search: "const GRACE_SLACK_MS = 100;",
    replace: "const GRACE_SLACK_MS = -4000;",
    caughtBy: "sim",
  },
  {
    name: "grace while kept out",
    why: "a waiter that a lease keeps out is taken for one that did not come, as soon as another could have come in",
    file: "src/core/queue.ts",
    search: "deadlineMs = Math.max(deadlineMs, lastEndMs);",
    replace: "deadlineMs = Math.max(deadlineMs, Math.min(deadlineMs, lastEndMs));",
    caughtBy: { test: "src/core/queue.spec.ts", named: "gives a writer that a lease kept out" },
  },
  {
    name: "hand-over to the wrong one",
    why: "a lock is passed on within a process although another waiter is next",
    file: "src/core/transition/transfer.ts",
    search: "  const taken = acquire(between, command.to, attempt);",
    replace:
      "  const taken = acquire(between === undefined ? between : { ...between, queue: [] }, command.to, attempt);",
    caughtBy: "sim",
  },
  {
    name: "no deadlock search",
    why: "cycles are not looked for",
    file: "src/runtime/acquire/deadlock-watch.ts",
    search: "    if (waitedMs < this.#nextAfterMs || !isShown) return;",
    replace: "    if (waitedMs < this.#nextAfterMs + 1e12 || !isShown) return;",
    caughtBy: "sim",
  },
  {
    name: "every member is the victim",
    why: "each member of a cycle gives way, not just one",
    file: "src/core/waits/deadlock.ts",
    search: "behind.filter((one) => compareVictims(me, one) < 0 && !seen.has(one.id))",
    replace: "behind.filter((one) => one.id !== me.id && !seen.has(one.id))",
    caughtBy: "sim",
  },
  {
    name: "a waiter never polls again",
    why: "a waiter without a time-out polls once, and sleeps whatever becomes of the holder",
    file: "src/runtime/acquire/acquisition.ts",
    search: "    return this.#patience.pauseMs(Math.min(delayMs, longestMs));",
    replace:
      "    const mayLook = delayMs > longestMs;\n    return mayLook ? 1 : Math.max(this.#patience.lastPollAtMs - this.#nowMs(), 1);",
    caughtBy: "sim",
  },
];
