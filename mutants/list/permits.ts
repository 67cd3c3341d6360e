import type { Mutant } from "../mutant.js";

const HOLD_AT_LEAST = "test/primitives/hold-at-least.test.ts";
const NUMBERS = "test/primitives/semaphore-numbers.test.ts";

/** Permits of semaphores, and how long a hold lasts at least. */
export const PERMITS: readonly Mutant[] = [
  {
    name: "given back whenever the work ends",
    why: "a short job runs again on the machine whose clock is two seconds behind",
    file: "src/core/transition/hold-at-least.ts",
    search: "const stays = (holder: Holder) => owedMs(holder, attempt) > 0;",
    replace: "const stays = (holder: Holder) => owedMs(holder, attempt) > Number.MAX_VALUE;",
    caughtBy: { test: HOLD_AT_LEAST, named: "P19: a job of a second" },
  },
  {
    name: "a lease as long as others, however long it is to be held",
    why: "a process that dies, or a release that does not arrive, lets others in before the time",
    file: "src/core/transition/hold-at-least.ts",
    search: "leaseFrom(Math.max(leaseMs, owedMs(holder, attempt)), attempt)",
    replace: "leaseFrom(leaseMs + 0 * owedMs(holder, attempt), attempt)",
    caughtBy: { test: HOLD_AT_LEAST, named: "P19: a process that dies" },
  },
  {
    name: "what is to last lasts half of that",
    why: "the next one is let in before the time that the lock was to be held for",
    file: "src/core/transition/hold-at-least.ts",
    search: "acquiredAtMs + holdAtLeastMs - attempt.now.earliestMs",
    replace: "acquiredAtMs + holdAtLeastMs / 2 - attempt.now.latestMs",
    caughtBy: "sim",
  },
  {
    name: "what nobody has worked under is held at least as long",
    why: "a caller that gave up locks everybody out of a job that has not run",
    file: "src/runtime/acquisition.ts",
    search: "attempts: this.attempts, entry, isUnused: true } as const;",
    replace: "attempts: this.attempts, entry, isUnused: false } as const;",
    caughtBy: { test: HOLD_AT_LEAST, named: "P19: what was granted and nobody learnt of" },
  },
  {
    name: "one of several is held at least as long without the others",
    why: "who did not get all of several locks keeps those that it had from everybody",
    file: "src/acquirer.ts",
    search: "    for (const lock of locks) lock.noteUnused();\n",
    replace: "",
    caughtBy: { test: HOLD_AT_LEAST, named: "P19: what several locks" },
  },
  {
    name: "clearing up ends what is to be held longer",
    why: "a release that got no answer lets others in before the time",
    file: "src/runtime/lease.ts",
    search: "entry, isUnused: this.standing.isUnused };",
    replace: "entry, isUnused: true };",
    caughtBy: { test: HOLD_AT_LEAST, named: "P19: a release that never arrives" },
  },
  {
    name: "what is to last is counted by the upper bound",
    why: "after one answer that is an hour off, what is to be held for a minute ends with the work",
    file: "src/core/transition/hold-at-least.ts",
    search: "acquiredAtMs + holdAtLeastMs - attempt.now.earliestMs",
    replace: "acquiredAtMs + holdAtLeastMs - attempt.now.latestMs",
    caughtBy: { test: "src/core/transition/hold-at-least.spec.ts", named: "counts by what has passed for certain" },
  },
  {
    name: "the number that a caller says counts",
    why: "half of a fleet fails while the number of permits is being changed",
    file: "src/core/transition/acquire.ts",
    search: "if (found !== undefined && !found.deleted) return found.limit;",
    replace: 'if (found !== undefined && !found.deleted && limit === "stored") return found.limit;',
    caughtBy: { test: NUMBERS, named: "P12: a rolling change" },
  },
  {
    name: "a resize wakes nobody",
    why: "who waits in the process that has changed the number goes on waiting for the old one",
    file: "src/acquirer.ts",
    search: "this.#lines.peek(key)?.holdChanged();",
    replace: "this.#lines.peek(key);",
    caughtBy: { test: NUMBERS, named: "P12: who waits takes the new number, in the object" },
  },
  {
    name: "more permits than there are are waited for",
    why: "who wants more than the stored number waits without end, and everybody behind it",
    file: "src/core/transition/acquire.ts",
    search: '  if ((command.permits ?? 1) > limit) return { reply: { kind: "too-few", limit } };\n',
    replace: "",
    caughtBy: { test: NUMBERS, named: "P12: who asks for more" },
  },
  {
    name: "grants beyond the stored number",
    why: "who says a higher number is let in beside as many as there are",
    file: "src/core/queue.ts",
    search: "areCompatible([...holders, ...expected, candidate], record.limit);",
    replace: "areCompatible([...holders, ...expected, candidate], record.limit + (record.limit > 1 ? 1 : 0));",
    caughtBy: "sim",
  },
  {
    name: "no room is no permits",
    why: "callers wait for permits that are free, and are told that they are not",
    file: "src/core/transition/acquire.ts",
    search: "const isFull = eligible && granted === undefined && command.limit !== undefined;",
    replace: "const isFull = eligible && granted === undefined && command.limit === null;",
    caughtBy: { test: NUMBERS, named: "P13: a caller for whom" },
  },
];
