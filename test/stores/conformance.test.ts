import { afterEach, describe, expect, test, vi } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { ListOutcome, ObjectStore, WriteOutcome } from "../../src/store/object-store.js";
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
import { IN_FULL } from "../scale.js";

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

/** Gives what the checks of some groups say of a store that does not pass them, by their names. */
async function failures(
  options: ConformanceOptions,
  ...groups: readonly ConformanceGroup[]
): Promise<Readonly<Record<string, string>>> {
  const checks = conformanceChecks({ ...options, groups });
  const outcomes = await Promise.allSettled(checks.map(({ run }) => run()));
  const failed = checks.flatMap(({ name }, n) => {
    const outcome = outcomes[n];
    return outcome?.status === "rejected" ? [[name, String(outcome.reason)] as const] : [];
  });
  return Object.fromEntries(failed);
}

async function failing(options: ConformanceOptions, ...groups: readonly ConformanceGroup[]): Promise<string[]> {
  return Object.keys(await failures(options, ...groups));
}

const CEPH: StoreQuirks = {
  etagForm: "unquoted-only",
  losersGet500: true,
  deleteIgnoresIfMatch: true,
  missingKeyIfMatchStatus: 412,
};

describe("a store passes that", () => {
  // The locks over a store that speaks S3 are tried by `npm run stores` and `npm run runtimes`.
  test("does as AWS does", async () => {
    expect(await failures(await storeWith({}), "store", "races", "1.x")).toEqual({});
  });

  test.runIf(IN_FULL)("has the ways of Ceph", async () => {
    expect(await failures(await storeWith(CEPH), "store", "races", "1.x")).toEqual({});
  });

  test.runIf(IN_FULL)("has no conditional DELETE, no Date and no 304", async () => {
    const quirks = { deleteIfMatchUnsupported: true, noDate: true, readIgnoresIfNoneMatch: true };
    expect(await failures(await storeWith(quirks), "store", "races", "1.x")).toEqual({});
  });

  test("is a port of one's own", async () => {
    const objects = new MemoryStore({ effects: { monotonicMs: () => performance.now() } });
    // With all groups: test/store/memory.test.ts.
    expect(await failures({ openStore: () => objects, ...SMALL }, "store", "races")).toEqual({});
  });
});

describe("a store does not pass that", () => {
  const CREATES = "of racing creates exactly one wins";
  const REPLACEMENTS = "of racing replacements of one version exactly one wins";

  test("ignores If-None-Match", async () => {
    const failed = await failing(await storeWith({ ignoreIfNoneMatch: true }), "store", "races");
    expect(failed).toEqual(expect.arrayContaining(["If-None-Match: * does not replace what exists", CREATES]));
  });

  test.runIf(IN_FULL)("ignores If-Match", async () => {
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

describe("a port does not pass that", () => {
  const over = (changes: (objects: MemoryStore) => Partial<ObjectStore>): ConformanceOptions => {
    const objects = new MemoryStore({ effects: { monotonicMs: () => performance.now() }, pageSize: 3 });
    const calls = { read: objects.read, write: objects.write, remove: objects.remove, list: objects.list };
    const bound = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, call.bind(objects)]));
    return { openStore: () => ({ ...(bound as unknown as ObjectStore), ...changes(objects) }), ...SMALL };
  };
  const UNKNOWN = { kind: "unknown", error: new S3MutexError("store-unavailable", "?"), throttled: false, sent: true };

  test("says that it does not know where the store has said that a condition did not hold", async () => {
    const options = over((objects) => ({
      async write(...asked) {
        const outcome = await objects.write(...asked);
        return outcome.kind === "conflict" || outcome.kind === "absent" ? (UNKNOWN as WriteOutcome) : outcome;
      },
    }));
    expect(await failing(options, "store")).toEqual([
      "If-None-Match: * does not replace what exists",
      "If-Match replaces the version that it names, and no other",
      "If-Match creates nothing",
    ]);
  });

  test("lists the first page alone, or without end", async () => {
    const LISTING = "a listing has the keys with the prefix";
    const first = over((objects) => ({
      async list(prefix, options) {
        const { continuation: _, ...page } = (await objects.list(prefix, options)) as ListOutcome & {
          continuation?: string;
        };
        return page as ListOutcome;
      },
    }));
    expect(await failing(first, "store")).toEqual([LISTING]);
    const endless = over((objects) => ({
      async list(prefix, { continuation: _, ...options }) {
        return { ...(await objects.list(prefix, options)), continuation: "again" } as ListOutcome;
      },
    }));
    expect(await failures(endless, "store")).toMatchObject({ [LISTING]: expect.stringMatching(/leads to itself/) });
  });

  test("shows what is too long without an ETag", async () => {
    const options = over((objects) => ({
      async read(...asked) {
        const outcome = await objects.read(...asked);
        return outcome.kind === "oversized" ? { ...outcome, etag: "" } : outcome;
      },
    }));
    expect(await failing(options, "store")).toEqual(["a body that is too long for a record is not read"]);
  });
});

test("a check that fails while waiters wait fails alone: none of their errors ends the process", async () => {
  const objects = new MemoryStore({ effects: { monotonicMs: () => performance.now() } });
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    const [check] = conformanceChecks({
      openStore: () => cutOff(objects),
      groups: ["locks"],
      timeoutMs: 10_000,
    }).filter(({ name }) => name === "waiters are served by priority, then by arrival");
    await expect(check?.run()).rejects.toThrow(/denied/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", note);
  }
});

let writes = 0;

/** Makes a store that takes two writes and refuses all that follow. */
function cutOff(objects: MemoryStore): ObjectStore {
  const refused = { kind: "refused", error: new S3MutexError("access-denied", "denied") } as const;
  return {
    read: (...asked) => objects.read(...asked),
    async write(...asked) {
      writes += 1;
      return writes <= 2 ? await objects.write(...asked) : refused;
    },
    remove: (...asked) => objects.remove(...asked),
    list: (...asked) => objects.list(...asked),
  };
}
test("the report names every check, how long it took and why it failed", async () => {
  const seen: string[] = [];
  const options = { ...(await storeWith({ conditionalPutUnsupported: true })), timeoutMs: 2_000 };
  const report = await runConformance(options, ({ name }) => seen.push(name));
  expect(report.results.map(({ name }) => name)).toEqual(conformanceChecks(options).map(({ name }) => name));
  expect(seen).toHaveLength(report.passed + report.failed);
  const create = report.results.find(({ name }) => name.startsWith("If-None-Match"));
  expect(create).toMatchObject({ passed: false, reason: expect.stringMatching(/501/) });
});
