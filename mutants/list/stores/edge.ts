import type { Mutant } from "../../mutant.js";

const R2 = "test/edge/r2-store.test.ts";
const R2_CONTRACT = "test/edge/r2-contract.test.ts";
const OVER_FETCH = "test/fetch/fetch-store.test.ts";
const AS_IN_WORKERD = "test/edge/as-in-workerd.test.ts";

/** The stores that are not the SDK's, and what edge runtimes lack. */
export const EDGE: readonly Mutant[] = [
  {
    name: "R2 without conditions",
    why: "writes by a binding replace whatever is there",
    file: "src/r2/r2-store.ts",
    search: "this.#bucket.put(key, body, { onlyIf, httpMetadata })",
    replace: "this.#bucket.put(key, body, { ...(onlyIf && {}), httpMetadata })",
    caughtBy: { test: R2_CONTRACT, named: "r2Store" },
  },
  {
    name: "R2's ETags in quotes",
    why: "a condition names an ETag in the quotes that S3 shows, which no binding takes",
    file: "src/r2/r2-store.ts",
    search: 'return etag.replace(/^"(.*)"$/, "$1");',
    replace: "return etag;",
    caughtBy: { test: R2_CONTRACT, named: "r2Store" },
  },
  {
    name: "a date for R2",
    why: "this machine's clock stands for the store's, so a lease may be taken over before its end",
    file: "src/r2/r2-store.ts",
    search: "receivedAtMs: realEffects.monotonicMs() } };",
    replace: "receivedAtMs: realEffects.monotonicMs(), dateMs: realEffects.wallMs() } };",
    caughtBy: { test: R2, named: "no answer tells the time" },
  },
  {
    name: "a write of R2's that failed was not done",
    why: "an error of a binding says that nothing was written, though it may have been",
    file: "src/r2/r2-store.ts",
    search: "return unknown(what, said, true, error);",
    replace: "return unknown(what, said, false, error);",
    caughtBy: { test: R2, named: "that throws may have been done" },
  },
  {
    name: "deleted over fetch unasked",
    why: "a store that ignores If-Match on DELETE loses what another has just written",
    file: "src/store/s3/learnt/conditional-delete.ts",
    search: 'if (support.kind !== "honoured") return support;',
    replace: 'if (support.kind === "refused") return support;',
    caughtBy: { test: OVER_FETCH, named: "ignores the condition" },
  },
  {
    name: "time that never ends",
    why: "a request goes on after its time, where what sends it does not heed its signal",
    file: "src/store/time-bound.ts",
    search: "return await Promise.race([working, expired]);",
    replace: "return await Promise.race([working, expired.catch(() => working)]);",
    caughtBy: { test: R2, named: "ends in time where no answer comes" },
  },
  {
    name: "whatever an adapter answers is an outcome",
    why: "a success that has nothing to it is a renewal: a holder believes beyond its lease, and another is in beside it",
    file: "src/reach.ts",
    search: "return fault === undefined ? outcome :",
    replace: "return fault !== 1 ? outcome :",
    caughtBy: { test: "test/api/own-store.test.ts", named: "is believed by no caller" },
  },
  {
    name: "an adapter is waited for until it tells its way",
    why: "no lock is ever handed out where an adapter's `way()` hangs, and no caller learns why",
    file: "src/reach.ts",
    search: "(await settledWithin(effects, asked, WAY_MS)) ? await asked : undefined",
    replace: "await asked",
    caughtBy: { test: "test/api/own-store.test.ts", named: "one that never tells its way" },
  },
  {
    name: "an adapter tells its way by a promise",
    why: "no lock is ever handed out where an adapter's `way()` gives a text, or throws",
    file: "src/reach.ts",
    search: "(async () => await adapter.way?.())().catch(() => undefined)",
    replace: "Promise.resolve(adapter.way?.().catch(() => undefined))",
    caughtBy: { test: "test/api/own-store.test.ts", named: "tells its way without a promise" },
  },
  {
    name: "a part of the object is the object",
    why: "a live lock is called corrupt, and its deletion advised, where a proxy gives a part of it",
    file: "src/store/s3/learnt/key-answers.ts",
    search: "  if (status !== 200) return",
    replace: "  if (status === 0) return",
    caughtBy: { test: "src/store/s3/learnt/key-answers.spec.ts", named: "is not the object" },
  },
  {
    name: "scopes need storage that can be entered",
    why: "the library cannot be loaded in workerd",
    file: "src/runtime/scopes/scopes.ts",
    search: "if (canBeEntered) storage.enterWith",
    replace: "storage.enterWith",
    caughtBy: { test: AS_IN_WORKERD, named: "a bare call takes a lock" },
  },
  {
    name: "timers are those of Node",
    why: "no lock can be held where a timer is a number",
    file: "src/runtime/base/effects.ts",
    search: ".unref?.();",
    replace: ".unref!();",
    caughtBy: { test: AS_IN_WORKERD, named: "a timer may be a number" },
  },
];
