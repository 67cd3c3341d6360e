import type { Mutant } from "../mutant.js";

const HOLD_AT_LEAST = "test/primitives/hold-at-least.test.ts";

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
];
