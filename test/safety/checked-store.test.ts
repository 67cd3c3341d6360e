import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/core/codec.js";
import { S3Mutex } from "../../src/s3-mutex.js";
import type { S3Server, StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, MARKER, open, type Process, processOn, serverWith, settle, useOnce } from "./processes.js";

const requestsOf = (server: S3Server) =>
  server.recentRequests.map(({ operation, key, status }) => `${operation} ${key} ${status}`);

describe("requests", () => {
  it("the very first lock of a bucket takes four more before the grant, and a marker after it", async () => {
    const server = await serverWith();
    const { mutex, events } = processOn(server);
    const lock = await mutex.acquire("a");
    const before = requestsOf(server);
    expect(before.slice(0, 6).sort()).toEqual(
      [
        "GetObject locks/a.json 404",
        "PutObject locks/a.json 200",
        `GetObject ${MARKER} 404`,
        `PutObject ${MARKER} 200`,
        `PutObject ${MARKER} 412`,
        `PutObject ${MARKER} 412`,
      ].sort(),
    );
    expect(events).toEqual([{ verdict: "passed", by: "requests", checkedAt: expect.any(Number) }]);
    await settle(server);
    expect(requestsOf(server).slice(6)).toEqual(
      ["GetObject 200", "PutObject 412", "PutObject 412", "PutObject 200"].map((request) =>
        request.replace(" ", ` ${MARKER} `),
      ),
    );
    // The marker stays, and nothing else does.
    expect(server.objects(BUCKET).map(({ key }) => key)).toEqual([MARKER, "locks/a.json"]);
    server.resetRequests();
    await lock.release();
    expect(requestsOf(server)).toEqual(["PutObject locks/a.json 200"]);
  });

  it("then a lock costs 3 in another process, 2 in the same one, and a new one 4 in a new process", async () => {
    const server = await serverWith();
    const first = processOn(server);
    await useOnce(server, first);
    const second = processOn(server);
    const count = async (work: () => Promise<unknown>) => {
      server.resetRequests();
      await work();
      await settle(server);
      return requestsOf(server).length;
    };
    expect(await count(async () => (await second.mutex.acquire("a")).release())).toBe(3);
    expect(second.events).toMatchObject([{ verdict: "passed", by: "record" }]);
    expect(await count(async () => (await second.mutex.acquire("a")).release())).toBe(2);
    const third = processOn(server);
    expect(await count(async () => (await third.mutex.acquire("fresh")).release())).toBe(4);
    expect(third.events).toMatchObject([{ verdict: "passed", by: "marker" }]);
    expect(third.events[0]?.checkedAt).toBe(first.events[0]?.checkedAt);
    const fourth = processOn(server, { verify: "never" });
    expect(await count(async () => (await fourth.mutex.acquire("other")).release())).toBe(3);
    const body = server.getObject(BUCKET, "locks/fresh.json")?.text ?? "";
    const parsed = parseRecord(body);
    expect(parsed.kind === "record" && parsed.record.proofs).toMatchObject([
      { atMs: first.events[0]?.checkedAt, versions: "none" },
    ]);
    expect(server.getObject(BUCKET, "locks/other.json")?.text).not.toContain("proofs");
  });
});

describe("stores that ignore conditions are refused before a grant", () => {
  it.each<[string, StoreQuirks]>([
    ["If-None-Match", { ignoreIfNoneMatch: true }],
    ["If-Match", { ignoreIfMatch: true }],
    ["both", { ignoreIfNoneMatch: true, ignoreIfMatch: true }],
    ["conditions at all (501)", { conditionalPutUnsupported: true }],
    ["versions, as Ceph does", { versioning: "Enabled", versionsLike: "ceph" }],
  ])("%s", async (_, quirks) => {
    const server = await serverWith(quirks);
    const { mutex, events } = processOn(server);
    await expect(mutex.acquire("a", { timeoutMs: 3000 })).rejects.toMatchObject({ code: "store-unsafe" });
    await settle(server);
    server.resetRequests();
    await expect(mutex.acquire("b", { timeoutMs: 3000 })).rejects.toMatchObject({ code: "store-unsafe" });
    expect(requestsOf(server).filter((request) => request.startsWith("Put"))).toEqual([]);
    expect(events.map(({ verdict }) => verdict)).toContain("refused");
  });
});

