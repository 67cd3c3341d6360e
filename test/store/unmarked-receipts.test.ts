import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { fetchStore } from "../../src/fetch/index.js";
import { S3Mutex } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { errorOf } from "../api/fixture.js";
import { Signer } from "../fetch/signer.js";
import { CREDENTIALS, clientFor, startStub } from "./stub.js";

/** Starts a bucket that has its proof: a process goes by it and writes nothing but its lock. */
async function start() {
  const server = await startS3Server({ buckets: ["locks"] });
  const mutex = (options: { readonly verify?: "auto" | "never" } = {}, endpoint = server.endpoint) =>
    new S3Mutex({ s3Client: clientFor(endpoint), bucketName: "locks", lockTimeoutMs: 4_000, ...options });
  const first = mutex();
  await first.withLock("proof", () => {});
  await first.close();
  /** What a captive portal answers to every write, or so often. */
  const portal = (etag: string, times = 1_000) =>
    server.faults.add({
      fault: "page",
      operation: "PutObject",
      status: 200,
      body: "",
      contentType: "text/plain",
      headers: { etag },
      times,
    });
  return { server, mutex, portal, [Symbol.asyncDispose]: () => server.close() };
}

type Scene = Awaited<ReturnType<typeof start>>;

const ETAGS = ['"portal-1"', '""', '"0123456789abcdef0123456789abcdef"', 'W/"portal"', "portal"];

describe.each(["auto", "never"] as const)("with verify %s, an empty 200 that no store gave", (verify) => {
  it.each(ETAGS)("grants nothing to new processes, with the ETag %s", async (etag) => {
    await using scene = await start();
    const rule = scene.portal(etag);
    const asking = [1, 2].map(() => scene.mutex({ verify }).acquire("job", { timeoutMs: 300 }));
    expect(await Promise.all(asking.map(errorOf))).toMatchObject([
      { code: "store-unavailable" },
      { code: "store-unavailable" },
    ]);
    expect(rule.hits).toBeGreaterThan(1);
  });

  it.each(ETAGS)("and that comes once leaves one inside, with the ETag %s", async (etag) => {
    await using scene = await start();
    const rule = scene.portal(etag, 1);
    const first = await scene.mutex({ verify }).acquire("job", { timeoutMs: 2_000 });
    const second = await scene.mutex({ verify }).tryAcquire("job");
    expect([rule.hits, first.held, second]).toEqual([1, true, null]);
    expect(await first.release()).toBe(true);
  });
});

describe("a new process whose writes a portal answers", () => {
  it.each<[string, (mutex: S3Mutex) => Promise<unknown>]>([
    ["releaseLock", (mutex) => mutex.releaseLock("job", true)],
    ["deleteLock", (mutex) => mutex.deleteLock("job", true)],
  ])("is not told that %s was done by force", async (_, act) => {
    await using scene = await start();
    const lock = await scene.mutex().acquire("job", { leaseMs: 60_000 });
    const rule = scene.portal('"portal-1"');
    expect(await errorOf(act(scene.mutex()))).toMatchObject({ code: "store-unavailable" });
    rule.remove();
    expect(await lock.release()).toBe(true);
  });

  it("is not advised afterwards to delete a lock whose body is damaged", async () => {
    await using scene = await start();
    const rule = scene.portal('"0123456789abcdef0123456789abcdef"', 1);
    const mutex = scene.mutex();
    await mutex.acquire("other", { timeoutMs: 2_000 });
    expect(rule.hits).toBe(1);
    await scene.mutex().acquire("job");
    scene.server.faults.add({ fault: "damage-body", damage: "halve" });
    const { message } = await errorOf(mutex.isLocked("job"));
    expect(message).toContain("damaged on the way");
    expect(message).not.toContain("deleteLock");
  });
});

/** Swaps the digits of hashes: ETags that still look like those and are not, as of what a key service encrypts. */
const disguised = (text: string) => text.replace(/[0-9a-f]{32}/g, (hash) => [...hash].reverse().join(""));

