import type { Mutant } from "../mutant.js";

const TWICE = "test/doctor/repeated-requests.test.ts";
const PROBES = "test/store/repeated-requests.test.ts";

/** What stands between this library and the store: repeated requests, credentials, checksums, headers, listings. */
export const STORE_SEAM: readonly Mutant[] = [
  {
    name: "a repeated write condemns a store",
    why: "a write that was done, and answered as refused since a proxy has sent it twice, is taken for the store's fault",
    file: "src/verify/examination.ts",
    search: "if (found?.body !== body) throw new UnexpectedRefusal",
    replace: "if (found !== answer) throw new UnexpectedRefusal",
    caughtBy: { test: TWICE, named: "verify: once goes on" },
  },
  {
    name: "each write refused and done is safe",
    why: "a store that answers every write as refused, and does it, passes for one whose requests are repeated",
    file: "src/verify/observations.ts",
    search: "return once === 0 && twice >= ENOUGH_TO_TELL;",
    replace: "return once === 0 && twice < 0;",
    caughtBy: { test: TWICE, named: "is still told apart" },
  },
  {
    name: "a repeated write in a probe is a conflict",
    why: "a probe takes the answer to the repetition for that to its write, and the store for one that knows no ETag",
    file: "src/store/s3/probe-object.ts",
    search: 'found.kind === "ok" && found.body === body ? found : written',
    replace: 'found.kind === "ok" && found.body === "?" ? found : written',
    caughtBy: { test: PROBES, named: "condemns no store" },
  },
  {
    name: "a repeated delete is remembered as unsupported",
    why: "a DELETE that was sent twice makes cleanup leave everything, for the life of the client",
    file: "src/store/s3/conditional-delete.ts",
    search: 'if (current.kind !== "ok" && gone.kind === "absent") return inconclusive("delete", current);',
    replace: "",
    caughtBy: { test: PROBES, named: "is not what is remembered" },
  },
];
