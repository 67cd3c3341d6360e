import { expect, it, onTestFinished, vi } from "vitest";
import { S3Mutex, type StoreHeaders, verifyStore } from "../../src/index.js";
import { type Arrived, startGate } from "./gate.js";
import { CREDENTIALS } from "./stub.js";

const ALL: StoreHeaders = {
  expectedBucketOwner: "123456789012",
  requesterPays: true,
  acl: "bucket-owner-full-control",
  serverSideEncryption: "aws:kms",
  kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/1",
  kmsEncryptionContext: { purpose: "locks" },
  bucketKeyEnabled: true,
  storageClass: "STANDARD_IA",
};

const OWNER = "x-amz-expected-bucket-owner";
const PAYER = "x-amz-request-payer";
const OF_WRITES = [
  "x-amz-acl",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-bucket-key-enabled",
  "x-amz-server-side-encryption-context",
  "x-amz-storage-class",
];

const CONFIG = { region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS };

/** Names the headers of ours that came with requests, by what was asked for. */
function seen(arrived: readonly Arrived[]): Record<string, Set<string>> {
  const found: Record<string, Set<string>> = {};
  for (const { method, url, headers } of arrived) {
    const config = [...url.searchParams.keys()].find((name) => name === "versioning" || name === "lifecycle");
    const isList = url.searchParams.has("list-type");
    const what =
      config ?? (isList ? "LIST" : url.pathname === "/locks" || url.pathname === "/locks/" ? "BUCKET" : method);
    const names = Object.keys(headers).filter((name) => [OWNER, PAYER, ...OF_WRITES].includes(name));
    found[what] = (found[what] ?? new Set()).add(names.toSorted().join(" "));
  }
  return found;
}

const only = (...names: string[]) => new Set([names.toSorted().join(" ")]);

it("S12: each header goes with the requests that S3 knows it for, and with no other", { timeout: 60_000 }, async () => {
  const { endpoint, arrived } = await startGate(() => undefined, { buckets: [] });
  const s3ClientConfig = { ...CONFIG, endpoint };
  const options = { s3ClientConfig, bucketName: "locks", storeHeaders: ALL };
  const mutex = new S3Mutex({ ...options, createBucketIfNotExists: true });
  await mutex.withLock("job", async (lock) => {
    const object = await lock.fencedObject({ key: "state.json" });
    await object.write("content");
    await object.read();
  });
  await mutex.runOnce("migration", () => 1);
  await mutex.semaphore("pool", { permits: 2 }).withPermits(() => {});
  for await (const _ of mutex.list()) break;
  await mutex.deleteLock("job");
  await mutex.close();
  await verifyStore({ ...options, rounds: 1 });
  expect(seen(arrived)).toEqual({
    PUT: only(OWNER, PAYER, ...OF_WRITES),
    GET: only(OWNER, PAYER),
    HEAD: only(OWNER, PAYER),
    DELETE: only(OWNER, PAYER),
    LIST: only(OWNER, PAYER),
    BUCKET: only(),
    versioning: only(OWNER),
    lifecycle: only(OWNER),
  });
});

it("S12: without it nothing is sent", async () => {
  const { endpoint, arrived } = await startGate(() => undefined);
  const mutex = new S3Mutex({ s3ClientConfig: { ...CONFIG, endpoint }, bucketName: "locks", verify: "once" });
  await mutex.withLock("job", () => {});
  await mutex.close();
  for (const names of Object.values(seen(arrived))) expect(names).toEqual(only());
});

it("S12: verify: once examines with them, and a denied write says what else it may be", async () => {
  const { endpoint } = await startGate(({ method, headers }) => {
    const isRight = method !== "PUT" || headers["x-amz-server-side-encryption"] === "AES256";
    return isRight
      ? undefined
      : { status: 403, code: "AccessDenied", message: "with an explicit deny in a resource-based policy" };
  });
  const options = { s3ClientConfig: { ...CONFIG, endpoint }, bucketName: "locks" };
  const bare = new S3Mutex(options);
  await expect(bare.acquire("job")).rejects.toThrow(/storeHeaders/);
  await bare.close();
  const mutex = new S3Mutex({ ...options, verify: "once", storeHeaders: { serverSideEncryption: "AES256" } });
  const lock = await mutex.acquire("job");
  expect(await lock.release()).toBe(true);
  await mutex.close();
});

