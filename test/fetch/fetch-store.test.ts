import { S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type FetchStoreOptions, fetchStore } from "../../src/fetch/index.js";
import { S3Mutex, type S3MutexError, type StoreAdapter } from "../../src/index.js";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { Signer } from "./signer.js";

vi.setConfig({ testTimeout: 60_000 });

const BUCKET = "locks";
const REQUEST = { timeoutMs: 2000 };
const CREDENTIALS = { accessKeyId: "key", secretAccessKey: "secret" };

let server: S3Server;
beforeEach(async () => {
  server = await startS3Server({ buckets: [BUCKET] });
});
afterEach(() => server.close());

function storeAt(more: Partial<FetchStoreOptions> = {}): StoreAdapter {
  const { endpoint } = server.clientConfig() as { endpoint: string };
  return fetchStore({ endpoint, bucketName: BUCKET, credentials: CREDENTIALS, signer: Signer, ...more });
}

test("an instance over fetch and one over the SDK exclude each other, and go by the same check", async () => {
  const s3Client = new S3Client(server.clientConfig());
  const one = new S3Mutex({ store: storeAt() });
  const other = new S3Mutex({ s3Client, bucketName: BUCKET });
  const by: string[] = [];
  other.on("checked", (event) => by.push(`${event.verdict} ${event.by}`));
  const lock = await one.acquire("orders");
  const marker = () => server.getObject(BUCKET, "locks/.s3-mutex/checked.json")?.text;
  while (!marker()?.includes('"atMs"')) await new Promise((resolve) => setTimeout(resolve, 10));
  await expect(other.acquire("orders", { timeoutMs: 100 })).rejects.toMatchObject({ code: "timed-out" });
  await lock.release();
  const next = await other.acquire("orders");
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  expect(by).toEqual([expect.stringMatching(/^passed (record|marker)$/)]);
  await Promise.all([one.close({ handles: "release" }), other.close({ handles: "release" })]);
  s3Client.destroy();
});

test("an instance over fetch whose requests go to the same URL by something else does not go by the check of others", async () => {
  const direct = new S3Mutex({ store: storeAt() });
  await (await direct.acquire("orders")).release();
  await direct.close();
  const dispatchers = globalThis as unknown as Record<symbol, { dispatch(...args: unknown[]): boolean }>;
  const own = Symbol.for("undici.globalDispatcher.1");
  const agent = dispatchers[own];
  class ProxyAgent {
    dispatch(...args: unknown[]): boolean {
      return agent?.dispatch(...args) ?? false;
    }
  }
  dispatchers[own] = new ProxyAgent();
  try {
    const proxied = new S3Mutex({ store: storeAt() });
    const by: string[] = [];
    proxied.on("checked", (event) => by.push(`${event.verdict} ${event.by}`));
    await (await proxied.acquire("orders")).release();
    expect(by).toEqual(["passed requests"]);
    await proxied.close();
  } finally {
    dispatchers[own] = agent as never;
  }
});

describe("each request is sent once", () => {
  test.each([500, 503, 429])("where it is answered with %i", async (status) => {
    server.faults.add({ fault: "status", status });
    const before = server.requests.total;
    const written = await storeAt().write("locks/a.json", "x", { kind: "if-absent" }, REQUEST);
    expect(written).toMatchObject({ kind: "unknown", sent: true, throttled: status !== 500 });
    expect(server.requests.total - before).toBe(1);
  });

  test("where the connection is cut after the write was done: it is not known, and it is done", async () => {
    server.faults.add({ fault: "lose-response" });
    const store = storeAt();
    const written = await store.write("locks/a.json", "x", { kind: "if-absent" }, REQUEST);
    expect(written).toMatchObject({ kind: "unknown", sent: true });
    server.faults.clear();
    expect(await store.read("locks/a.json", REQUEST)).toMatchObject({ kind: "ok", body: "x" });
  });

  test("and ends in time where the store does not answer", async () => {
    server.faults.add({ fault: "never-answer" });
    const startedAtMs = performance.now();
    // Leases are divided: the text has whole milliseconds all the same.
    const read = await storeAt().read("locks/a.json", { timeoutMs: 600 / 3 + 1 / 3 });
    expect(performance.now() - startedAtMs).toBeLessThan(1500);
    expect(read).toMatchObject({ kind: "unknown", sent: true });
    expect((read as { error: S3MutexError }).error.message).toContain("No complete answer within 200 ms");
  });

  test("and not at all once no caller waits for it", async () => {
    const before = server.requests.total;
    const read = await storeAt().read("locks/a.json", { ...REQUEST, giveUpAtMs: performance.now() - 1 });
    expect(read).toMatchObject({ kind: "unknown", sent: false });
    expect(server.requests.total).toBe(before);
  });
});

