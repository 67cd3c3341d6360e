import type { Mutant } from "../mutant.js";

/** Answers that are believed though the store did not give them, and ETags that are not its own. */
export const ANSWERS: readonly Mutant[] = [
  {
    name: "bare 404 believed",
    why: "the 404 of an ingress says that a lock is free, or deleted",
    file: "src/store/s3/requests.ts",
    search: '        if (code === "NoSuchKey") return { kind: "absent", timing };\n        looks',
    replace: '        if (code !== "") return { kind: "absent", timing };\n        looks',
    caughtBy: { test: "test/store/answers.test.ts", named: "S3:" },
  },
  {
    name: "a bare 404 learnt from anybody",
    why: "an ingress that answers in the middle of a probe teaches how the store says that a key is absent",
    file: "src/store/s3/absence.ts",
    search: 'if (found.kind !== "ok" || found.body !== object.body',
    replace: 'if (found.kind === "unchanged" || object.body === "never"',
    caughtBy: { test: "test/store/answers.test.ts", named: "is not learnt from an ingress" },
  },
  {
    name: "an empty answer is an empty list",
    why: "an empty 200, which the SDK reads as a bucket without keys, is believed",
    file: "src/store/s3/requests.ts",
    search: "        if (!isListing(attempt)) return",
    replace: '        if (!isListing(attempt) && attempt.text === "?") return',
    caughtBy: { test: "test/store/answers.test.ts", named: "to a list" },
  },
  {
    name: "corrupt at first sight",
    why: "a body that was damaged once is called corrupt, with the advice to delete it",
    file: "src/runtime/read-twice.ts",
    search: "  if (!makesNoSense(first)) return first;",
    replace: "  if (first !== undefined) return first;",
    caughtBy: { test: "test/store/damaged.test.ts", named: "S15: a body that was damaged once" },
  },
  {
    name: "damage believed",
    why: "a body is believed though the store's own hash says that it is another one",
    file: "src/store/s3/body-hash.ts",
    search: 'return this.#state.isMd5 === true ? "damaged" : "doubtful";',
    replace: 'return this.#state.isMd5 === true ? undefined : "doubtful";',
    caughtBy: { test: "test/store/damaged.test.ts", named: "S15: a body of another version" },
  },
  {
    name: "weak ETag sent",
    why: "a condition carries the ETag as a proxy has reshaped it, which the store never recognises",
    file: "src/store/s3/etag-form.ts",
    search: '    if (shape === "" || shapes.has(shape)) return this.normal(etag);',
    replace: "    if (shape.length >= 0 || shapes.has(shape)) return etag;",
    caughtBy: { test: "test/store/reshaped-etags.test.ts", named: "S2:" },
  },
  {
    name: "a stale ETag in another shape not tried",
    why: "a way of showing ETags is used though a condition with it never fails",
    file: "src/store/s3/reshaped-etags.ts",
    search: '  if (stale.kind === "conflict") return',
    replace: '  if (stale.kind !== "unknown") return',
    caughtBy: { test: "test/store/reshaped-etags.test.ts", named: "takes a stale ETag" },
  },
];