it.each([
  [{ expectedBucketOwner: "1234" }, /storeHeaders\.expectedBucketOwner is "1234": use the 12 digits/],
  [{ expectedBucketOwner: 123456789012 }, /as a string/],
  [{ requesterPays: "requester" }, /use true or false/],
  [{ acl: "mine" }, /bucket-owner-full-control/],
  [{ serverSideEncryption: "aes256" }, /use one of AES256/],
  [{ kmsKeyId: "k" }, /set serverSideEncryption to "aws:kms"/],
  [{ serverSideEncryption: "AES256", bucketKeyEnabled: true }, /bucketKeyEnabled is true: set serverSideEncryption/],
  [{ serverSideEncryption: "aws:kms", kmsKeyId: "a\r\nx-other: b" }, /without spaces/],
  [{ serverSideEncryption: "aws:kms", kmsEncryptionContext: { a: 1 } }, /an object of strings/],
  [{ storageClass: "GLACIER" }, /archived/],
  [{ storageClass: "standard" }, /did you mean "STANDARD"\?/],
  [{ storageClass: "a b" }, /name of a storage class/],
  [{ owner: "x" }, /storeHeaders/],
  ["AES256", /storeHeaders/],
])("S12: %j is refused before anything is sent", (storeHeaders, message) => {
  const options = { s3ClientConfig: CONFIG, bucketName: "locks", storeHeaders: storeHeaders as StoreHeaders };
  expect(() => new S3Mutex(options)).toThrow(message);
});

it.each([[{ requesterPays: true }], [{ acl: "private" }], [{ storageClass: "STANDARD_IA" }]] as const)(
  "S12: %j is nothing that a directory bucket knows",
  (storeHeaders) => {
    const bucketName = "team--use1-az4--x-s3";
    expect(() => new S3Mutex({ s3ClientConfig: CONFIG, bucketName, storeHeaders })).toThrow(/directory buckets/);
  },
);

it.each([
  ["arn:aws:s3::123456789012:accesspoint/m1a2b3c4d5e6f7.mrap", /Multi-Region/],
  ["m1a2b3c4d5e6f7.mrap", /Multi-Region/],
  ["arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/x", /Object Lambda/],
  ["arn:aws:s3:::my-bucket", /use its name, "my-bucket"/],
  ["arn:aws:sqs:eu-west-1:123456789012:queue", /only ARNs of access points/],
])("S13: %s holds no locks, and the error says why", (bucketName, message) => {
  expect(() => new S3Mutex({ s3ClientConfig: CONFIG, bucketName })).toThrow(message);
});

it.each([
  "arn:aws:s3:eu-west-1:123456789012:accesspoint/team",
  "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:team",
  "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/team",
  "arn:aws:s3-outposts:eu-west-1:123456789012:outpost:op-1:accesspoint:team",
  "team-abcdefghijk-s3alias",
])("S13: %s is taken as the bucket", (bucketName) => {
  expect(() => new S3Mutex({ s3ClientConfig: CONFIG, bucketName })).not.toThrow();
});

it("S13: an access point whose host name would be no URL is said at once, and not tried again", async () => {
  // The SDK writes it to the console, with its stack.
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => written.mockRestore());
  const config = { ...CONFIG, forcePathStyle: false, endpoint: "http://127.0.0.1:1" };
  const bucketName = "arn:aws:s3:eu-west-1:123456789012:accesspoint/team";
  const mutex = new S3Mutex({ s3ClientConfig: config, bucketName });
  await expect(mutex.acquire("job")).rejects.toMatchObject({ code: "invalid-argument" });
  await mutex.close();
});
