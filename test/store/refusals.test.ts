import { describe, expect, it } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { type Answer, clientFor, errorAnswer, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

const saying =
  (status: number, code: string, message: string): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  };

async function writeTo(answer: Answer) {
  const stub = await startStub(answer);
  return storeOver(clientFor(stub.endpoint)).write("a", "{}", ifMatch('"x"'), OPTIONS);
}

describe("S16: each refusal has its own words", () => {
  it.each([
    [400, "KMS.DisabledException", "key is disabled", "access-denied", "KMS key of the bucket cannot be used"],
    [400, "KMS.KMSInvalidStateException", "pending deletion", "access-denied", "KMS key of the bucket cannot be used"],
    [
      403,
      "AccessDenied",
      "User x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:r:1:key/2",
      "access-denied",
      "Allow kms:GenerateDataKey",
    ],
    [403, "QuotaExceeded", "", "access-denied", "quota of the store is used up"],
    [403, "XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded", "access-denied", "quota of the store is used up"],
    [405, "MethodNotAllowed", "not allowed against this resource", "store-unsafe", "a website or a console"],
    [403, "AccessDenied", "The bucket is read-only", "access-denied", "read-only"],
    [403, "AllAccessDisabled", "All access to this object has been disabled", "access-denied", "account of the store"],
    [451, "UnavailableForLegalReasons", "", "access-denied", "legal reasons"],
    [403, "SomethingElse", "because", "access-denied", "own words say why"],
    [400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required", "store-unsafe", "WHEN_SUPPORTED"],
    [501, "NotImplemented", "A header implies functionality", "store-unsafe", "If-Match and If-None-Match"],
  ])("%i %s %s", async (status, name, message, code, remedy) => {
    const outcome = await writeTo(saying(status, name, message));
    expect(outcome).toMatchObject({ kind: "refused", error: { code } });
    if (outcome.kind !== "refused") return;
    expect(outcome.error.message).toContain(`${status} ${name}`);
    expect(outcome.error.message).toContain(message);
    expect(outcome.error.message).toContain(remedy);
    expect(outcome.error.message).not.toContain("Allow s3:");
  });

  it.each([
    [400, "ThrottlingException", "You have exceeded the rate at which you may call KMS", true],
    [400, "KMS.ThrottlingException", "", true],
    [507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold", false],
  ])("%i %s is a matter of time", async (status, name, message, throttled) => {
    expect(await writeTo(saying(status, name, message))).toMatchObject({ kind: "unknown", throttled });
  });

  it("a refusal of AccessDenied says what to allow", async () => {
    const outcome = await writeTo(errorAnswer(403, "AccessDenied"));
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining("Allow s3:PutObject on arn:aws:s3") } });
  });

  it.each([
    [302, { location: "https://login.example/sso" }, "to https://login.example/sso, such as to a login page"],
    [407, {}, "a proxy wants a login"],
    [451, {}, "legal reasons"],
    [403, {}, '403 with text/html, "Blocked by the firewall"'],
  ])("a page with %i is quoted, and said not to be S3's", async (status, headers, words) => {
    const outcome = await writeTo((_, response) => {
      response.writeHead(status, { "content-type": "text/html", ...headers });
      response.end("<html><style>p { color: red }</style><body><p>Blocked by the firewall</p></body></html>");
    });
    expect(outcome).toMatchObject({ kind: "unknown", error: { code: "store-unavailable" } });
    if (outcome.kind !== "unknown") return;
    expect(outcome.error.message).toContain(words);
    expect(outcome.error.message).toContain("not an answer of S3");
  });
});

it("S10: an archived lock is named, is not free, and is replaced by force", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const mutex = () => new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks" });
  await (await mutex().acquire("job")).release();
  const archived = server.faults.add({
    fault: "status",
    status: 403,
    code: "InvalidObjectState",
    operation: "GetObject",
    key: "locks/job.json",
  });
  const expected = { code: "corrupt-record", message: expect.stringContaining("archived") };
  await expect(mutex().acquire("job")).rejects.toMatchObject(expected);
  await expect(mutex().isLocked("job")).rejects.toMatchObject(expected);
  await expect(mutex().deleteLock("job")).rejects.toMatchObject(expected);
  const forced = mutex();
  expect(await forced.deleteLock("job", true)).toBe(true);
  archived.remove();
  expect(await mutex().tryAcquire("job")).not.toBeNull();
});

it("S10: so are an archived semaphore, result of runOnce and fenced object, each with what helps there", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const mutex = () => new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks" });
  const pool = () => mutex().semaphore("pool", { permits: 2 });
  const account = async () => {
    const lock = await mutex().acquire("job");
    const object = lock.fencedObject({ key: "account" });
    return object.write("1").finally(() => lock.release());
  };
  await pool().withPermits(() => {});
  await mutex().runOnce("migrate", () => {});
  await account();
  for (const key of ["semaphores/locks/pool.json", "once/locks/migrate.json", "account"]) {
    server.faults.add({ fault: "status", status: 403, code: "InvalidObjectState", operation: "GetObject", key });
  }
  const archived = (remedy: RegExp) => ({ code: "corrupt-record", message: expect.stringMatching(remedy) });
  const replaced = /archived.* s3-mutex delete --force s3:\/\/locks\/semaphores\/locks\/pool replaces it/;
  await expect(pool().acquire()).rejects.toMatchObject(archived(replaced));
  const restored = /archived.*: restore it/;
  await expect(mutex().runOnce("migrate", () => {})).rejects.toMatchObject(archived(restored));
  await expect(mutex().forget("migrate")).rejects.toMatchObject(archived(restored));
  await expect(account()).rejects.toMatchObject(archived(restored));
});

it("S10: a client that may not read the archived object either is told the store's words", async () => {
  const stub = await startStub((request, response) =>
    request.method === "HEAD"
      ? void response.writeHead(403).end()
      : errorAnswer(403, "InvalidObjectState")(request, response),
  );
  const store = storeOver(clientFor(stub.endpoint));
  const outcome = await store.read("a", OPTIONS);
  expect(outcome).toMatchObject({ kind: "refused", error: { message: expect.stringContaining("archived") } });
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "refused" });
});

it("S17: a lock that is lost to credentials that have expired says that the store refused, and why", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks" });
  const lock = await mutex.acquire("job", { leaseMs: 3000 });
  server.faults.add({ fault: "status", status: 400, code: "ExpiredToken" });
  await new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
  expect(lock.signal.reason).toMatchObject({
    code: "lost",
    reason: "store-unavailable",
    message: expect.stringMatching(/the store refused .*400 ExpiredToken.*have expired/),
  });
  server.faults.clear();
});