describe("what is not an answer to the question about a condition", () => {
  const IGNORING: readonly StoreQuirks[] = [
    { ignoreIfNoneMatch: true },
    { ignoreIfMatch: true },
    { ignoreIfNoneMatch: true, ignoreIfMatch: true },
  ];
  it.each(IGNORING.flatMap((quirks) => [0, 1, 2].map((skip) => [quirks, skip] as const)))(
    "409, which says that another write of the key is under way: %j, after %i",
    async (quirks, skip) => {
      const server = await serverWith(quirks);
      server.faults.add({ fault: "status", status: 409, operation: "PutObject", key: /\.s3-mutex/, skip, times: 2 });
      const { mutex, events } = processOn(server);
      await expect(mutex.acquire("a", { timeoutMs: 5000 })).rejects.toMatchObject({ code: "store-unsafe" });
      expect(events).toMatchObject([{ verdict: "refused" }]);
    },
  );

  it("409 without an end: the caller learns of it, within its time", async () => {
    const server = await serverWith();
    server.faults.add({ fault: "status", status: 409, operation: "PutObject", key: MARKER });
    await expect(processOn(server).mutex.acquire("a", { timeoutMs: 2000 })).rejects.toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining(`writes of ${MARKER} are answered 409`),
    });
  });
});

describe("what is not a refusal", () => {
  it.each<[string, StoreQuirks]>([
    ["ETags that count without quotes only", { etagForm: "unquoted-only" }],
    ["losers of a race that get 500", { losersGet500: true }],
    ["412 for a missing key", { missingKeyIfMatchStatus: 412 }],
    ["200 for a missing key, which creates it", { missingKeyIfMatchStatus: 200 }],
    ["no Date", { noDate: true }],
    ["no 304", { readIgnoresIfNoneMatch: true }],
    ["weak ETags", { etags: "weak" }],
    ["DELETE that is denied", { deny: ["DeleteObject"] }],
    ["DELETE that ignores", { deleteIgnoresIfMatch: true }],
    ["one write a second on a key", { writesPerSecondPerKey: 1 }],
    ["versions", { versioning: "Enabled" }],
    ["versions that are suspended", { versioning: "Suspended" }],
    ["versions, as versitygw does", { versioning: "Enabled", versionsLike: "versitygw" }],
    ["versions that are suspended, as Ceph does", { versioning: "Suspended", versionsLike: "ceph" }],
  ])("%s", { timeout: 60_000 }, async (_, quirks) => {
    const server = await serverWith(quirks);
    const { mutex, events } = processOn(server);
    const lock = await mutex.acquire("a");
    expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
    await lock.release();
    expect((await processOn(server).mutex.inspect("a"))?.state).toBe("free");
    await settle(server);
    await (await mutex.acquire("a")).release();
    expect(events).toHaveLength(1);
    // Nothing is left but the lock and the marker.
    expect(server.objects(BUCKET).map(({ key }) => key)).toEqual([MARKER, "locks/a.json"]);
  });

  it("one write a second on a key costs at most three requests more, which are refused", async () => {
    const server = await serverWith({ writesPerSecondPerKey: 1 });
    await processOn(server).mutex.acquire("a");
    const { total, byStatus } = server.requests;
    expect(total).toBeLessThanOrEqual(9);
    expect(total - (byStatus[429] ?? 0)).toBe(6);
  });

  it.each(["duplicate", "lose-response", "drop-before"] as const)("each request of it once: %s", async (fault) => {
    for (let skip = 0; skip < 4; skip += 1) {
      const server = await serverWith();
      server.faults.add({ fault, operation: "PutObject", key: MARKER, skip, times: 1 });
      const { mutex, events } = processOn(server);
      await (await mutex.acquire("a", { timeoutMs: 5000 })).release();
      await settle(server);
      expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
    }
  });

  it("each write is repeated on its way, or the store is busy for a while", async () => {
    for (const rule of [
      { fault: "duplicate", operation: "PutObject" } as const,
      { fault: "status", status: 429, key: MARKER, times: 3 } as const,
      { fault: "status", status: 503, key: MARKER, times: 4 } as const,
    ]) {
      const server = await serverWith();
      server.faults.add(rule);
      const { mutex, events } = processOn(server);
      await (await mutex.acquire("a", { timeoutMs: 15_000 })).release();
      expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
    }
  });
});

