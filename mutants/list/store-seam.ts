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
  {
    name: "no checksum where one is wanted",
    why: "what a bucket under Object Lock asks for is never learnt, and it takes no lock",
    file: "src/store/s3/put-checksum.ts",
    search: "    if (!wantsChecksum(status, said)) return false;",
    replace: "    if (wantsChecksum(status, said) || sentWith === undefined) return false;",
    caughtBy: { test: "test/store/checksums.test.ts", named: "S4: a checksum is sent" },
  },
  {
    name: "a checksum that does not fit asks for another",
    why: "a body that was damaged on the way is sent again with each kind of checksum",
    file: "src/store/s3/put-checksum.ts",
    search: " && !MISFIT.test(textOf(said))",
    replace: "",
    caughtBy: { test: "test/store/checksums.test.ts", named: "S4: other refusals" },
  },
  {
    name: "Expect is sent",
    why: "a write waits for a 100 Continue that some servers never send",
    file: "src/store/s3/single-attempt.ts",
    search: 'if (name.toLowerCase() === "expect") delete headers[name];',
    replace: 'if (name === "") delete headers[name];',
    caughtBy: { test: "test/store/checksums.test.ts", named: "S5:" },
  },
  {
    name: "old credentials until the end",
    why: "a token that has expired is used until the lease is lost, though the provider has another one",
    file: "src/store/s3/sender.ts",
    search: 'if (!("outdated" in first)) return first.outcome;',
    replace: 'if ("outcome" in first) return first.outcome;',
    caughtBy: { test: "test/store/credentials.test.ts", named: "S11: a function whose answer" },
  },
  {
    name: "credentials renewed once and never again",
    why: "what was learnt at the first renewal is taken for news at every later one",
    file: "src/store/s3/credentials.ts",
    search: "if (sentAtMs !== undefined && sentAtMs < askedAtMs && isOther()) return true;",
    replace: "if (sentAtMs !== undefined && isOther()) return true;",
    caughtBy: { test: "test/store/credentials.test.ts", named: "renewed again and again" },
  },
  {
    name: "files remembered",
    why: "the SDK's memory of a credentials file outlives the file, so a hold is lost though new credentials are there",
    file: "src/store/s3/client.ts",
    search: "const FILES_ANEW: object = { ignoreCache: true };",
    replace: "const FILES_ANEW: object = {};",
    caughtBy: { test: "test/store/credentials.test.ts", named: "was rewritten is read again" },
  },
  {
    name: "nothing listed is nothing there",
    why: "a store that lists folders only and shows nothing for other prefixes has no locks",
    file: "src/store/s3/listings.ts",
    search: "    if (!isRefused && !isEmpty) return page;",
    replace: "    if (!isRefused) return page;",
    caughtBy: { test: "test/store/listings.test.ts", named: "S7: where only folders" },
  },
  {
    name: "all of the folder above",
    why: "a listing by the beginning of names has locks with other names, which cleanup may remove",
    file: "src/store/s3/listings.ts",
    search: "  const keys = page.keys.filter((key) => key.startsWith(prefix));",
    replace: "  const keys = page.keys.filter((key) => key !== prefix);",
    caughtBy: { test: "test/store/listings.test.ts", named: "S7: where only folders" },
  },
];
