import type { Mutant } from "../../mutant.js";

/** The clock of a test lies: things happen in another order than they would, or at other moments. */
export const VIRTUAL: readonly Mutant[] = [
  {
    name: "the last timer of a moment comes first",
    why: "who was first to ask for a moment is served last, as no event loop does",
    file: "src/testing/virtual/world.ts",
    search: "one.atMs === other.atMs && one.order < other.order",
    replace: "one.atMs === other.atMs && one.order > other.order",
    caughtBy: { test: "test/testing/test-clock.test.ts", named: "of one moment" },
  },
  {
    name: "two things happen in one turn",
    why: "what follows from a timer goes on only after the next one has fired",
    file: "src/testing/virtual/driver.ts",
    search: "    this.#world.step();\n    return true;",
    replace: "    do this.#world.step();\n    while (this.#world.nextAtMs === this.#world.nowMs);\n    return true;",
    caughtBy: { test: "test/testing/test-clock.test.ts", named: "of one moment" },
  },
  {
    name: "time moves after a microtask",
    why: "the clock moves on while promises that need no time are still under way",
    file: "src/testing/virtual/driver.ts",
    search: "do await turns.next();",
    replace: "do await undefined;",
    caughtBy: { test: "test/testing/test-clock.test.ts", named: "of one moment" },
  },
  {
    name: "a turn is only half of one",
    why: "the clock moves on before immediates have had their turn",
    file: "src/testing/virtual/event-loop-turns.ts",
    search: "this.#from.postMessage(undefined);",
    replace: "this.#to.postMessage(undefined);",
    caughtBy: { test: "test/testing/test-clock.test.ts", named: "an immediate" },
  },
  {
    name: "a longer wait takes the shorter one along",
    why: "time jumps to the end of the wait that is the longest",
    file: "src/testing/virtual/driver.ts",
    search: "Math.min(...goals.map",
    replace: "Math.max(...goals.map",
    caughtBy: { test: "test/testing/test-clock.test.ts", named: "each to its own end" },
  },
  {
    name: "a wait is taken along by longer ones",
    why: "a test that lets 300 ms pass finds much more time gone, since another one waits for something, and proves nothing",
    file: "src/testing/virtual/world.ts",
    search: "endMs = Math.min(endMs, wish.endMs);",
    replace: "endMs = endMs === Number.POSITIVE_INFINITY ? wish.endMs : Math.max(endMs, wish.endMs);",
    caughtBy: { test: "test/testing/world.test.ts", named: "ends 300 ms later" },
  },
  {
    name: "fake timers without a way to give way jump",
    why: "a renewal and the end of its lease come together, and the lock is lost",
    file: "src/testing/virtual/fake-timers.ts",
    search: "SYNCHRONOUS_STEP_MS = 100;",
    replace: "SYNCHRONOUS_STEP_MS = 100_000;",
    caughtBy: { test: "test/testing/fake-timers.test.ts", named: "mock.timers" },
  },
  {
    name: "a killed process goes on",
    why: "what a process has under way comes to its end after SIGKILL, and its lock is renewed",
    file: "src/testing/virtual/process.ts",
    search: "    if (this.#isDead) return;\n    if (this.#frozen",
    replace: "    if (this.#frozen",
    caughtBy: { test: "test/testing/test-mutex.test.ts", named: "was killed" },
  },
];
