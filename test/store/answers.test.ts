import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { type Arrived, startGate } from "./gate.js";
import { type Answer, clientFor, errorAnswer, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

/** What is not a store's and comes in its place: the head and the body of it. */
const PAGES: Readonly<Record<string, readonly [number, string, string, Record<string, string>?]>> = {
  "an ingress that knows no such route": [404, "text/plain; charset=utf-8", "404 page not found\n"],
  "a web server's 404": [404, "text/html", "<html><head><title>404 Not Found</title></head><body></body></html>"],
  "a page that is not XML": [404, "text/html", "<!DOCTYPE html><br>no {"],
  "a 404 without a body": [404, "", ""],
  "a gateway's JSON": [404, "application/json", '{"Code":"NoSuchKey","message":"no Route matched"}'],
  "XML of something else": [404, "application/xml", "<Fault><Code>NoSuchKey</Code></Fault>"],
  "a proxy's 403": [403, "text/html", "<html><body><h1>Forbidden</h1></body></html>"],
  "a firewall's 403": [403, "text/plain", "Request blocked"],
  "a proxy that wants a login": [407, "text/html", "<html><body>Login</body></html>"],
  "a 401 of a gateway": [401, "application/json", '{"error":"unauthorized"}'],
  "a web server that takes no PUT": [405, "text/html", "<html><body>405</body></html>"],
  "a block for legal reasons": [451, "text/html", "<html><body>Blocked</body></html>"],
  "a 400 of a load balancer": [400, "text/html", "<html><body>400 Bad Request</body></html>"],
  "a 501 of a simple server": [501, "text/html", "<html><body>Unsupported method</body></html>"],
  "a 412 of a web server": [412, "text/html", "<html><body>412 Precondition Failed</body></html>"],
  "a redirect to a login page": [302, "text/html", "<a href=/login>", { location: "https://login.example/" }],
  "a redirect that keeps the method": [307, "", "", { location: "https://login.example/" }],
  "a portal's page": [200, "text/html", "<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"],
  "a portal's page with an ETag": [200, "text/html", "<html><body>Welcome</body></html>", { etag: '"5f1a-2b"' }],
  "an empty 200": [200, "", ""],
};

const page =
  ([status, type, body, headers = {}]: (typeof PAGES)[string]): Answer =>
  (_, response) => {
    response.writeHead(status, { ...(type === "" ? {} : { "content-type": type }), ...headers });
    response.end(body);
  };

describe.each(Object.entries(PAGES))("S3: %s is not the store's answer", (_, what) => {
  it.each(["read", "create", "replace", "list"] as const)("to a %s", async (request) => {
    const stub = await startStub(page(what));
    const store = storeOver(clientFor(stub.endpoint));
    const outcome = await {
      read: () => store.read("a", OPTIONS),
      create: () => store.write("a", "{}", IF_ABSENT, OPTIONS),
      replace: () => store.write("a", "{}", ifMatch('"x"'), OPTIONS),
      list: () => store.list("", OPTIONS),
    }[request]();
    expect(outcome).toMatchObject({ kind: "unknown", sent: true, error: { code: "store-unavailable" } });
  });

  it("to a delete, of a store that was seen to delete under a condition", async () => {
    const objects = new Map<string, number>();
    const stub = await startStub((request, response) =>
      (request.url?.split("?")[0]?.endsWith("/a") ? page(what) : deleting(objects))(request, response),
    );
    const outcome = await storeOver(clientFor(stub.endpoint)).remove("a", '"1"', OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", error: { code: "store-unavailable" } });
  });
});

/** Makes a store of version numbers that does what conditions say. */
function deleting(objects: Map<string, number>): Answer {
  return (request, response) => {
    const key = request.url?.split("?")[0] ?? "";
    const version = objects.get(key);
    const etag = (of: number | undefined) => `"${of}"`;
    const wanted = request.headers["if-match"];
    if (version === undefined && request.method !== "PUT") return errorAnswer(404, "NoSuchKey")(request, response);
    if (wanted !== undefined && wanted !== etag(version)) {
      return errorAnswer(412, "PreconditionFailed")(request, response);
    }
    if (request.method === "DELETE") {
      objects.delete(key);
      return void response.writeHead(204).end();
    }
    if (request.method === "PUT") objects.set(key, (version ?? 0) + 1);
    return void response.writeHead(200, { etag: etag(objects.get(key)) }).end(request.method === "PUT" ? "" : "{}");
  };
}

describe("S3: a 404 without NoSuchKey", () => {
  /** Makes a store whose own 404 is `missing`, until `isBroken`. */
  async function storeWithBare404(missing: Answer, isBroken: (request: IncomingMessage) => boolean = () => false) {
    const objects = new Map<string, string>();
    const stub = await startStub((request, response, body = "") => {
      const key = request.url?.split("?")[0] ?? "";
      if (isBroken(request)) return page([404, "text/plain", "404 page not found"])(request, response);
      if (request.method === "DELETE") {
        objects.delete(key);
        return void response.writeHead(204).end();
      }
      if (request.method === "PUT") objects.set(key, body);
      const found = objects.get(key);
      if (found === undefined) return missing(request, response);
      return void response.writeHead(200, { etag: '"1"' }).end(request.method === "GET" ? found : "");
    });
    return { store: storeOver(clientFor(stub.endpoint)), stub };
  }

  const empty: Answer = (_, response) => void response.writeHead(404).end();
  const json: Answer = (request, response) =>
    void response
      .writeHead(404, { "content-type": "application/json" })
      .end(JSON.stringify({ detail: "not found", path: request.url, at: Date.now() }));
  const otherCode = errorAnswer(404, "NoSuchObject");

  it.each([
    ["no body", empty],
    ["JSON that names the key and the time", json],
    ["another code", otherCode],
  ])("is absence where the store itself was seen to answer so: %s", async (_, missing) => {
    const { store, stub } = await storeWithBare404(missing);
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    const learnt = stub.seen.length;
    expect(await store.read("b", OPTIONS)).toMatchObject({ kind: "absent" });
    expect(stub.seen).toHaveLength(learnt + 1);
    expect(stub.seen.filter((request) => request.startsWith("DELETE"))).toHaveLength(1);
  });

  it("is learnt from an answer of the store alone: that of an ingress before it stays none", async () => {
    let isDown = false;
    const { store } = await storeWithBare404(empty, () => isDown);
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    isDown = true;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown" });
  });

  it("costs nothing where the store has said NoSuchKey, and teaches nothing", async () => {
    let isDown = false;
    const stub = await startStub((request, response) =>
      (isDown ? page([404, "", ""]) : errorAnswer(404, "NoSuchKey"))(request, response),
    );
    const store = storeOver(clientFor(stub.endpoint));
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    expect(stub.seen).toHaveLength(1);
    isDown = true;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown" });
    expect(stub.seen).toHaveLength(2);
  });

  it.each([1, 2, 3, 4, 5, 6])("is not learnt from an ingress that comes in at request %i of the probe", async (n) => {
    let count = 0;
    const { store } = await storeWithBare404(errorAnswer(404, "NoSuchKey"), () => {
      count += 1;
      return count === 1 || count > n;
    });
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown" });
  });
});

describe("a 304", () => {
  it("that shows the ETag of another version is not believed: the object is read", async () => {
    const stub = await startStub((request, response) => {
      const isAsked = request.headers["if-none-match"] !== undefined;
      response.writeHead(isAsked ? 304 : 200, { etag: '"new"' }).end(isAsked ? "" : "{}");
    });
    const outcome = await storeOver(clientFor(stub.endpoint)).read("a", { ...OPTIONS, ifNoneMatch: '"old"' });
    expect(outcome).toMatchObject({ kind: "ok", etag: '"new"' });
  });

  it("that was not asked for is not an answer", async () => {
    const stub = await startStub((_, response) => void response.writeHead(304, { etag: '"x"' }).end());
    const store = storeOver(clientFor(stub.endpoint));
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown", error: { code: "store-unavailable" } });
    expect(await store.write("a", "{}", ifMatch('"x"'), OPTIONS)).toMatchObject({ kind: "unknown" });
  });

  it("to a creation, as of a proxy that takes If-None-Match for a question of reads, refuses it as 412 does", async () => {
    const isCreation = ({ method, headers }: Arrived) => method === "PUT" && headers["if-none-match"] !== undefined;
    const status = (request: Arrived, by: number) => (isCreation(request) && by === 412 ? 304 : by);
    const { endpoint, server } = await startGate(() => undefined, {}, { status });
    const mutex = () => new S3Mutex({ s3Client: clientFor(endpoint), bucketName: "locks", verify: "auto" });
    const all = Array.from({ length: 4 }, mutex);
    const ends = await Promise.all(all.map((one) => one.acquire("job", { timeoutMs: 2000 }).catch((error) => error)));
    const granted = ends.filter((end) => !(end instanceof Error));
    expect(granted).toHaveLength(1);
    for (const end of ends) if (end instanceof Error) expect(end).toMatchObject({ code: "timed-out" });
    await granted[0].release();
    await (await mutex().acquire("another", { timeoutMs: 2000 })).release();
    await server.settled();
  });
});

const GATEWAY = '{"error":"login required"}';

describe("S3: a gateway that answers everything with 200 and an ETag", () => {
  const GATEWAYS: Readonly<Record<string, readonly [string, string, string]>> = {
    "JSON with an ETag of its own": ["application/json", GATEWAY, '"abc"'],
    "a word": ["text/plain", "OK", '"2-nOO9"'],
    "a page that does not begin as one": ["text/html", "<div>Please log in</div>", '"5f1a-2b"'],
    "an empty body, with the ETag of another": ["", "", '"d41d8cd98f00b204e9800998ecf8427e"'],
  };

  it.each(Object.entries(GATEWAYS))(
    "%s renews no lock: no client believes in what another is granted",
    async (_, of) => {
      const [type, body, etag] = of;
      let isAway = false;
      await using server = await startS3Server({ buckets: ["locks"] });
      const stub = await startStub((request, response, sent) => {
        if (isAway) return void response.writeHead(200, { ...(type && { "content-type": type }), etag }).end(body);
        void forward(server.endpoint, request, response, sent);
      });
      const mutex = new S3Mutex({ s3Client: clientFor(stub.endpoint), bucketName: "locks", verify: "never" });
      const lock = await mutex.acquire("job", { leaseMs: 1_500 });
      isAway = true;
      const next = new S3Mutex({ s3Client: clientFor(server.endpoint), bucketName: "locks", verify: "never" });
      const taken = await next.acquire("job", { leaseMs: 1_500, timeoutMs: 10_000 });
      expect(lock.held).toBe(false);
      expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "store-unavailable" });
      expect(taken.held).toBe(true);
      await taken.release();
    },
  );

  it("has taken no write, and what it says of a lock is not a reason to delete it", async () => {
    const stub = await startStub((_, response) => {
      response.writeHead(200, { "content-type": "application/json", etag: '"abc"' }).end(GATEWAY);
    });
    const store = storeOver(clientFor(stub.endpoint));
    for (const condition of [IF_ABSENT, ifMatch('"abc"')]) {
      expect(await store.write("a", "{}", condition, OPTIONS)).toMatchObject({
        kind: "unknown",
        error: { code: "store-unavailable", message: expect.stringContaining("login required") },
      });
    }
    const mutex = new S3Mutex({ s3Client: clientFor(stub.endpoint), bucketName: "locks", verify: "never" });
    const error = await mutex.tryAcquire("job").catch((reason) => reason);
    expect(error.message).toContain("sent by something else than the store");
    expect(error.message).not.toContain("deleteLock");
  });
});