it("a key of the check that may not be written is access-denied, with the key and the way out, and no verdict", async () => {
  const server = await serverWith();
  server.faults.add({ fault: "status", status: 403, operation: "PutObject", key: MARKER });
  const { mutex, events } = processOn(server);
  await expect(mutex.acquire("a")).rejects.toMatchObject({
    code: "access-denied",
    message: expect.stringMatching(/locks\/\.s3-mutex\/checked\.json.*verify: "never"/),
  });
  expect(events).toMatchObject([{ verdict: "not-checked", by: "requests", error: { code: "access-denied" } }]);
  // What was written is taken back: nothing says that the store is unsafe.
  await settle(server);
  expect(server.getObject(BUCKET, "locks/a.json")?.text).toContain('"holders":[]');
  server.faults.clear();
  await (await mutex.acquire("a")).release();
  expect(events).toHaveLength(2);
});

it("what keeps the store from being checked is a missing permission only where the store says so", async () => {
  const server = await serverWith();
  server.faults.add({
    fault: "status",
    status: 400,
    code: "KMS.DisabledException",
    operation: "PutObject",
    key: MARKER,
  });
  const { mutex } = processOn(server);
  const message = expect.stringMatching(/could not be checked: (?!.*(?:Allow s3:|verify)).*The KMS key of the bucket/);
  await expect(mutex.acquire("a")).rejects.toMatchObject({ code: "access-denied", message });
});

it("a marker that may not be read keeps no client from the check, neither the one that makes it nor those after it", async () => {
  const server = await serverWith();
  server.faults.add({ fault: "status", status: 403, operation: "GetObject", key: MARKER });
  for (const lockName of ["a", "b"]) {
    const { mutex, events } = processOn(server);
    await (await mutex.acquire(lockName, { timeoutMs: 5000 })).release();
    expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  }
});

it.each<[string, StoreQuirks]>([
  ["", {}],
  [" of versitygw, with versions", { versioning: "Enabled", versionsLike: "versitygw" }],
  [" of Ceph, with versions suspended", { versioning: "Suspended", versionsLike: "ceph" }],
])(
  "a bucket%s that is emptied right after the first grant, marker and all, is not refused for it",
  async (_, quirks) => {
    const server = await serverWith(quirks);
    const { mutex, events, s3Client } = processOn(server);
    // The read after the check comes late.
    server.faults.add({ fault: "latency", operation: "GetObject", key: MARKER, skip: 1, times: 1, beforeMs: 200 });
    await (await mutex.acquire("a")).release();
    for (const { key } of server.objects(BUCKET)) {
      await s3Client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    }
    await settle(server);
    await settle(server);
    await (await mutex.acquire("b", { timeoutMs: 2000 })).release();
    expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  },
);

it("an empty object in the marker's place makes no safe store unsafe", async () => {
  const server = await serverWith();
  server.putObject(BUCKET, MARKER, "");
  const { mutex, events } = processOn(server);
  await (await mutex.acquire("a", { timeoutMs: 5000 })).release();
  expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
});

