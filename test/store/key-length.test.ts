import { describe, expect, it, onTestFinished } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { type FaultRule, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";
import { clientFor, errorAnswer, IF_ABSENT, OPTIONS, startStub, storeOver } from "./stub.js";

const LONG = "n".repeat(300);
const isOverAPart = (key: string) => key.split("/").some((part) => part.length > 255);

async function mutexOn(options: S3ServerOptions, ...rules: readonly FaultRule[]) {
  const server = await startS3Server({ buckets: ["locks"], ...options });
  for (const rule of rules) server.faults.add(rule);
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", verify: "never" });
  onTestFinished(async () => {
    await mutex.close();
    await server.close();
  });
  return { server, mutex };
}

const long = { key: isOverAPart };

describe("a name whose key is too long for the store is invalid-argument, with the length and the limits", () => {
  it.each<[string, readonly FaultRule[]]>([
    [
      "MinIO: 400 XMinioInvalidObjectName",
      [{ fault: "status", status: 400, code: "XMinioInvalidObjectName", ...long }],
    ],
    ["AWS: 400 KeyTooLongError", [{ fault: "status", status: 400, code: "KeyTooLongError", ...long }]],
    ["Ceph: 400 InvalidObjectName", [{ fault: "status", status: 400, code: "InvalidObjectName", ...long }]],
    ["S3Proxy: 500 InternalError to all", [{ fault: "status", status: 500, code: "InternalError", ...long }]],
    [
      "nanio: 500 to writes, no answer to reads",
      [
        { fault: "status", status: 500, code: "InternalError", operation: "PutObject", ...long },
        { fault: "drop-before", operation: "GetObject", ...long },
      ],
    ],
    [
      "500 to writes, 404 to reads",
      [{ fault: "status", status: 500, code: "InternalError", operation: "PutObject", ...long }],
    ],
    ["localbucket: no answer", [{ fault: "drop-before", ...long }]],
    ["a proxy: 414", [{ fault: "page", status: 414, body: "<html>Request-URI Too Large</html>", ...long }]],
  ])("%s", async (_, rules) => {
    const { server, mutex } = await mutexOn({}, ...rules);
    const error = await mutex.acquire(LONG, { timeoutMs: 20_000 }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "invalid-argument" });
    const { message } = error as Error;
    expect(message).toContain("The key has 311 bytes, 305 of them in its longest part between slashes");
    expect(message).toContain("use a shorter name");
    expect(message.length).toBeLessThan(900);
    expect(message).not.toMatch(/n{200}/);
    // What was tried is gone again, and short names work.
    expect(server.objects("locks")).toEqual([]);
    await (await mutex.acquire("short")).release();
  });

  it("a store that fails on everything is store-unavailable, whatever the length", async () => {
    const { mutex } = await mutexOn({}, { fault: "status", status: 500, code: "InternalError" });
    await expect(mutex.acquire(LONG, { timeoutMs: 1500 })).rejects.toMatchObject({ code: "store-unavailable" });
  });

  it("a store that fails now and then takes a long name in the end", async () => {
    const { mutex } = await mutexOn({}, { fault: "status", status: 500, code: "InternalError", times: 3, ...long });
    await (await mutex.acquire(LONG, { timeoutMs: 20_000 })).release();
  });

  it("what was written once is not too long, however often it fails", async () => {
    const { server, mutex } = await mutexOn({});
    await (await mutex.acquire(LONG)).release();
    server.faults.add({ fault: "status", status: 500, code: "InternalError", ...long });
    await expect(mutex.acquire(LONG, { timeoutMs: 1500 })).rejects.toMatchObject({ code: "store-unavailable" });
  });

  it("a short key is asked about nothing", async () => {
    const { endpoint, seen } = await startStub(errorAnswer(500, "InternalError"));
    await storeOver(clientFor(endpoint)).write("locks/a.json", "{}", IF_ABSENT, OPTIONS);
    expect(seen).toEqual(["PUT /locks/locks/a.json"]);
  });
});

it("a short key that is refused is a matter of what is in it", async () => {
  const { endpoint } = await startStub(errorAnswer(400, "XMinioInvalidObjectName"));
  const outcome = await storeOver(clientFor(endpoint)).write("a//b.json", "{}", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  expect(outcome).toMatchObject({ error: { message: expect.stringContaining("use a keyPrefix of letters") } });
});

it("a signature that does not match, after others did, is neither a wrong secret nor a missing right", async () => {
  const { server, mutex } = await mutexOn({});
  await (await mutex.acquire("a")).release();
  server.faults.add({ fault: "status", status: 403, code: "SignatureDoesNotMatch" });
  const error = await mutex.inspect("a").catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "access-denied", message: expect.stringContaining("No policy helps") });
  expect((error as Error).message).not.toMatch(/secret does not fit|Allow s3:/);
});
