import { createHash, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { OF_S3 } from "./handler.js";
import { clientFor, IF_ABSENT, OPTIONS, startStub, storeOver } from "./stub.js";

async function start() {
  const server = await startS3Server({ buckets: ["locks"] });
  const mutex = () => new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks", verify: "never" });
  return { server, mutex, [Symbol.asyncDispose]: () => server.close() };
}

it.each(["halve", "empty", (body: Uint8Array) => body.map((byte) => byte ^ 1)] as const)(
  "S15: a body that was damaged once (%s) is read again, not called corrupt",
  async (damage) => {
    await using scene = await start();
    const lock = await scene.mutex().acquire("job");
    scene.server.faults.add({ fault: "damage-body", damage, times: 1 });
    const other = scene.mutex();
    expect(await other.isLocked("job")).toBe(true);
    expect(await lock.release()).toBe(true);
  },
);

it.each(["halve", "empty"] as const)(
  "S15: a body that is always damaged (%s) is never a reason to delete",
  async (damage) => {
    await using scene = await start();
    await scene.mutex().acquire("job");
    scene.server.faults.add({ fault: "damage-body", damage });
    const error = await scene
      .mutex()
      .isLocked("job")
      .catch((reason) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining("damaged on the way") });
    expect(error.message).not.toContain("deleteLock");
  },
);

it("S15: a client that has written knows the hash, and asks again", async () => {
  await using scene = await start();
  const mutex = scene.mutex();
  const lock = await mutex.acquire("job");
  const fault = scene.server.faults.add({ fault: "damage-body", damage: "halve", times: 3 });
  expect(await mutex.isLocked("job")).toBe(true);
  expect(fault.hits).toBe(3);
  expect(await lock.release()).toBe(true);
});

it("S15: a body of another version under this ETag is damage too", async () => {
  await using scene = await start();
  const mutex = scene.mutex();
  const lock = await mutex.acquire("job");
  const held = scene.server.getObject("locks", "locks/job.json")?.body ?? new Uint8Array();
  await lock.release();
  const other = scene.mutex();
  expect(await other.isLocked("warm-up")).toBe(false);
  await other.withLock("warm-up", () => {});
  scene.server.faults.add({ fault: "damage-body", damage: () => held, key: "locks/job.json", times: 1 });
  expect(await other.isLocked("job")).toBe(false);
});

it("S15: bodies that a proxy compresses are read", async () => {
  await using scene = await start();
  const lock = await scene.mutex().acquire("job");
  scene.server.faults.add({ fault: "damage-body", damage: "gzip" });
  expect(await scene.mutex().isLocked("job")).toBe(true);
  expect(await lock.release()).toBe(true);
});

it("S15: what came twice the same, and fits its ETag, is corrupt, and how to clear it is said", async () => {
  await using scene = await start();
  scene.server.putObject("locks", "locks/job.json", "hello");
  await expect(scene.mutex().acquire("job")).rejects.toMatchObject({
    code: "corrupt-record",
    message: expect.stringContaining('deleteLock("job", true) clears it'),
  });
  expect(await scene.mutex().deleteLock("job", true)).toBe(true);
});

it("ETags that are not hashes are not a sign of damage", async () => {
  let version = 0;
  let stored = "";
  const stub = await startStub((request, response, body = "") => {
    if (request.method === "PUT") {
      stored = body;
      version += 1;
    }
    const etag = `"${String(version).padStart(32, "0")}"`;
    response.writeHead(200, { etag, ...OF_S3 }).end(request.method === "GET" ? stored : "");
  });
  const store = storeOver(clientFor(stub.endpoint));
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  const read = await store.read("a", OPTIONS);
  expect(read).toMatchObject({ kind: "ok", body: "{}" });
  expect(read).not.toHaveProperty("isDoubtful");
});

it("S15: ETags of reads that look like hashes and are not are named as that, once they were seen to change", async () => {
  let stored = "";
  const stub = await startStub((request, response, body = "") => {
    if (request.method === "PUT") stored = body;
    const hash = createHash("md5").update(request.method === "PUT" ? stored : randomBytes(16));
    response.writeHead(200, { etag: `"${hash.digest("hex")}"` }).end(request.method === "GET" ? stored : "");
  });
  const store = storeOver(clientFor(stub.endpoint));
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  await store.read("a", OPTIONS);
  // What came may be of another version all the same: it does not count as an answer.
  expect(await store.read("a", OPTIONS)).toMatchObject({
    kind: "unknown",
    error: {
      message: expect.stringMatching(
        /the same 2 bytes came under different ETags, and neither is their hash.* makes them up/,
      ),
    },
  });
});

it("S3: a holder rides out an ingress that knows no such route, and no client takes the lock for free or deleted", async () => {
  await using scene = await start();
  const holder = scene.mutex();
  const lock = await holder.acquire("job", { leaseMs: 1500 });
  const outage = scene.server.faults.add({
    fault: "page",
    status: 404,
    body: "404 page not found\n",
    contentType: "text/plain",
  });
  const asked = scene.mutex().isLocked("job");
  await expect.poll(() => outage.hits, { timeout: 2000 }).toBeGreaterThan(6);
  expect(lock.held).toBe(true);
  outage.remove();
  expect(await asked).toBe(true);
  expect(await lock.release()).toBe(true);
});