it("Ceph's versioned bucket: no two of four get the same fresh lock, and the error says what would do", async () => {
  const server = await serverWith({ versioning: "Enabled", versionsLike: "ceph", etagForm: "unquoted-only" });
  const all = Array.from({ length: 4 }, () => processOn(server));
  const outcomes = await Promise.allSettled(all.map(({ mutex }) => mutex.acquire("a")));
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "store-unsafe" } });
    expect(String((outcome as PromiseRejectedResult).reason)).toContain("only in buckets that never had it");
  }
});

it("rule 71: versioning that was turned on within the day lets no caller in by the word of an object that shows no version", async () => {
  for (const isNew of [true, false]) {
    const server = await serverWith();
    const known = [processOn(server), processOn(server)];
    for (const { mutex } of known) await (await mutex.acquire("a")).release();
    await settle(server);
    server.setQuirks({ versioning: "Enabled", versionsLike: "ceph" });
    const all = isNew ? [processOn(server), processOn(server)] : known;
    const outcomes = await Promise.allSettled(all.map(({ mutex }) => mutex.acquire("b", { timeoutMs: 3000 })));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "store-unsafe" } });
    }
  }
});

it("a delete marker over the check's object, where it counts as an object, does not keep the bucket from being checked", async () => {
  for (const quirks of [
    { versioning: "Enabled", versionsLike: "versitygw" },
    { versioning: "Suspended", versionsLike: "ceph" },
  ] as const) {
    const server = await serverWith(quirks);
    const { mutex: first, s3Client } = processOn(server);
    await (await first.acquire("a")).release();
    await settle(server);
    await s3Client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: MARKER }));
    for (const name of ["b", "c"]) {
      const { mutex, events } = processOn(server);
      await (await mutex.acquire(name)).release();
      expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
      await settle(server);
    }
    // One for all of a day.
    const keys = server.objects(BUCKET).map(({ key }) => key);
    expect(keys.filter((key) => /\/checked-\d+\.json$/.test(key))).toHaveLength(1);
  }
});

it("where all versions have one ETag, no two are inside, and all are refused that write over what they have read", async () => {
  const server = await serverWith({ etags: "constant" });
  const processes = Array.from({ length: 4 }, () => processOn(server));
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 30));
    inside -= 1;
  };
  const errors: unknown[] = [];
  for (const _ of [1, 2, 3]) {
    const turns = processes.map(({ mutex }) => mutex.withLock("job", work, { timeoutMs: 3000 }));
    const ends = await Promise.allSettled(turns);
    errors.push(...ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : [])));
  }
  expect(most).toBeLessThan(2);
  const unsafe = { code: "store-unsafe", message: expect.stringContaining("the same ETag") };
  expect(errors).toContainEqual(expect.objectContaining(unsafe));
  // The word of a check is not left behind for later clients.
  await settle(server);
  const { mutex, events } = processOn(server);
  const late = await mutex.acquire("another").catch((error: unknown) => error);
  await settle(server);
  if (late instanceof Error) expect(late).toMatchObject(unsafe);
  else await expect(mutex.acquire("a third")).rejects.toMatchObject(unsafe);
  expect(events.filter(({ by, verdict }) => by !== "requests" && verdict === "passed")).toEqual([]);
});

it("a write that is answered by the ETag that it replaced is refused, whatever the record says of an earlier check", async () => {
  const server = await serverWith();
  await useOnce(server, processOn(server), "job");
  server.setQuirks({ etags: "constant" });
  const { mutex, events } = processOn(server);
  const lock = await mutex.acquire("job");
  expect(events).toMatchObject([{ by: "record", verdict: "passed" }]);
  const unsafe = { code: "store-unsafe", message: expect.stringContaining("the same ETag") };
  await expect(lock.release()).rejects.toMatchObject(unsafe);
  await expect(mutex.acquire("another")).rejects.toMatchObject(unsafe);
});

