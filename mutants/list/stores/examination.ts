import type { Mutant } from "../../mutant.js";

const CLEAN_UP = "test/doctor/clean-up.test.ts";
const WITHOUT_CREDENTIALS = "test/doctor/hanging-credentials.test.ts";

/** What an examination leaves behind, and what it says of that. */
export const EXAMINATION: readonly Mutant[] = [
  {
    name: "a write leaves after the examination",
    why: "a write that waited for credentials while doctor was stopped leaves an object that nothing removes",
    file: "src/verify/examination/probe-requests.ts",
    search: "          if (isOver()) throw new TransmissionRefused(OVER.error.message);\n",
    replace: "",
    caughtBy: { test: WITHOUT_CREDENTIALS, named: "nothing leaves once it is over" },
  },
  {
    name: "credentials that do not come are waited for five times",
    why: "doctor without credentials calls the store too slow after 100 seconds, instead of naming them",
    file: "src/verify/checks/permissions.ts",
    search: "if (tries < TRIES && !isInVain) await",
    replace: "if (tries < TRIES) await",
    caughtBy: { test: WITHOUT_CREDENTIALS, named: "waited for them in vain" },
  },
  {
    name: "a write keeps what a read could not have",
    why: "doctor with several ways to the store waits twice as long for credentials that do not come",
    file: "src/verify/examination/answering.ts",
    search: '  if (read.kind === "unknown" && !read.sent) return read;\n',
    replace: "",
    caughtBy: { test: WITHOUT_CREDENTIALS, named: "waited for them in vain" },
  },
  {
    name: "a refused write counts as one that left an object",
    why: "doctor without credentials tells its user to remove what was never written",
    file: "src/verify/examination/writes.ts",
    search: 'return "not done";',
    replace: 'return "done";',
    caughtBy: { test: CLEAN_UP, named: "where nothing was written" },
  },
  {
    name: "what could not be removed is not looked for",
    why: "doctor says that objects are left where the answers to its deletes were lost",
    file: "src/verify/examination/clean-up.ts",
    search: 'if (statuses.includes(200)) return "some";',
    replace: 'if (keys.length > 0) return "some";',
    caughtBy: { test: CLEAN_UP, named: "objects that were removed by deletes whose answers were lost" },
  },
  {
    name: "a late listing is believed about what is left",
    why: "doctor says that its objects were removed, which were not",
    file: "src/verify/examination/clean-up.ts",
    search: "...keys.slice(0, CLEAN_UP_AT_ONCE)]",
    replace: "...keys.slice(0, 0)]",
    caughtBy: { test: CLEAN_UP, named: "where listings show late what is there" },
  },
  {
    name: "what cannot be seen counts as removed",
    why: "doctor whose credentials ended says nothing of what it left",
    file: "src/verify/examination/clean-up.ts",
    search: 'statuses.every((status) => status === 404) ? "none" : "unknown"',
    replace: 'statuses.every((status) => status !== 200) ? "none" : "unknown"',
    caughtBy: { test: CLEAN_UP, named: "listed and must not be read may be left" },
  },
  {
    name: "a store that denies all is asked about each object",
    why: "doctor whose credentials ended sends dozens of requests more, or says that nothing was left",
    file: "src/verify/examination/clean-up.ts",
    search: '(await lane.get(first)).kind !== "answer") return "unknown";',
    replace: '(await lane.get(first)).kind !== "answer") return "none";',
    caughtBy: { test: CLEAN_UP, named: "of which it cannot be seen" },
  },
  {
    name: "a write that was refused is not removed",
    why: "an object whose write was done, and answered as denied, stays in the bucket",
    file: "src/verify/examination/clean-up.ts",
    search: "observations.told === 0 ? []",
    replace: "observations.told >= 0 ? []",
    caughtBy: { test: CLEAN_UP, named: "refused and done all the same is removed" },
  },
  {
    name: "what is left is said before the cause",
    why: "doctor begins with advice to clean up, and what is wrong comes after it",
    file: "src/cli/failure.ts",
    search:
      "    const exitCode = reportFailure(error.cause, output, context);\n    output.note(error.note);\n    return exitCode;\n",
    replace: "    output.note(error.note);\n    return reportFailure(error.cause, output, context);\n",
    caughtBy: { test: CLEAN_UP, named: "the cause comes first" },
  },
  {
    name: "doctor advises doctor",
    why: "an operator who has just examined the store is told to examine it",
    file: "src/verify/examination/probe-requests.ts",
    search: "isExamination: true, ",
    replace: "",
    caughtBy: { test: "test/doctor/circular.test.ts", named: "doctor does not advise itself" },
  },
];
