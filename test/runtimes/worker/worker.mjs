// A Worker that runs what it is asked for by the path: GET /<what>?store=fetch|r2. test/runtimes/workerd.ts asks, in workerd.
// biome-ignore lint/correctness/noUndeclaredDependencies: npm run runtimes installs it
import { AwsV4Signer } from "aws4fetch";
import { fetchStore } from "s3-mutex/fetch";
import { S3Mutex, S3MutexError } from "s3-mutex/port";
import { r2Store } from "s3-mutex/r2";
import { conformanceChecks } from "s3-mutex/testing";

const GROUPS = ["store", "races", "locks", "1.x"];
const COMPUTATION = 100_000_000;

const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** A store for this request alone: what one request waits for, another one cannot be told. */
function storeFor({ url, env }) {
  if (url.searchParams.get("store") === "r2") return r2Store({ bucket: env.LOCKS, bucketName: "locks" });
  const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
  return fetchStore({ endpoint: env.ENDPOINT, bucketName: "locks", credentials, signer: AwsV4Signer });
}

const mutexFor = (request, options) => new S3Mutex({ store: storeFor(request), ...options });

function checksFor(request) {
  return conformanceChecks({ openStore: () => storeFor(request), groups: GROUPS, racers: 6, rounds: 3 });
}

/** What users must not do: a mutex that several requests use. */
let shared;

const ROUTES = {
  /** The names of the checks, in their order. */
  checks: (request) => checksFor(request).map(({ group, name }) => `${group}: ${name}`),

  /** Runs one of them. */
  async check(request) {
    const check = checksFor(request)[Number(request.url.searchParams.get("n"))];
    const reason = await check.run().then(
      () => undefined,
      (error) => String(error?.message ?? error),
    );
    return { reason };
  },

  /** One of many requests that count together: none may be lost. */
  async count(request) {
    const store = storeFor(request);
    const mutex = new S3Mutex({ store });
    const key = "counters/one";
    const options = { timeoutMs: 5000 };
    const token = await mutex.withLock(
      "counter",
      async ({ fencingToken }) => {
        const found = await store.read(key, options);
        const next = String(Number(found.body ?? 0) + 1);
        // Without a condition on what was read: the lock alone keeps others out.
        for (;;) {
          const now = await store.read(key, options);
          const condition = now.kind === "ok" ? { kind: "if-match", etag: now.etag } : { kind: "if-absent" };
          if ((await store.write(key, next, condition, options)).kind === "ok") return fencingToken;
        }
      },
      { timeoutMs: 60_000 },
    );
    await mutex.close();
    return { token, total: Number((await store.read(key, options)).body) };
  },

  async counted(request) {
    return { total: Number((await storeFor(request).read("counters/one", { timeoutMs: 5000 })).body) };
  },

  /** One write of a race of many requests, all of which begin at the same moment. */
  async put(request) {
    const { searchParams } = request.url;
    const etag = searchParams.get("etag");
    const condition = etag === null ? { kind: "if-absent" } : { kind: "if-match", etag };
    await sleep(Number(searchParams.get("at")) - Date.now());
    return await storeFor(request).write(searchParams.get("key"), crypto.randomUUID(), condition, { timeoutMs: 5000 });
  },

  /** Takes a lock and answers while it is held; `wait`: for so long it works on after that, by `ctx.waitUntil`. */
  async hold(request) {
    const { searchParams } = request.url;
    const mutex = mutexFor(request, { lockTimeoutMs: 1500, clockSkewToleranceMs: 100 });
    const lock = await mutex.acquire(searchParams.get("name"));
    const waitMs = Number(searchParams.get("wait") ?? 0);
    if (waitMs > 0) request.ctx.waitUntil(sleep(waitMs).then(() => mutex.close({ handles: "release" })));
    return { token: lock.fencingToken };
  },

  /** Whether a lock was had within the time, and how long that took. */
  async take(request) {
    const { searchParams } = request.url;
    const mutex = mutexFor(request, { lockTimeoutMs: 1500, clockSkewToleranceMs: 100 });
    const startedAtMs = Date.now();
    try {
      const lock = await mutex.acquire(searchParams.get("name"), { timeoutMs: Number(searchParams.get("within")) });
      return { token: lock.fencingToken, waitedMs: Date.now() - startedAtMs };
    } catch (error) {
      if (S3MutexError.is(error, "timed-out")) return { waitedMs: Date.now() - startedAtMs };
      throw error;
    } finally {
      await mutex.close({ handles: "release" });
    }
  },

  /** Uses a mutex that another request has made. */
  async shared(request) {
    shared ??= mutexFor(request);
    const use = shared.withLock("shared", () => "had it", { timeoutMs: 5000 });
    return { said: await use.catch((error) => String(error?.message ?? error)) };
  },

  /** How far the clocks move during a computation, and with the next answer. */
  async clocks() {
    const read = () => [performance.now(), Date.now()];
    const before = read();
    let sum = 0;
    for (let n = 0; n < COMPUTATION; n += 1) sum += n;
    const computed = read();
    await sleep(1);
    const after = read();
    const moved = (from, to) => to.map((atMs, n) => Math.round(atMs - from[n]));
    const isWallClock = Math.abs(before[0] - before[1]) < 1000;
    return { sum, duringMs: moved(before, computed), withNextAnswerMs: moved(computed, after), isWallClock };
  },
};

// biome-ignore lint/style/noDefaultExport: how a Worker says what it is
export default {
  async fetch(incoming, env, ctx) {
    const url = new URL(incoming.url);
    try {
      return Response.json((await ROUTES[url.pathname.slice(1)]({ url, env, ctx })) ?? null);
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) });
    }
  },
};
