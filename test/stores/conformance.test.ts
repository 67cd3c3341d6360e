import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type ConformanceGroup,
  type ConformanceOptions,
  conformanceChecks,
  MemoryStore,
  runConformance,
  type S3Server,
  type StoreQuirks,
  startS3Server,
} from "../../src/testing/index.js";

vi.setConfig({ testTimeout: 60_000 });

const SMALL = { racers: 6, rounds: 3 };
const servers: S3Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function storeWith(quirks: StoreQuirks): Promise<ConformanceOptions> {
  const server = await startS3Server({ buckets: ["locks"], quirks });
  servers.push(server);
  return { s3ClientConfig: server.clientConfig(), bucketName: "locks", ...SMALL };
}

/** The names of the checks of some groups that fail on a store. */
async function failing(options: ConformanceOptions, ...groups: readonly ConformanceGroup[]): Promise<string[]> {
  const checks = conformanceChecks({ ...options, groups });
  const outcomes = await Promise.allSettled(checks.map(({ run }) => run()));
  return checks.flatMap(({ name }, n) => (outcomes[n]?.status === "rejected" ? [name] : []));
}

const ALL: readonly ConformanceGroup[] = ["store", "races", "locks", "1.x"];
const CEPH: StoreQuirks = {
  etagForm: "unquoted-only",
  losersGet500: true,
  deleteIgnoresIfMatch: true,
  missingKeyIfMatchStatus: 412,
};

describe("a store passes that", () => {
  // The locks over a store that speaks S3 are tried by `npm run stores` and `npm run runtimes`.
  test("does as AWS does", async () => {
    expect(await failing(await storeWith({}), "store", "races", "1.x")).toEqual([]);
  });

  test("has the ways of Ceph", async () => {
    expect(await failing(await storeWith(CEPH), "store", "races", "1.x")).toEqual([]);
  });

  test("has no conditional DELETE, no Date and no 304", async () => {
    const quirks = { deleteIfMatchUnsupported: true, noDate: true, readIgnoresIfNoneMatch: true };
    expect(await failing(await storeWith(quirks), "store", "races", "1.x")).toEqual([]);
  });

  test("is a port of one's own", async () => {
    const objects = new MemoryStore({ effects: { monotonicMs: () => performance.now() } });
    expect(await failing({ openStore: () => objects, ...SMALL }, ...ALL)).toEqual([]);
  });
});

describe("a store does not pass that", () => {
  const CREATES = "of racing creates exactly one wins";
  const REPLACEMENTS = "of racing replacements of one version exactly one wins";

  test("ignores If-None-Match", async () => {
    const failed = await failing(await storeWith({ ignoreIfNoneMatch: true }), "store", "races");
    expect(failed).toEqual(expect.arrayContaining(["If-None-Match: * does not replace what exists", CREATES]));
  });

  test("ignores If-Match", async () => {
    const failed = await failing(await storeWith({ ignoreIfMatch: true }), "store", "races");
    const first = "If-Match replaces the version that it names, and no other";
    expect(failed).toEqual(expect.arrayContaining([first, REPLACEMENTS, "no update of a counter is lost"]));
  });

  test("creates what was to be replaced", async () => {
    const failed = await failing(await storeWith({ missingKeyIfMatchStatus: 200 }), "store");
    expect(failed).toEqual(["If-Match creates nothing"]);
  });

  test("checks first and writes later", async () => {
    const failed = await failing(await storeWith({ checkThenWriteRace: true }), "store", "races");
    const deletes = "of racing deletes and replacements of one version exactly one wins";
    expect(failed).toEqual(expect.arrayContaining([CREATES, REPLACEMENTS, deletes]));
    expect(failed).not.toContain("If-Match replaces the version that it names, and no other");
  });

  test("shows one client late what another has written", async () => {
    const failed = await failing(await storeWith({ staleReadMs: 300 }), "store");
    expect(failed).toContain("what one client has written, all others read at once");
  });
});

test("the report names every check, how long it took and why it failed", async () => {
  const seen: string[] = [];
  const options = { ...(await storeWith({ conditionalPutUnsupported: true })), timeoutMs: 2_000 };
  const report = await runConformance(options, ({ name }) => seen.push(name));
  expect(report.results.map(({ name }) => name)).toEqual(conformanceChecks(options).map(({ name }) => name));
  expect(seen).toHaveLength(report.passed + report.failed);
  const create = report.results.find(({ name }) => name.startsWith("If-None-Match"));
  expect(create).toMatchObject({ passed: false, reason: expect.stringMatching(/501/) });
});
