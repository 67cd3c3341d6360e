import { describe, expect, it } from "vitest";
import { failureOf } from "../../src/store/s3/answers/failure.js";
import { startS3Server } from "../../src/testing/index.js";
import { CREDENTIALS, clientFor, errorAnswer, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

describe("a refusal says what was refused and what to do", () => {
  it.each([
    [403, "AccessDenied", "access-denied", "Allow s3:GetObject on arn:aws:s3:::locks/a and s3:ListBucket"],
    [400, "ExpiredToken", "access-denied", "have expired"],
    [403, "InvalidAccessKeyId", "access-denied", "accessKeyId"],
    [403, "SignatureDoesNotMatch", "access-denied", "secretAccessKey"],
    [404, "NoSuchBucket", "no-such-bucket", "createBucketIfNotExists"],
    [301, "PermanentRedirect", "invalid-argument", '`region` of the S3 client to "eu-west-1"'],
    [400, "AuthorizationHeaderMalformed", "invalid-argument", '`region` of the S3 client to "eu-west-1"'],
    [400, "KeyTooLongError", "invalid-argument", "use a shorter name"],
    [400, "InvalidRequest", "store-unsafe", "s3-mutex doctor"],
    [501, "NotImplemented", "store-unsafe", "s3-mutex doctor"],
    [405, "MethodNotAllowed", "store-unsafe", "a website or a console"],
  ])("%i %s is %s", async (status, name, code, remedy) => {
    const stub = await startStub(errorAnswer(status, name, { "x-amz-bucket-region": "eu-west-1" }));
    const outcome = await storeOver(clientFor(stub.endpoint)).read("a", OPTIONS);
    expect(outcome).toMatchObject({ kind: "refused", error: { code }, timing: { dateMs: expect.any(Number) } });
    if (outcome.kind !== "refused") return;
    expect(outcome.error.message).toContain("s3:GetObject on s3://locks/a");
    expect(outcome.error.message).toContain(`${status} ${name}`);
    expect(outcome.error.message).toContain(remedy);
    expect(stub.seen).toHaveLength(1);
  });
});

describe("an answer that says nothing about the write is unknown", () => {
  it.each([
    [408, "RequestTimeout"],
    [400, "RequestTimeout"],
    [400, "IncompleteBody"],
    [500, "InternalError"],
    [504, "GatewayTimeout"],
    [404, "NoSuchKey"],
  ])("%i %s to a create", async (status, name) => {
    const stub = await startStub(errorAnswer(status, name));
    const outcome = await storeOver(clientFor(stub.endpoint)).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", sent: true, throttled: false, error: { retryable: true } });
  });

  it("a success without an ETag, of a PUT and of a GET", async () => {
    const stub = await startStub((_, response) => response.end("{}"));
    const store = storeOver(clientFor(stub.endpoint));
    const expected = { kind: "unknown", sent: true, error: { message: expect.stringContaining("no ETag") } };
    expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject(expected);
    expect(await store.read("a", OPTIONS)).toMatchObject(expected);
  });

  it("a listing that is not one", async () => {
    const stub = await startStub((_, response) => response.end("<!DOCTYPE html><br>"));
    expect(await storeOver(clientFor(stub.endpoint)).list("", OPTIONS)).toMatchObject({ kind: "unknown" });
  });
});

it.each([
  [412, "PreconditionFailed", "conflict"],
  [409, "ConditionalRequestConflict", "conflict"],
  [404, "NoSuchKey", "absent"],
  [404, "NoSuchBucket", "refused"],
])("a PUT If-Match that is answered %i %s is %s", async (status, name, kind) => {
  const stub = await startStub(errorAnswer(status, name));
  expect(await storeOver(clientFor(stub.endpoint)).write("a", "{}", ifMatch('"x"'), OPTIONS)).toMatchObject({ kind });
});

it("a 304 without an ETag is unchanged", async () => {
  const stub = await startStub((_, response) => response.writeHead(304).end());
  const outcome = await storeOver(clientFor(stub.endpoint)).read("a", { ...OPTIONS, ifNoneMatch: '"x"' });
  expect(outcome).toMatchObject({ kind: "unchanged" });
});

describe("when nothing can have left, the outcome says so", () => {
  it("a refused connection", async () => {
    const outcome = await storeOver(clientFor("http://127.0.0.1:1")).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(outcome).toMatchObject({
      kind: "unknown",
      sent: false,
      error: { message: expect.stringContaining("ECONN") },
    });
  });

  it("a refused connection to all addresses of a host", async () => {
    const outcome = await storeOver(clientFor("http://localhost:1")).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", sent: false });
  });

  it("a host that does not exist", async () => {
    const outcome = await storeOver(clientFor("http://no.such.host.invalid")).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", sent: false });
  });

  it("a certificate that is not accepted", async () => {
    await using server = await startS3Server();
    const endpoint = server.endpoint.replace("http:", "https:");
    const outcome = await storeOver(clientFor(endpoint)).write("a", "{}", IF_ABSENT, OPTIONS);
    // No TLS at all at the other end: a failed handshake that does not tell whether anything was sent counts as sent.
    expect(outcome).toMatchObject({ kind: "unknown" });
  });

  it("a client without a region", async () => {
    const region = async (): Promise<string> => {
      throw new Error("Region is missing");
    };
    const outcome = await storeOver(clientFor("http://127.0.0.1:1", { region })).read("a", OPTIONS);
    expect(outcome).toMatchObject({
      kind: "refused",
      error: { code: "invalid-argument", message: expect.stringContaining("Region is missing") },
    });
  });
});

describe("credentials that cannot be had", () => {
  const noCredentials = () =>
    Object.assign(new Error("Could not load credentials from any providers"), { name: "CredentialsProviderError" });

  it("are a refusal from the start", async () => {
    const credentials = async () => {
      throw noCredentials();
    };
    const outcome = await storeOver(clientFor("http://127.0.0.1:1", { credentials })).read("a", OPTIONS);
    expect(outcome).toMatchObject({
      kind: "refused",
      error: { code: "access-denied", message: expect.stringContaining("AWS_ACCESS_KEY_ID") },
    });
  });

  it("are a passing trouble once the store has accepted some: a metadata service may be back in a moment", async () => {
    await using server = await startS3Server({ buckets: ["locks"] });
    let gone = false;
    const credentials = async () => {
      if (gone) throw noCredentials();
      return { ...CREDENTIALS, expiration: new Date(Date.now() + 1_000) };
    };
    const store = storeOver(clientFor(server.endpoint, { credentials }));
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    gone = true;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown", sent: false });
  });

  it("for the sake of another service's 5xx are a passing trouble", async () => {
    const credentials = async () => {
      throw Object.assign(new Error("STS is down"), { name: "InternalFailure", $metadata: { httpStatusCode: 500 } });
    };
    const outcome = await storeOver(clientFor("http://127.0.0.1:1", { credentials })).read("a", OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", sent: false });
  });
});

it("asks for listings whose keys are encoded: XML cannot hold all that a key can", async () => {
  const queries: string[] = [];
  const stub = await startStub((request, response) => {
    queries.push(new URL(request.url ?? "", "http://x").searchParams.get("encoding-type") ?? "");
    response.end("<ListBucketResult><Contents><Key>a%20b</Key></Contents></ListBucketResult>");
  });
  // A store that does not encode does not say that it did.
  expect(await storeOver(clientFor(stub.endpoint)).list("", OPTIONS)).toMatchObject({ kind: "ok", keys: ["a%20b"] });
  expect(queries).toEqual(["url"]);
});

describe("failureOf", () => {
  const sent = { sentAtMs: 1 };
  const connect = Object.assign(new Error("no"), { code: "ETIMEDOUT", syscall: "connect" });
  const read = Object.assign(new Error("no"), { code: "ETIMEDOUT", syscall: "read" });
  it.each([
    ["a connection that timed out", connect, false],
    [
      "connections to all addresses that timed out",
      Object.assign(new AggregateError([connect, connect]), { code: "ETIMEDOUT" }),
      false,
    ],
    ["a socket that timed out later", read, true],
    ["a certificate that ran out", Object.assign(new Error("no"), { code: "CERT_HAS_EXPIRED" }), false],
    ["something that is not an error", "oops", true],
  ])("%s", (_, error, expected) => {
    expect(failureOf(error, sent).sent).toBe(expected);
  });
});

it("a date from a cache does not count", async () => {
  const stub = await startStub(errorAnswer(404, "NoSuchKey", { age: "7" }));
  expect(await storeOver(clientFor(stub.endpoint)).read("a", OPTIONS)).not.toHaveProperty("timing.dateMs");
});
