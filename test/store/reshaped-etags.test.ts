import { describe, expect, it } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { isRecordKey } from "../../testkit/record-key.js";
import { OF_S3 } from "./handler.js";
import { clientFor, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

/** What something in front of the store makes of the ETags of what it sends. */
const RESHAPED: Readonly<Record<string, (etag: string) => string>> = {
  "a proxy that makes ETags weak": (etag) => `W/${etag}`,
  "Apache's mod_deflate": (etag) => etag.replace(/"$/, '-gzip"'),
  "Jetty's handler": (etag) => etag.replace(/"$/, '--gzip"'),
  "a suffix after a semicolon": (etag) => etag.replace(/"$/, ';gzip"'),
  "brotli, and weak": (etag) => `W/${etag.replace(/"$/, '-br"')}`,
  "no quotes": (etag) => etag.replaceAll('"', ""),
};

/** Starts a store that compares strongly, behind something that shows other ETags on reads. */
async function start(reshape: (etag: string) => string, quirks: StoreQuirks = { etagForm: "quoted-only" }) {
  const server = await startS3Server({ buckets: ["locks"], quirks });
  server.faults.add({
    fault: "change-headers",
    operation: "GetObject",
    headers: { etag: (etag) => (etag === undefined ? undefined : reshape(etag)) },
  });
  const mutex = () => new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks" });
  return { server, mutex, [Symbol.asyncDispose]: () => server.close() };
}

describe.each(Object.entries(RESHAPED))("S2: behind %s", (_, reshape) => {
  it("one process after another gets the lock", async () => {
    await using scene = await start(reshape);
    const tokens: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const lock = await scene.mutex().acquire("job", { timeoutMs: 5_000 });
      tokens.push(lock.fencingToken);
      expect(await lock.renew()).toBeDefined();
      expect(await lock.release()).toBe(true);
    }
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    const keys = scene.server.objects("locks").map(({ key }) => key);
    expect(keys.filter((key) => isRecordKey(key))).toEqual(["locks/job.json"]);
  });

  it("a version goes by one text, whether it was read or written", async () => {
    await using scene = await start(reshape);
    const store = storeOver(clientFor(scene.server.endpoint));
    const written = await store.write("a", "{}", IF_ABSENT, OPTIONS);
    const read = await store.read("a", OPTIONS);
    expect(read).toMatchObject({ kind: "ok", etag: (written as { etag: string }).etag });
    const { etag } = read as { etag: string };
    expect(await store.read("a", { ...OPTIONS, ifNoneMatch: etag })).toMatchObject({ kind: "unchanged" });
    expect(await store.write("a", "[]", ifMatch(etag), OPTIONS)).toMatchObject({ kind: "ok" });
    expect(await store.write("a", "[1]", ifMatch(etag), OPTIONS)).toMatchObject({ kind: "conflict" });
  });
});

it("S2: weak ETags before a store that wants them without quotes", async () => {
  await using scene = await start((etag) => `W/${etag}`, { etagForm: "unquoted-only" });
  const first = await scene.mutex().acquire("job");
  expect(await first.release()).toBe(true);
  expect(await scene.mutex().tryAcquire("job")).not.toBeNull();
});

it("S2: ETags that have nothing in common with those of writes are store-unsafe at once, and named", async () => {
  await using scene = await start(() => 'W/"of-the-edge"');
  const lock = await scene.mutex().acquire("job");
  await expect(scene.mutex().acquire("job", { timeoutMs: 60_000 })).rejects.toMatchObject({
    code: "store-unsafe",
    message: expect.stringContaining('W/"of-the-edge"'),
  });
  await lock.release().catch(() => {});
});

describe.each<[string, readonly ("GetObject" | "PutObject")[], () => string | undefined]>([
  ["no ETag", ["GetObject"], () => undefined],
  ["an empty ETag", ["GetObject"], () => ""],
  ["no ETag on any answer", ["GetObject", "PutObject"], () => undefined],
])("S2: something in between shows %s", (_, operations, etag) => {
  it("is store-unsafe at once, and named, whether the lock has an object yet or not", async () => {
    await using server = await startS3Server({ buckets: ["locks"] });
    const direct = new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks", verify: "never" });
    await (await direct.acquire("job")).release();
    for (const operation of operations) server.faults.add({ fault: "change-headers", operation, headers: { etag } });
    for (const name of ["job", "fresh"]) {
      const mutex = new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks", verify: "never" });
      const begunMs = performance.now();
      const outcome = await mutex.acquire(name, { timeoutMs: 20_000 }).catch((reason) => reason);
      if (name === "fresh" && operations.length === 1) {
        // Nothing had to be read.
        await outcome.release();
        continue;
      }
      expect(outcome).toMatchObject({ code: "store-unsafe", message: expect.stringContaining("show no ETag") });
      expect(performance.now() - begunMs).toBeLessThan(10_000);
    }
    expect(server.objects("locks").filter(({ key }) => key.includes("/probe-"))).toEqual([]);
  });
});

it("a store whose own ETags have no quotes is used as it is", async () => {
  let version = 0;
  const bodies = new Map<string, string>();
  const versions = new Map<string, string>();
  const stub = await startStub((request, response, body = "") => {
    const key = request.url?.split("?")[0] ?? "";
    const wanted = request.headers["if-match"];
    if (request.method === "DELETE") return void response.writeHead(204).end();
    if (wanted !== undefined && wanted !== versions.get(key)) return void response.writeHead(412).end();
    if (request.method === "PUT") {
      version += 1;
      bodies.set(key, body);
      versions.set(key, `v${version}`);
    }
    response
      .writeHead(200, { ...OF_S3, etag: versions.get(key) ?? "" })
      .end(request.method === "GET" ? bodies.get(key) : "");
  });
  const store = storeOver(clientFor(stub.endpoint));
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok", etag: "v1" });
  const read = await store.read("a", OPTIONS);
  expect(read).toMatchObject({ kind: "ok", etag: "v1" });
  expect(await store.write("a", "[]", ifMatch("v1"), OPTIONS)).toMatchObject({ kind: "ok" });
  expect(await store.write("a", "[]", ifMatch("v1"), OPTIONS)).toMatchObject({ kind: "conflict" });
});

it("a store that takes a stale ETag under another shape is refused", async () => {
  const bodies = new Map<string, string>();
  const stub = await startStub((request, response, body = "") => {
    const key = request.url?.split("?")[0] ?? "";
    if (request.method === "PUT") bodies.set(key, body);
    response.writeHead(200, { ...OF_S3, etag: 'W/"x"' }).end(request.method === "GET" ? bodies.get(key) : "");
  });
  const store = storeOver(clientFor(stub.endpoint));
  bodies.set("/locks/a", "{}");
  expect(await store.read("a", OPTIONS)).toMatchObject({
    kind: "refused",
    error: { code: "store-unsafe", message: expect.stringContaining("no longer the object's") },
  });
});

it("costs nothing where ETags are plain", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks", verify: "never" });
  await (await mutex.acquire("job")).release();
  expect(server.requests.total).toBe(3);
  await (await mutex.acquire("job")).release();
  expect(server.requests.total).toBe(5);
});