describe("errors say what those of the SDK say", () => {
  const errorOf = async (mutex: S3Mutex) => {
    const error = await mutex.acquire("a", { timeoutMs: 300 }).catch((caught) => caught);
    await mutex.close();
    return { code: error.code, message: String(error.message).replace(/\d+ ms/g, "ms") };
  };

  test.each<[string, (server: S3Server) => void]>([
    ["access denied", ({ faults }) => faults.add({ fault: "status", status: 403, code: "AccessDenied" })],
    [
      "the wrong region",
      ({ faults }) => faults.add({ fault: "status", status: 400, code: "AuthorizationHeaderMalformed" }),
    ],
    [
      "a signature that does not fit",
      ({ faults }) => faults.add({ fault: "status", status: 403, code: "SignatureDoesNotMatch" }),
    ],
    ["a page with 200", ({ faults }) => faults.add({ fault: "page", status: 200 })],
    ["a page with 403", ({ faults }) => faults.add({ fault: "page", status: 403 })],
    ["a page with 404", ({ faults }) => faults.add({ fault: "page", status: 404 })],
    ["a redirect to a login page", ({ faults }) => faults.add({ fault: "page", status: 302 })],
  ])("%s", async (_, fail) => {
    fail(server);
    const overFetch = await errorOf(new S3Mutex({ store: storeAt(), verify: "never" }));
    const s3ClientConfig = server.clientConfig();
    const overSdk = await errorOf(new S3Mutex({ s3ClientConfig, bucketName: BUCKET, verify: "never" }));
    expect(overFetch).toEqual(overSdk);
  });

  test("a bucket that is not there", async () => {
    const store = storeAt({ bucketName: "nowhere" });
    expect(await errorOf(new S3Mutex({ store, verify: "never" }))).toMatchObject({
      code: "no-such-bucket",
      message: expect.stringMatching(/Create the bucket nowhere\.$/),
    });
  });

  test("credentials that cannot be had", async () => {
    const store = storeAt({ credentials: () => Promise.reject(new Error("no role")) });
    const { code, message } = await errorOf(new S3Mutex({ store, verify: "never" }));
    expect(code).toBe("access-denied");
    expect(message).toContain("no role");
  });
});

describe("a store that wants ETags without the quotes that it shows them in (Ceph 16)", () => {
  beforeEach(() => server.setQuirks({ etagForm: "unquoted-only" }));

  test("locks, and takes away what it asks with", async () => {
    const mutex = new S3Mutex({ store: storeAt() });
    for (let turn = 0; turn < 2; turn += 1) await mutex.withLock("orders", () => {});
    await mutex.close();
    const keys = server.objects(BUCKET).map(({ key }) => key);
    expect(keys.filter((key) => key.includes("probe"))).toEqual([]);
  });
});

