import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import {
  CREDENTIALS,
  clientFor,
  countingEffects,
  errorAnswer,
  hurriedEffects,
  IF_ABSENT,
  ifMatch,
  OPTIONS,
  startStub,
  storeOver,
} from "./stub.js";

/** Retries whatever happens, after a long while: worse than anything that a user could reasonably have written. */
const stubbornStrategy = {
  acquireInitialRetryToken: async () => token(0),
  refreshRetryTokenForRetry: async (last: { getRetryCount(): number }) => token(last.getRetryCount() + 1),
  recordSuccess: () => {},
};

function token(count: number) {
  return { getRetryCount: () => count, getRetryDelay: () => (count === 0 ? 0 : 10_000) };
}

/** The shape of retry strategies before there were tokens. */
const stubbornLegacyStrategy = {
  mode: "stubborn",
  async retry<Input, Result extends object>(next: (args: Input) => Promise<Result>, args: Input): Promise<Result> {
    for (let left = 5; ; left -= 1) {
      try {
        const result = await next(args);
        // The SDK's adaptive one took for granted that there was a response to look at.
        if ("$metadata" in (result as unknown as { response: object }).response)
          throw new Error("a throttling response");
        return result;
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10_000));
      }
    }
  },
};

const CLIENTS: Readonly<Record<string, S3ClientConfig>> = {
  "of standard mode": { retryMode: "standard" },
  "of adaptive mode": { retryMode: "adaptive" },
  "with a strategy that retries everything": { retryStrategy: stubbornStrategy as never },
  "with a legacy strategy that retries everything": { retryStrategy: stubbornLegacyStrategy as never },
  "of one transmission": { maxAttempts: 1 },
};

describe.each(Object.entries(CLIENTS))("on a client %s", (_, config) => {
  it.each([
    [500, "InternalError", false],
    [503, "SlowDown", true],
    [429, "TooManyRequests", true],
    [502, "BadGateway", false],
  ])("a PUT that is answered %i is sent once, and not waited for", async (status, code, throttled) => {
    const stub = await startStub(errorAnswer(status, code, { "retry-after": "5" }));
    const started = performance.now();
    const outcome = await storeOver(clientFor(stub.endpoint, config)).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(outcome).toMatchObject({ kind: "unknown", throttled, sent: true, timing: { dateMs: expect.any(Number) } });
    expect(stub.seen).toEqual(["PUT /locks/a"]);
  });

  it("a PUT whose connection is reset is sent once", async () => {
    const stub = await startStub((request) => request.socket.destroy());
    const outcome = await storeOver(clientFor(stub.endpoint, config)).write("a", "{}", IF_ABSENT, OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: true });
    expect(outcome).not.toHaveProperty("timing");
    expect(stub.seen).toHaveLength(1);
  });

  it("a PUT that is never answered is sent once and given up in time", async () => {
    const stub = await startStub(() => {});
    const started = performance.now();
    const outcome = await storeOver(clientFor(stub.endpoint, config)).write("a", "{}", IF_ABSENT, { timeoutMs: 40 });
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(outcome).toMatchObject({ kind: "unknown", sent: true });
    expect(stub.seen).toHaveLength(1);
  });

  it("the user's own requests are retried as before", async () => {
    if (config.maxAttempts === 1 || config.retryStrategy !== undefined) return;
    let left = 1;
    const stub = await startStub((request, response) => {
      left -= 1;
      errorAnswer(left >= 0 ? 500 : 404, left >= 0 ? "InternalError" : "NoSuchKey")(request, response);
    });
    const client = clientFor(stub.endpoint, config);
    await storeOver(client).write("a", "{}", IF_ABSENT, OPTIONS);
    const { GetObjectCommand } = await import("@aws-sdk/client-s3");
    left = 1;
    const own = client.send(new GetObjectCommand({ Bucket: "mine", Key: "k" }));
    await expect(own).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { attempts: 2 } });
  });
});

it("an answer that breaks off is unknown, with the timing of its head", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const store = storeOver(clientFor(server.endpoint));
  await store.write("a", "a body", IF_ABSENT, OPTIONS);
  server.faults.add({ fault: "truncate-body" });
  const outcome = await store.read("a", OPTIONS);
  expect(outcome).toMatchObject({ kind: "unknown", sent: true, timing: { dateMs: expect.any(Number) } });
});

it("the time-out covers the body", async () => {
  const stub = await startStub((_, response) => {
    response.writeHead(200, { etag: '"x"', "content-length": "10" });
    response.write("12345");
  });
  const outcome = await storeOver(clientFor(stub.endpoint)).read("a", { timeoutMs: 40 });
  expect(outcome).toMatchObject({ kind: "unknown", sent: true, error: { code: "store-unavailable" } });
});

it("the time-out covers the body of an error, which the SDK itself reads", async () => {
  const stub = await startStub((_, response) => {
    response.writeHead(404, { "content-length": "10" });
    response.write("12345");
  });
  const outcome = await storeOver(clientFor(stub.endpoint)).read("a", { timeoutMs: 40 });
  expect(outcome).toMatchObject({ kind: "unknown", sent: true });
});

it.each([404, 412, 403])("a %i that breaks off is unknown: what it is about was not read", async (status) => {
  const stub = await startStub((request, response) => {
    response.writeHead(status, { "content-length": "100" });
    response.write("<Error><Code>");
    setImmediate(() => request.socket.destroy());
  });
  const outcome = await storeOver(clientFor(stub.endpoint)).write("a", "{}", ifMatch('"x"'), OPTIONS);
  expect(outcome).toMatchObject({ kind: "unknown", sent: true });
});

