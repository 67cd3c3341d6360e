import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { S3Mutex, type S3MutexBaseOptions } from "../../src/index.js";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";
import { BUCKET } from "./examine.js";

const TIMEOUT = { timeout: 60_000 };

async function start(options: S3ServerOptions = {}, mutexOptions: Partial<S3MutexBaseOptions> = {}) {
  const server = await startS3Server({ buckets: [BUCKET], ...options });
  const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  const newMutex = () => new S3Mutex({ s3Client, bucketName: BUCKET, verify: "once", ...mutexOptions });
  onTestFinished(async () => {
    s3Client.destroy();
    await server.close();
  });
  return { server, newMutex };
}

const probes = (server: S3Server) => server.recentRequests.filter(({ key = "" }) => key.includes("/.s3-mutex/")).length;
const keysOf = (server: S3Server) => server.objects(BUCKET).map(({ key }) => key);

test("a safe store is examined once, however many ask at once, and leaves nothing but the locks", TIMEOUT, async () => {
  const { server, newMutex } = await start({ recentRequestsMax: 10_000 });
  const [one, other] = [newMutex(), newMutex()];
  const locks = await Promise.all([one.acquire("a"), one.acquire("b"), other.acquire("c")]);
  const probed = probes(server);
  expect(probed).toBeGreaterThan(50);
  expect(keysOf(server)).toEqual(["locks/a.json", "locks/b.json", "locks/c.json"]);
  const later = await newMutex().acquire("d");
  expect(probes(server)).toBe(probed);
  await Promise.all([...locks, later].map((lock) => lock.release()));
});

test.each([
  [{ ignoreIfNoneMatch: true }, /If-None-Match: \* is ignored/],
  [{ ignoreIfMatch: true }, /If-Match is ignored/],
  [{ checkThenWriteRace: true }, /Race to create: .* were told that they had created it/],
  [{ staleReadMs: 60_000 }, /was answered 200, and the object is not/],
] as const)("%j: no caller gets a lock, and the error names the fault", TIMEOUT, async (quirks, fault) => {
  const { server, newMutex } = await start({ quirks });
  const mutex = newMutex();
  await expect(mutex.acquire("job")).rejects.toMatchObject({
    code: "store-unsafe",
    message: expect.stringMatching(fault),
  });
  await expect(mutex.acquireLock("job", 0)).rejects.toMatchObject({ code: "store-unsafe" });
  await expect(newMutex().tryAcquire("other")).rejects.toMatchObject({ code: "store-unsafe" });
  expect(keysOf(server)).toEqual([]);
});

test("what s3-mutex can cope with is not a reason to refuse", TIMEOUT, async () => {
  const { newMutex } = await start({ quirks: { etagForm: "unquoted-only", deleteIgnoresIfMatch: true, noDate: true } });
  const lock = await newMutex().acquire("job");
  expect(await lock.release()).toBe(true);
});

test("a store that does not answer is not unsafe: it is asked again", TIMEOUT, async () => {
  const { server, newMutex } = await start();
  server.faults.add({ fault: "status", status: 500, times: 5 });
  const lock = await newMutex().acquire("job", { timeoutMs: 20_000 });
  expect(lock.held).toBe(true);
  await lock.release();
});

test("a missing permission is told as such", TIMEOUT, async () => {
  const { newMutex } = await start({ quirks: { deny: ["PutObject"] } });
  await expect(newMutex().acquire("job")).rejects.toMatchObject({ code: "access-denied" });
});

test("the bucket is created first, if that was asked for", TIMEOUT, async () => {
  const { server, newMutex } = await start({ buckets: [] }, { createBucketIfNotExists: true });
  const lock = await newMutex().acquire("job");
  expect(keysOf(server)).toEqual(["locks/job.json"]);
  await lock.release();
});

test('with "never" nothing is asked, and nothing of the examination is loaded by default', TIMEOUT, async () => {
  const { server, newMutex } = await start({}, { verify: "never" });
  await (await newMutex().acquire("job")).release();
  expect(probes(server)).toBe(0);
  const script = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(\`export async function load(url, context, next) {
      if (/dist.verify.(?!guarded-store|verify-store)/.test(url)) console.log(url);
      return next(url, context);
    }\`));
    await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  expect(stdout).toBe("");
});

test("an option that cannot be right is refused", () => {
  const options = { s3ClientConfig: {}, bucketName: BUCKET, verify: true as never };
  expect(() => new S3Mutex(options)).toThrow('verify is true: use "auto", "once" or "never".');
});
