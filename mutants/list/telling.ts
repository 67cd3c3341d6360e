import type { Mutant } from "../mutant.js";

/** What callers and operators are told, and what is refused because they cannot have meant it. */
export const TELLING: readonly Mutant[] = [
  {
    name: "unknown options let through",
    why: "a mistyped timeoutMs is none, and the caller waits without end",
    file: "src/arguments.ts",
    search: "  refuseUnknownOptions(argument, value, names);\n",
    replace: "",
    caughtBy: { test: "test/api/unknown-options.test.ts", named: "P21: an unknown option is refused" },
  },
  {
    name: "unknown options of the constructor let through",
    why: "a mistyped lockTimeoutMs is the default",
    file: "src/options.ts",
    search: '  refuseUnknownOptions("options", options, MUTEX_OPTIONS);\n',
    replace: "",
    caughtBy: { test: "test/api/unknown-options.test.ts", named: "P21: an unknown option is refused" },
  },
];
