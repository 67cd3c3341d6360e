import type { Mutant } from "../mutant.js";

/** Answers that are lost, late, wrong or repeated. */
export const OUTCOMES: readonly Mutant[] = [
  {
    name: "412 believed",
    why: "a conflict proves that the write did not land, though a proxy may have repeated it",
    file: "src/core/client/write-log.ts",
    search: 'return outcome.kind === "unknown" ? outcome.sent === false : outcome.kind !== "conflict";',
    replace: 'return outcome.kind === "unknown" ? outcome.sent === false : true;',
    caughtBy: { model: "one" },
  },
  {
    name: "silence believed",
    why: "a write without an answer is taken for dead",
    file: "src/core/client/write-log.ts",
    search: 'return outcome.kind === "unknown" ? outcome.sent === false : outcome.kind !== "conflict";',
    replace: 'return outcome.kind === "unknown" || outcome.kind !== "conflict";',
    caughtBy: { model: "one" },
  },
  {
    name: "absence settles",
    why: "where there is no object, no write is believed to be under way",
    file: "src/core/client/write-log.ts",
    search: "  if (etag === undefined) return log;\n",
    replace: "  if (etag === undefined) return NOTHING_SENT;\n",
    caughtBy: { model: "one" },
  },
  {
    name: "same version settles",
    why: "a write is taken for dead though the object still has the version that it was conditioned on",
    file: "src/core/client/write-log.ts",
    search: "write.isUnresolved && write.etag !== etag && write",
    replace: "write.isUnresolved && write",
    caughtBy: { model: "two, transfer" },
  },
  {
    name: "own grant not recognised",
    why: "an acquisition that finds itself among the holders waits for its own lease to end",
    file: "src/core/transition/acquire.ts",
    search: '  if (held !== undefined) return { reply: { kind: "granted", holder: held } };\n',
    replace: '  if (held?.id === "") return { reply: { kind: "granted", holder: held } };\n',
    caughtBy: "sim",
  },
  {
    name: "cancel without a write",
    why: "a cancel that finds no entry changes nothing, so that a late write still lands",
    file: "src/core/transition/release.ts",
    search: "  if (leaving.length === 0 && !queued && !command.mustChange) return { reply };",
    replace: "  if (leaving.length === 0 && !queued) return { reply };",
    caughtBy: { model: "one" },
  },
  {
    name: "cancel without tombstone",
    why: "where there is no object, a cancel leaves nothing that keeps a late create from landing",
    file: "src/core/transition/release.ts",
    search: "  const record = recordOrNew(found, attempt);\n  const leaving",
    replace:
      "  if (found === undefined) return { reply };\n  const record = recordOrNew(found, attempt);\n  const leaving",
    caughtBy: { model: "one" },
  },
  {
    name: "cancel leaves the holder",
    why: "a cancel takes the waiter out and leaves the grant",
    file: "src/core/transition/release.ts",
    search: "    holders,\n    queue",
    replace: "    holders: holders.length < 0 ? [] : record.holders,\n    queue",
    caughtBy: { model: "two" },
  },
  {
    name: "once begun, whatever has become of the lock",
    why: "a process that stood still does again what another process has done meanwhile",
    file: "src/primitives/once/run-once.ts",
    search: "      run.lock.assertHeld();\n",
    replace: "",
    caughtBy: { test: "test/once/not-begun-late.test.ts", named: "does not begin what was done" },
  },
];