test("no more requests are in flight than maxInFlight says, and one for renewals", async () => {
  server.faults.add({ fault: "never-answer" });
  const store = storeAt({ maxInFlight: 2 });
  const before = server.requests.total;
  const reads = Array.from({ length: 4 }, (_, n) => store.read(`locks/${n}.json`, { timeoutMs: 1000 }));
  const renewal = store.write("locks/a.json", "x", { kind: "if-absent" }, { timeoutMs: 1000, urgent: true });
  await vi.waitFor(() => expect(server.requests.total - before).toBe(3), { timeout: 900 });
  server.faults.clear();
  await Promise.all([...reads, renewal]);
  expect(server.requests.total - before).toBe(5);
});

describe("a deletion", () => {
  const remove = async (store: StoreAdapter) => {
    const written = await store.write("locks/a.json", "x", { kind: "if-absent" }, REQUEST);
    if (written.kind !== "ok") throw new Error(written.kind);
    return await store.remove("locks/a.json", written.etag, REQUEST);
  };
  const keys = async (store: StoreAdapter) => (await store.list("locks/", REQUEST)) as object;

  test("is made where the store was seen to honour its condition, which is asked once", async () => {
    const store = storeAt();
    expect(await remove(store)).toMatchObject({ kind: "ok" });
    const before = server.requests.total;
    expect(await remove(store)).toMatchObject({ kind: "ok" });
    expect(server.requests.total - before).toBe(2);
    expect(await keys(store)).toMatchObject({ keys: [] });
  });

  test("of another version is a conflict, and nothing is removed", async () => {
    const store = storeAt();
    await store.write("locks/a.json", "x", { kind: "if-absent" }, REQUEST);
    expect(await store.remove("locks/a.json", '"00000000000000000000000000000000"', REQUEST)).toMatchObject({
      kind: "conflict",
    });
    expect(await store.read("locks/a.json", REQUEST)).toMatchObject({ kind: "ok" });
  });

  test.each<[string, () => void]>([
    ["ignores the condition", () => server.setQuirks({ deleteIgnoresIfMatch: true })],
    ["does not know it", () => server.setQuirks({ deleteIfMatchUnsupported: true })],
  ])("is not made on a store that %s, and nothing stays of the question", async (_, be) => {
    be();
    const store = storeAt();
    expect(await remove(store)).toEqual({ kind: "unsupported" });
    expect(await keys(store)).toMatchObject({ keys: ["locks/a.json"] });
  });

  test("is not made in a bucket that keeps versions", async () => {
    server.setQuirks({ versioning: "Enabled" });
    expect(await remove(storeAt())).toEqual({ kind: "versioned" });
  });
});

test("a store without Date tells no time", async () => {
  server.setQuirks({ noDate: true });
  const read = await storeAt().read("locks/a.json", REQUEST);
  expect(read).toMatchObject({ kind: "absent" });
  expect((read as { timing: object }).timing).not.toHaveProperty("dateMs");
});

test.each(["a/../b", "a/./b", "../locks"])("the key %s, of which a URL makes another, is refused", async (key) => {
  expect(await storeAt().read(key, REQUEST)).toMatchObject({ kind: "refused" });
  expect(server.requests.total).toBe(0);
});

test.each<[object, RegExp]>([
  [{ endpoint: undefined }, /^region is undefined: pass a region of AWS, or the endpoint/],
  [{ endpoint: "localhost:9000" }, /^endpoint is "localhost:9000": use a URL/],
  [{ bucketName: "x--use1-az4--x-s3" }, /^bucketName is .*need an S3 client/],
  [{ signer: undefined }, /^signer is undefined/],
  [{ signer: () => undefined }, /^signer is .*: pass the class itself, such as SignatureV4/],
  [{ credentials: { accessKeyId: "k", secretAccessKey: "" } }, /^credentials.secretAccessKey/],
  [{ maxInFlight: 0 }, /^maxInFlight is 0: use a whole number, one or more/],
  [{ retries: 3 }, /has "retries", which is not an option here/],
])("%j is refused", (more, message) => {
  expect(() => storeAt(more)).toThrow(message);
});
