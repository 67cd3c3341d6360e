import type { Mutant } from "../mutant.js";

const NESTING = "test/waiting/nesting.test.ts";
const CONTEXTS = "test/waiting/contexts.test.ts";
const BY_NAME = "test/waiting/by-name-contexts.test.ts";

/** Who is who: contexts that are taken for it, nesting, and calls by name. */
export const IDENTITY: readonly Mutant[] = [
  {
    name: "reentrant grants from a bare hold",
    why: "what a bare acquire of the same context holds is nested in",
    file: "src/runtime/scope.ts",
    search: 'const own = this.kind === "callback" ? this',
    replace: "const own = true ? this",
    caughtBy: { test: NESTING, named: "P5: lets nobody nest" },
  },
  {
    name: "nests in a function that has ended",
    why: "work that a function started nests after its end",
    file: "src/runtime/scope.ts",
    search: "return this.#isSettled && (this.isExplicit || this.#holds.size === 0);",
    replace: "return this.#isSettled && this.#holds.size === 0;",
    caughtBy: { test: NESTING, named: "has it wait like everybody" },
  },
  {
    name: "nested siblings both in",
    why: "those who nest in one hold do not exclude each other",
    file: "src/runtime/nest.ts",
    search: "      if (!areCompatible([...modes, { mode: first.mode }], 1)) return;\n",
    replace: "",
    caughtBy: { test: NESTING, named: "has those who nest side by side" },
  },
  {
    name: "inner release ends outer",
    why: "the release of a nested handle gives the lock back",
    file: "src/runtime/nest.ts",
    search: "    if (this.#callbacks === 0) this.#end();\n    return wasHeld;",
    replace: "    if (this.#callbacks === 0) this.#end();\n    return this.#outer.release();",
    caughtBy: { test: NESTING, named: "within: nests in a handle by name" },
  },
  {
    name: "outer given back under a nested function",
    why: "the lock goes back when its own function has ended, whoever nests in it",
    file: "src/runtime/nest.ts",
    search: "    if (isCallback) this.share();\n",
    replace: "",
    caughtBy: { test: NESTING, named: "gives the lock back only when the last function" },
  },
  {
    name: "inner outlives outer",
    why: "a nested handle goes on when what it nests in was released",
    file: "src/runtime/lease.ts",
    search: "    this.nest.end();\n",
    replace: "",
    caughtBy: { test: NESTING, named: "within: nests in a handle by name" },
  },
  {
    name: "late call by name ends a successor",
    why: "a call by name is about whatever was taken last, also after a loss",
    file: "src/runtime/named-holds.ts",
    search: '    if (own !== undefined && isOfAnother(own, last, scope)) return { kind: "late", own };\n',
    replace: "",
    caughtBy: { test: BY_NAME, named: "P6: of three requests" },
  },
  {
    name: "late call from nowhere ends a successor",
    why: "a call whose line of work is not known counts, although an earlier one may still come",
    file: "src/runtime/named-holds.ts",
    search: "return named.owed > 0 && last.lease.isHeld ?",
    replace: "return named.owed > 1e9 ?",
    caughtBy: { test: BY_NAME, named: "tells a call from nowhere" },
  },
  {
    name: "edge from a task that is not blocked",
    why: "what a line holds counts although two of its branches are at work",
    file: "src/runtime/scope.ts",
    search: "    if (this.#branches > 1) this.#fork();\n",
    replace: "",
    caughtBy: { test: "test/waiting/deadlock.test.ts", named: "takes tasks with bare handles" },
  },
  {
    name: "a tick goes on with the last one",
    why: "what was entered on a resource is taken for its next run (up to Node 22)",
    file: "src/runtime/scope.ts",
    search: "    return entered !== undefined && entered.line === scope ? entered.before : scope;",
    replace: "    return scope;",
    caughtBy: { test: CONTEXTS, named: "P7: nor do ticks of one interval" },
  },
  {
    name: "bare calls hold nothing",
    why: "a deadlock of bare calls is not found",
    file: "src/runtime/scope.ts",
    search: "    return doBareCount ? [...holds, ...bare] : holds;",
    replace: "    return holds;",
    caughtBy: { test: CONTEXTS, named: "resolves X then Y against Y then X" },
  },
];