it("an answer without an ETag that is not the store's says nothing about the store", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  let isAway = true;
  const stub = await startStub((request, response, sent) => {
    if (!isAway) return void forward(server.endpoint, request, response, sent);
    response.writeHead(200, { "content-type": "application/json" }).end('{"login":"required"}');
  });
  const mutex = new S3Mutex({ s3Client: clientFor(stub.endpoint), bucketName: "locks", verify: "never" });
  expect(await mutex.tryAcquire("job").catch((reason) => reason)).toMatchObject({ code: "store-unavailable" });
  const waiting = mutex.acquire("job", { timeoutMs: 20_000 });
  setTimeout(() => {
    isAway = false;
  }, 300);
  expect(await (await waiting).release()).toBe(true);
});

it("a store whose ETags are not hashes any more is believed again once it shows what was written", async () => {
  let hashes = true;
  let stored = "";
  let version = 0;
  const stub = await startStub((request, response, body = "") => {
    if (request.method === "PUT") stored = body;
    if (request.method === "PUT") version += 1;
    const etag = hashes ? createHash("md5").update(stored).digest("hex") : `v${version}`;
    response.writeHead(200, { etag: `"${etag}"`, "x-amz-request-id": "1" }).end(request.method === "GET" ? stored : "");
  });
  const store = storeOver(clientFor(stub.endpoint));
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  hashes = false;
  expect(await store.write("a", "2", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "unknown", sent: true });
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "2", etag: '"v2"' });
  expect(await store.write("a", "3", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok", etag: '"v3"' });
});