interface WayTraits {
  /** Whether the store's mark comes through. */
  readonly isMarked: boolean;
  readonly areHashes: boolean;
}

/** Starts a way to the store, which answers one write in its place when it is told to. */
async function startWay({ server }: Scene, { isMarked, areHashes }: WayTraits) {
  const way = { isPortal: false };
  const shown = (etag: string) => (areHashes ? etag : disguised(etag));
  const through = async (request: IncomingMessage, response: ServerResponse, body = "") => {
    const { method = "", url } = request;
    if (way.isPortal && method === "PUT") {
      way.isPortal = false;
      return void response.writeHead(200, { etag: `"${"0123456789abcdef".repeat(2)}"` }).end();
    }
    const { host: _, connection: __, "content-length": ___, ...sent } = request.headers as Record<string, string>;
    for (const name of ["if-match", "if-none-match"]) if (sent[name]) sent[name] = shown(sent[name]);
    const init = method === "PUT" ? { body } : {};
    const answer = await fetch(`${server.endpoint}${url}`, { method, headers: sent, redirect: "manual", ...init });
    const headers = Object.fromEntries(answer.headers);
    if (headers["etag"]) headers["etag"] = shown(headers["etag"]);
    if (!isMarked) delete headers["x-amz-request-id"];
    response.writeHead(answer.status, headers).end(await answer.text());
  };
  const stub = await startStub((request, response, body) => void through(request, response, body));
  const asked = (name: string) =>
    stub.seen.filter((one) => one.endsWith(`/${name}.json`)).map((one) => one.split(" ")[0]);
  return { way, endpoint: stub.endpoint, asked };
}

it("where the store marks its answers, one that is not marked is never believed, whatever its ETags are", async () => {
  await using scene = await start();
  const { way, endpoint } = await startWay(scene, { isMarked: true, areHashes: false });
  const [one, other] = [scene.mutex({}, endpoint), scene.mutex({}, endpoint)];
  await one.withLock("job", () => {});
  await other.withLock("job", () => {});
  await one.withLock("job", () => {});
  way.isPortal = true;
  const first = await one.acquire("job", { timeoutMs: 2_000 });
  expect(way.isPortal).toBe(false);
  expect([first.held, await other.tryAcquire("job")]).toEqual([true, null]);
  expect(await first.release()).toBe(true);
});

it("a store over fetch believes no such answer either", async () => {
  await using scene = await start();
  const { endpoint } = scene.server;
  const over = { endpoint, bucketName: "locks", credentials: CREDENTIALS, signer: Signer };
  const [one, other] = [1, 2].map(() => new S3Mutex({ store: fetchStore(over), lockTimeoutMs: 4_000 }));
  const rule = scene.portal('"portal-1"', 1);
  const first = await one?.acquire("job", { timeoutMs: 2_000 });
  expect([rule.hits, first?.held, await other?.tryAcquire("job")]).toEqual([1, true, null]);
  expect(await first?.release()).toBe(true);
});

describe("a store that marks no answers", () => {
  it("is believed by the hashes of what was written: it costs no request more", async () => {
    await using scene = await start();
    const { endpoint, asked } = await startWay(scene, { isMarked: false, areHashes: true });
    await scene.mutex({}, endpoint).withLock("job", () => {});
    expect(asked("job")).toEqual(["GET", "PUT", "PUT"]);
  });

  it.each(["auto", "never"] as const)(
    "and whose ETags are not hashes is asked once by each client for what it wrote, with verify %s",
    async (verify) => {
      await using scene = await start();
      const { endpoint, asked } = await startWay(scene, { isMarked: false, areHashes: false });
      const mutex = scene.mutex({ verify }, endpoint);
      await mutex.withLock("first", () => {});
      await mutex.withLock("second", () => {});
      expect(asked("first")).toEqual(["GET", "PUT", "GET", "PUT"]);
      expect(asked("second")).toEqual(["GET", "PUT", "PUT"]);
    },
  );
});
