import { S3Client } from "@aws-sdk/client-s3";
import { afterEach, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import { S3Mutex } from "../../src/s3-mutex.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";

const BUCKET = "safety";
const MARKER = "locks/.s3-mutex/checked.json";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serverWith(quirks: StoreQuirks = {}): Promise<S3Server> {
  const server = await startS3Server({ buckets: [BUCKET], quirks });
  open.push(() => server.close());
  return server;
}

/** Makes a process of its own, as far as a store can tell. */
function processOn(server: S3Server) {
  const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  const mutex = new S3Mutex({ s3Client, bucketName: BUCKET });
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  open.push(async () => {
    await mutex.close({ handles: "release" });
    s3Client.destroy();
  });
  return { mutex, events };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const isMarked = (server: S3Server) => server.getObject(BUCKET, MARKER)?.text.includes('"atMs"') === true;

it("too long an object under the marker's key does not keep locks from being taken, and becomes a marker", async () => {
  const server = await serverWith();
  server.putObject(BUCKET, MARKER, "x".repeat(2_000_000));
  const first = processOn(server);
  expect((await first.mutex.acquire("a", { timeoutMs: 2000 })).held).toBe(true);
  expect(first.events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  await until(() => isMarked(server));
  const second = processOn(server);
  expect((await second.mutex.acquire("b", { timeoutMs: 2000 })).held).toBe(true);
  expect(second.events).toMatchObject([{ verdict: "passed", by: "marker" }]);
});

it("so does one that lies in an archive", async () => {
  const server = await serverWith();
  server.putObject(BUCKET, MARKER, "{}");
  const archived = { fault: "status", status: 403, code: "InvalidObjectState", key: MARKER } as const;
  const fault = server.faults.add({ ...archived, operation: "GetObject" });
  server.onRequest(({ operation, key, status }) => {
    if (operation === "PutObject" && key === MARKER && status === 200) fault.remove();
  });
  const { mutex, events } = processOn(server);
  expect((await mutex.acquire("a", { timeoutMs: 2000 })).held).toBe(true);
  expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  await until(() => isMarked(server));
});

it.each<[string, StoreQuirks]>([
  ["If-None-Match", { ignoreIfNoneMatch: true }],
  ["If-Match", { ignoreIfMatch: true }],
])("a store that ignores %s is refused all the same", async (_, quirks) => {
  const server = await serverWith(quirks);
  server.putObject(BUCKET, MARKER, "x".repeat(2_000_000));
  const { mutex } = processOn(server);
  await expect(mutex.acquire("a", { timeoutMs: 2000 })).rejects.toMatchObject({ code: "store-unsafe" });
});

it("where reads and creations contradict each other, the key is named, and what to do", async () => {
  const server = await serverWith();
  server.faults.add({ fault: "status", status: 404, code: "NoSuchKey", key: /checked/, operation: "GetObject" });
  server.faults.add({
    fault: "status",
    status: 412,
    code: "PreconditionFailed",
    key: /checked/,
    operation: "PutObject",
  });
  const { mutex } = processOn(server);
  const text = await mutex.acquire("a", { timeoutMs: 1500 }).then(String, ({ message }: Error) => message);
  // It has tried another key as well.
  expect(text).toMatch(/reads say that locks\/\.s3-mutex\/checked-\d+\.json is absent/);
  expect(text).toContain("remove what is there");
  expect(text).not.toContain("did not answer");
});

it("a read that is not answered is not said to show that the key is absent", async () => {
  const server = await serverWith();
  const refused = { fault: "status", status: 412, code: "PreconditionFailed" } as const;
  const broken = { fault: "status", status: 500, code: "InternalError" } as const;
  server.faults.add({
    fault: "status",
    status: 404,
    code: "NoSuchKey",
    key: /checked/,
    operation: "GetObject",
    times: 1,
  });
  server.faults.add({ ...broken, key: /checked/, operation: "GetObject" });
  server.faults.add({ ...refused, key: /checked/, operation: "PutObject" });
  const { mutex } = processOn(server);
  const text = await mutex.acquire("a", { timeoutMs: 1500 }).then(String, ({ message }: Error) => message);
  expect(text).toContain("500 InternalError");
  expect(text).not.toContain("is absent");
});