it.each(["0", "yesterday", "Sun Nov  6 08:49:37 1994", "2026"])("13.1.1: %j is not a `Date`", async (date) => {
  const stub = await startStub((_, response) => void response.writeHead(200, { date, etag: '"x"' }).end("{}"));
  const outcome = await storeOver(clientFor(stub.endpoint)).read("a", OPTIONS);
  expect(outcome).toMatchObject({ kind: "ok" });
  expect("timing" in outcome && outcome.timing?.dateMs).toBeUndefined();
});

it("what S3 says is understood also where a proxy compresses it", async () => {
  const zipped = (response: ServerResponse, status: number, xml: string) =>
    response
      .writeHead(status, { "content-type": "application/xml", "content-encoding": "gzip" })
      .end(gzipSync(`<?xml version="1.0"?>${xml}`));
  const stub = await startStub((request, response) => {
    const isList = request.url?.includes("list-type") === true;
    const listed = "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>";
    if (isList) return void zipped(response, 200, listed);
    zipped(response, 404, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>");
  });
  const store = storeOver(clientFor(stub.endpoint));
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
  expect(await store.list("", OPTIONS)).toMatchObject({ kind: "ok", keys: ["a"] });
});

/** Hands a request on, as a gateway that is open does. */
async function forward(endpoint: string, request: IncomingMessage, response: ServerResponse, body?: string) {
  const { host: _, connection: __, "content-length": ___, ...headers } = request.headers as Record<string, string>;
  const method = request.method ?? "GET";
  const sent = method === "PUT" ? { body: body ?? "" } : {};
  const answer = await fetch(`${endpoint}${request.url}`, { method, headers, redirect: "manual", ...sent });
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
}