it.each([
  [404, "unknown"],
  [412, "unknown"],
  [403, "unknown"],
  [500, "unknown"],
])("a %i with a page in place of S3's error is not the store's answer", async (status, kind) => {
  const stub = await startStub((_, response) => response.writeHead(status).end("<!DOCTYPE html><br>no {"));
  const outcome = await storeOver(clientFor(stub.endpoint)).write("a", "{}", ifMatch('"x"'), OPTIONS);
  expect(outcome.kind).toBe(kind);
});

it("the time-out starts when the request leaves, not while credentials are being looked for", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const credentials = async () => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return CREDENTIALS;
  };
  const started = performance.now();
  const store = storeOver(clientFor(server.endpoint, { credentials }));
  const outcome = await store.write("a", "{}", IF_ABSENT, { timeoutMs: 40 });
  expect(outcome.kind).toBe("ok");
  if (outcome.kind !== "ok") return;
  expect(outcome.timing.sentAtMs - started).toBeGreaterThan(55);
});

it("credentials that never come are given up, and what comes too late is not sent", async () => {
  const stub = await startStub(errorAnswer(404, "NoSuchKey"));
  let arrive = (_: typeof CREDENTIALS) => {};
  const credentials = () => new Promise<typeof CREDENTIALS>((resolve) => (arrive = resolve));
  const store = storeOver(clientFor(stub.endpoint, { credentials }), { effects: hurriedEffects() });
  const outcome = await store.write("a", "{}", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({
    kind: "unknown",
    sent: false,
    error: { message: expect.stringContaining("30000 ms") },
  });
  arrive(CREDENTIALS);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(stub.seen).toEqual([]);
});

it("what is prepared too late is not handed to an HTTP handler that pays no heed to aborting", async () => {
  let sent = 0;
  const requestHandler = {
    metadata: { handlerProtocol: "test" },
    handle: () => {
      sent += 1;
      return new Promise<never>(() => {});
    },
  };
  let arrive = (_: typeof CREDENTIALS) => {};
  const credentials = () =>
    new Promise<typeof CREDENTIALS>((resolve) => {
      arrive = resolve;
    });
  const client = clientFor("http://127.0.0.1:1", { credentials, requestHandler });
  const outcome = await storeOver(client, { effects: hurriedEffects() }).write("a", "{}", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({ kind: "unknown", sent: false });
  arrive(CREDENTIALS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sent).toBe(0);
});

it("an HTTP handler that pays no heed to aborting is given up in time all the same", async () => {
  const requestHandler = { metadata: { handlerProtocol: "test" }, handle: () => new Promise<never>(() => {}) };
  const store = storeOver(clientFor("http://127.0.0.1:1", { requestHandler }));
  expect(await store.write("a", "{}", IF_ABSENT, { timeoutMs: 20 })).toMatchObject({ kind: "unknown", sent: true });
});

it("a middleware of the user that repeats what failed repeats nothing of ours", async () => {
  const stub = await startStub(errorAnswer(500, "InternalError"));
  const client = clientFor(stub.endpoint);
  client.middlewareStack.add((next) => async (args) => await next(args).catch(() => next(args)), {
    step: "initialize",
    name: "again",
  });
  const outcome = await storeOver(client).write("a", "{}", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({
    kind: "unknown",
    sent: true,
    error: { message: expect.stringContaining("500 InternalError") },
  });
  expect(stub.seen).toHaveLength(1);
});

it("leaves no timer behind, however a request ends", async () => {
  const effects = countingEffects();
  const answers = [errorAnswer(404, "NoSuchKey"), errorAnswer(500, "InternalError"), () => {}];
  for (const answer of answers) {
    const stub = await startStub(answer);
    await storeOver(clientFor(stub.endpoint), { effects }).read("a", { timeoutMs: 30 });
    expect(effects.pending.size).toBe(0);
  }
});

it("installs nothing on the client", async () => {
  const stub = await startStub(errorAnswer(404, "NoSuchKey"));
  const client = clientFor(stub.endpoint);
  const before = client.middlewareStack.identify();
  await storeOver(client).read("a", OPTIONS);
  expect(client.middlewareStack.identify()).toEqual(before);
});

it("goes where a 301 points if the user has asked the SDK to follow, and reports the last answer", async () => {
  const stub = await startStub((request, response) => {
    const region = /\/\d{8}\/([a-z0-9-]+)\/s3/.exec(request.headers.authorization ?? "")?.[1];
    if (region === "eu-west-1") return void response.writeHead(200, { etag: '"x"' }).end("{}");
    return errorAnswer(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" })(request, response);
  });
  const following = storeOver(clientFor(stub.endpoint, { followRegionRedirects: true }));
  expect(await following.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "{}" });
  expect(stub.seen).toHaveLength(2);
  const staying = storeOver(clientFor(stub.endpoint));
  expect(await staying.read("a", OPTIONS)).toMatchObject({
    kind: "refused",
    error: { code: "invalid-argument", message: expect.stringContaining('"eu-west-1"') },
  });
});

it("S6: what no caller waits for any more does not leave when the credentials come", async () => {
  const stub = await startStub(errorAnswer(500, "InternalError"));
  let come: () => void = () => {};
  const credentials = () => new Promise<typeof CREDENTIALS>((resolve) => (come = () => resolve(CREDENTIALS)));
  const store = storeOver(clientFor(stub.endpoint, { credentials }));
  const writing = store.write("a", "{}", IF_ABSENT, { ...OPTIONS, giveUpAtMs: performance.now() + 100 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  come();
  expect(await writing).toMatchObject({ kind: "unknown", sent: false });
  expect(stub.seen).toEqual([]);
});
