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
  {
    name: "nobody says who has the lock",
    why: "a time-out leaves its caller to look for the holder",
    file: "src/timed-out.ts",
    search: "latest?.record?.holders ?? []",
    replace: "latest?.record?.holders.slice(0, 0) ?? []",
    caughtBy: { test: "test/waiting/who-has-it.test.ts", named: "P17:" },
  },
  {
    name: "a time-out of several names the first",
    why: "who waits for several locks is told of one that was free",
    file: "src/acquirer.ts",
    search: "        missing = this.#objectOf({ name });",
    replace: "        missing = this.#objectOf({ name: names[0]?.[1] ?? name });",
    caughtBy: { test: "test/waiting/who-has-it.test.ts", named: "acquireAll: which lock" },
  },
  {
    name: "a label draws on the terminal",
    why: "a record's text comes into messages as it is",
    file: "src/timed-out.ts",
    search: "printable(describeHolder(holder))",
    replace: "describeHolder(holder)",
    caughtBy: { test: "test/waiting/who-has-it.test.ts", named: "what is hostile in a record" },
  },
];