it("two mutexes on one client check once, and callers that come together too", async () => {
  const server = await serverWith();
  const { mutex, s3Client } = processOn(server);
  const other = new S3Mutex({ s3Client, bucketName: BUCKET, verify: "auto" } as never);
  open.push(() => other.close());
  const names = ["a", "b", "c", "d"];
  const locks = await Promise.all(names.map((name, index) => (index % 2 === 0 ? mutex : other).acquire(name)));
  await settle(server);
  expect(requestsOf(server).filter((request) => request.includes(MARKER))).toHaveLength(8);
  for (const lock of locks) await lock.release();
});

it("processes that come at the same time do not take each other's checks for faults of the store", async () => {
  const server = await serverWith();
  const all = Array.from({ length: 8 }, () => processOn(server));
  await Promise.all(all.map(async ({ mutex }, index) => (await mutex.acquire(`lock ${index}`)).release()));
  await settle(server);
  for (const { events } of all) expect(events).toMatchObject([{ verdict: "passed" }]);
});

describe("proofs", () => {
  /** Uses a lock in a checked process, and gives its record. */
  async function proven(server: S3Server): Promise<string> {
    await useOnce(server, processOn(server));
    return server.getObject(BUCKET, "locks/a.json")?.text as string;
  }

  const by = async (server: S3Server, options = {}, lockName = "a") => {
    const { mutex, events } = processOn(server, options);
    await useOnce(server, { mutex }, lockName);
    return events.map((event) => event.by);
  };

  it("rule 70: copied with its bucket, or restored, they prove nothing", async () => {
    const honest = await serverWith();
    const body = await proven(honest);
    const marker = honest.getObject(BUCKET, MARKER)?.text as string;
    const copy = await serverWith();
    copy.setClockOffset(60_000);
    copy.putObject(BUCKET, "locks/a.json", body);
    copy.putObject(BUCKET, MARKER, marker);
    copy.setClockOffset(0);
    expect(await by(copy)).toEqual(["requests"]);
    // The same under the very name that it was checked by, which another store has now.
    honest.setQuirks({ ignoreIfNoneMatch: true, ignoreIfMatch: true });
    honest.setClockOffset(20_000);
    for (const [key, text] of [
      ["locks/a.json", body],
      [MARKER, marker],
    ] as const)
      honest.putObject(BUCKET, key, text);
    const { mutex } = processOn(honest);
    await expect(mutex.acquire("a")).rejects.toMatchObject({ code: "store-unsafe" });
  });

  it.each([
    ["of defaults", ({ mutex }: Process) => mutex.acquire("a")],
    ["that asks for nothing", ({ mutex }: Process) => mutex.acquire("a"), { verify: "never" }],
    ["that deletes by force", ({ mutex }: Process) => mutex.deleteLock("a", true)],
  ] as const)(
    "rule 70: restored where conditions are ignored, a process %s that writes over them makes nothing of them good again",
    async (_, write, options?: { readonly verify: "never" }) => {
      const server = await serverWith();
      const body = await proven(server);
      const marker = server.getObject(BUCKET, MARKER)?.text as string;
      server.setQuirks({ ignoreIfNoneMatch: true, ignoreIfMatch: true });
      server.setClockOffset(3_600_000);
      server.putObject(BUCKET, "locks/a.json", body);
      server.putObject(BUCKET, MARKER, marker);
      server.setClockOffset(3_660_000);
      await write(processOn(server, options)).catch(() => {});
      await settle(server);
      // What it holds is over.
      server.setClockOffset(7_200_000);
      const { mutex, events } = processOn(server);
      await expect(mutex.acquire("a")).rejects.toMatchObject({ code: "store-unsafe" });
      expect(events.filter(({ verdict }) => verdict === "passed")).toEqual([]);
    },
  );

  it("rule 70: a marker that was restored for two ways is good for that one only whose client has checked since", async () => {
    const server = await serverWith();
    await proven(server);
    const elsewhere = () => {
      const s3Client = new S3Client({ ...server.clientConfig(), endpoint: `http://localhost:${server.port}` });
      open.push(async () => s3Client.destroy());
      return { s3Client };
    };
    expect(await by(server, elsewhere(), "b")).toEqual(["requests"]);
    const marker = server.getObject(BUCKET, MARKER)?.text as string;
    expect(JSON.parse(marker).proofs).toHaveLength(2);
    for (const { key } of server.objects(BUCKET)) server.deleteObject(BUCKET, key);
    server.setClockOffset(3_600_000);
    server.putObject(BUCKET, MARKER, marker);
    server.setClockOffset(3_660_000);
    expect(await by(server, {}, "c")).toEqual(["requests"]);
    await settle(server);
    expect(await by(server, elsewhere(), "d")).toEqual(["requests"]);
  });

  it("another key, style or endpoint is another way", async () => {
    const server = await serverWith();
    await proven(server);
    expect(await by(server)).toEqual(["record"]);
    const { port } = server;
    const elsewhere = new S3Client({ ...server.clientConfig(), endpoint: `http://localhost:${port}` });
    open.push(async () => elsewhere.destroy());
    expect(await by(server, { s3Client: elsewhere })).toEqual(["requests"]);
    // Both ways are known from then on.
    expect(await by(server)).toEqual(["record"]);
    const again = new S3Client({ ...server.clientConfig(), endpoint: `http://LOCALHOST:${port}/` });
    open.push(async () => again.destroy());
    expect(await by(server, { s3Client: again })).toEqual(["record"]);
    server.putObject(BUCKET, "locks/b.json", server.getObject(BUCKET, "locks/a.json")?.text as string);
    const { mutex, events } = processOn(server);
    await (await mutex.acquire("b")).release();
    expect(events.map((event) => event.by)).toEqual(["marker"]);
  });

  it("rule 72: the time is the checker's, however often the record is written, and a day is the end of it", async () => {
    const server = await serverWith();
    await proven(server);
    const checkedAt = () => JSON.parse(server.getObject(BUCKET, "locks/a.json")?.text as string).proofs[0].atMs;
    const first = checkedAt();
    server.setClockOffset(23 * 3_600_000);
    // The clock of this machine is behind the store's by then, which its answers tell.
    expect(await by(server)).toEqual(["record"]);
    expect(checkedAt()).toBe(first);
    server.setClockOffset(25 * 3_600_000);
    expect(await by(server)).toEqual(["requests"]);
    expect(checkedAt()).toBeGreaterThan(first + 24 * 3_600_000);
    // From the future.
    server.setClockOffset(0);
    expect(await by(server)).toEqual(["requests"]);
  });

  it("a store that stops to honour conditions is found out within a day, and asked again after a refusal", async () => {
    const server = await serverWith();
    await proven(server);
    server.setQuirks({ ignoreIfNoneMatch: true });
    server.setClockOffset(25 * 3_600_000);
    const { mutex } = processOn(server);
    await expect(mutex.acquire("a")).rejects.toMatchObject({ code: "store-unsafe" });
  });
});

it("is shown by inspect", async () => {
  const server = await serverWith();
  const { mutex, events } = processOn(server);
  await useOnce(server, { mutex });
  const report = await mutex.inspect("a");
  expect(report).toMatchObject({ storeProofs: [{ checkedAt: events[0]?.checkedAt, versioning: "none" }] });
  const keys: string[] = [];
  for await (const { key } of mutex.list()) keys.push(key);
  expect(keys).toEqual(["locks/a.json"]);
  expect(await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 } as never)).toMatchObject({ total: 1 });
  expect(server.getObject(BUCKET, MARKER)).toBeDefined();
});
