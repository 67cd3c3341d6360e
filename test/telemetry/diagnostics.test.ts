import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, expect } from "vitest";
import type { S3MutexDiagnostics } from "../../src/index.js";
import { BUCKET, codeOf, it, until } from "../api/fixture.js";

/** Channels belong to the whole process, so these tests run one after the other. */

type Message = { readonly channel: string; readonly [detail: string]: unknown };
type ChannelName = keyof S3MutexDiagnostics;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

function listenTo(...names: readonly ChannelName[]): Message[] {
  const messages: Message[] = [];
  for (const name of names) {
    const listener = (message: unknown) => messages.push({ channel: name, ...(message as object) });
    subscribe(name, listener);
    endings.push(() => unsubscribe(name, listener));
  }
  return messages;
}

const LIFE = [
  "s3-mutex:acquire:start",
  "s3-mutex:hold:start",
  "s3-mutex:acquired",
  "s3-mutex:acquire:end",
  "s3-mutex:renewed",
  "s3-mutex:released",
  "s3-mutex:lost",
  "s3-mutex:hold:end",
] as const;

it("tells the life of a lock, under one id, with the mutex that it is about", async ({ world }) => {
  const mutex = world.mutex({ ownerId: "me" });
  const messages = listenTo(...LIFE);
  const lock = await mutex.acquire("lock", { priority: 2, leaseMs: 30_000, timeoutMs: 5000 });
  await lock.renew();
  await lock.release();
  expect(messages.map(({ channel }) => channel)).toEqual([
    "s3-mutex:acquire:start",
    "s3-mutex:hold:start",
    "s3-mutex:acquired",
    "s3-mutex:acquire:end",
    "s3-mutex:renewed",
    "s3-mutex:released",
    "s3-mutex:hold:end",
  ]);
  expect(new Set(messages.map(({ acquisitionId }) => acquisitionId)).size).toBe(1);
  expect(messages[0]).toMatchObject({ lockName: "lock", priority: 2, leaseMs: 30_000, timeoutMs: 5000 });
  expect(messages[1]).toMatchObject({ mode: "exclusive", priority: 2, fencingToken: lock.fencingToken });
  expect(messages[3]).toMatchObject({ outcome: "acquired", fencingToken: lock.fencingToken });
  for (const message of messages) {
    expect(message["origin"]).toEqual({ ownerId: "me", bucketName: BUCKET, keyPrefix: "locks/" });
  }
});

it("tells how every wait ended, also one that ended in an error", async ({ world }) => {
  const lock = await world.mutex().acquire("lock");
  const messages = listenTo("s3-mutex:acquire:end");
  const mutex = world.mutex();
  await codeOf(mutex.acquire("lock", { timeoutMs: 0 }));
  await codeOf(mutex.acquire("lock", { signal: AbortSignal.abort() }));
  world.server.faults.add({ fault: "status", status: 403, operation: "GetObject" });
  await codeOf(mutex.acquire("lock"));
  expect(messages.map(({ outcome }) => outcome)).toEqual(["timed-out", "aborted", "access-denied"]);
  expect(messages[2]?.["error"]).toMatchObject({ code: "access-denied" });
  world.server.faults.clear();
  await lock.release();
});

it("tells of losses, and that the hold is over, once", async ({ world }) => {
  const lock = await world.mutex().acquire("lock");
  const messages = listenTo("s3-mutex:lost", "s3-mutex:hold:end");
  await world.mutex().releaseLock("lock", true);
  await lock.renew();
  await lock.release();
  expect(messages).toMatchObject([
    { channel: "s3-mutex:lost", reason: "force-released", fencingToken: lock.fencingToken },
    { channel: "s3-mutex:hold:end", fencingToken: lock.fencingToken },
  ]);
});

it("tells that a hold is over when its release was not answered", async ({ world }) => {
  const lock = await world.mutex().acquire("lock", { leaseMs: 1000 });
  const messages = listenTo("s3-mutex:released", "s3-mutex:lost", "s3-mutex:hold:end");
  world.server.faults.add({ fault: "drop-before" });
  await lock.release().catch(() => {});
  expect(messages.map(({ channel }) => channel)).toEqual(["s3-mutex:hold:end"]);
  world.server.faults.clear();
  await until(async () => !(await world.mutex().isLocked("lock")));
});

it("tells of every request: kind, key, what came of it, how long it took", async ({ world }) => {
  const mutex = world.mutex({ keyPrefix: "told/" });
  const all = listenTo("s3-mutex:request");
  // The channel is the process's, which other tests share.
  const told = () => all.filter(({ key }) => String(key).startsWith("told/"));
  await (await mutex.acquire("lock")).release();
  await mutex.inspect("lock");
  await mutex.inspect("lock");
  for await (const _ of mutex.list()) break;
  const messages = told();
  expect(messages.map(({ operation, key, outcome }) => `${operation} ${key} ${outcome}`)).toEqual([
    "GetObject told/lock.json absent",
    "PutObject told/lock.json ok",
    "PutObject told/lock.json ok",
    "GetObject told/lock.json unchanged",
    "GetObject told/lock.json unchanged",
    "ListObjectsV2 told/ ok",
    "GetObject told/lock.json ok",
  ]);
  for (const { durationMs } of messages) expect(durationMs).toBeGreaterThan(0);
  world.server.faults.add({ fault: "status", status: 503, times: 1 });
  await mutex.inspect("lock");
  expect(told().at(-2)).toMatchObject({ outcome: "unknown", status: 503, error: { code: "store-unavailable" } });
});

it("a listener that throws harms only itself", async ({ world }) => {
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown) => uncaught.push(error);
  // Node reports what a listener throws as an uncaught exception, in a turn of its own.
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", onUncaught);
  const listener = () => {
    throw new Error("bad listener");
  };
  subscribe("s3-mutex:acquired", listener);
  try {
    const lock = await world.mutex().acquire("lock");
    expect(await lock.release()).toBe(true);
    await until(() => uncaught.length > 0);
  } finally {
    unsubscribe("s3-mutex:acquired", listener);
    process.removeListener("uncaughtException", onUncaught);
    for (const known of listeners) process.on("uncaughtException", known);
  }
});
