import { describe, expect } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { errorOf, it, type World } from "./fixture.js";
import { LOCK, METHODS } from "./methods.js";

/** What a store that is there, or a proxy before it, answers to every request. */
const ANSWERS = [
  [{ fault: "status", status: 507, code: "XMinioStorageFull" }, /507 XMinioStorageFull/],
  [{ fault: "page", status: 403 }, /403 with .*This is not an answer of S3/],
] as const;

const SAYS_SILENT = /not answer(?!ed)|could not be reached|unreachable|no answer within/;

const CALLS: ReadonlyArray<readonly [string, (mutex: S3Mutex) => Promise<unknown>]> = [
  ...METHODS.filter(([name]) => name !== "acquireLock" && name !== "acquire"),
  ["acquire", (mutex) => mutex.acquire(LOCK, { timeoutMs: 300 })],
  ["acquireAll", (mutex) => mutex.acquireAll([LOCK, "another"], { timeoutMs: 300 })],
  ["runOnce", (mutex) => mutex.runOnce(LOCK, () => "ran", { timeoutMs: 300 })],
  ["forget", (mutex) => mutex.forget(LOCK, { timeoutMs: 300 })],
  ["list", (mutex) => mutex.list()[Symbol.asyncIterator]().next()],
  ["a semaphore", (mutex) => mutex.semaphore(LOCK, { permits: 3 }).tryAcquire()],
  ["a large semaphore", (mutex) => mutex.semaphore(LOCK, { permits: 300 }).tryAcquire()],
  [
    "a large semaphore that is waited for",
    (mutex) => mutex.semaphore(LOCK, { permits: 300 }).acquire({ timeoutMs: 300 }),
  ],
  ["resize", (mutex) => mutex.semaphore(LOCK, { permits: 3 }).resize(5)],
];

const short = (world: World) => world.mutex({ lockTimeoutMs: 3000, maxRetries: 0 });

describe.concurrent.each(ANSWERS)("a store that answers %j to everything is not called silent by", (rule, words) => {
  it.for(CALLS)("%s", async ([, call], { world }) => {
    world.server.faults.add(rule);
    const { code, message } = await errorOf(call(short(world)));
    expect(code).toBe("store-unavailable");
    expect(message).toMatch(words);
    expect(message).not.toMatch(SAYS_SILENT);
  });

  it("a release, and writes to a fenced object", async ({ world }) => {
    const lock = await short(world).acquire(LOCK);
    const object = lock.fencedObject({ key: "fenced" });
    world.server.faults.add(rule);
    const errors = await Promise.all([object.write("1"), object.read(), lock.release()].map(errorOf));
    for (const { message } of errors) {
      expect(message).toMatch(words);
      expect(message).not.toMatch(SAYS_SILENT);
    }
    world.leaves(LOCK);
  });

  it("a warning of a call that waits on", async ({ world }) => {
    const said: string[] = [];
    const logger = { warn: (message: string) => void said.push(message) };
    world.server.faults.add(rule);
    await errorOf(world.mutex({ logger }).acquire(LOCK, { timeoutMs: 4_500 }));
    const [warning = ""] = said.filter((message) => message.includes("resource"));
    expect(warning).toMatch(words);
    expect(said.join("\n")).not.toMatch(SAYS_SILENT);
  });
});

it("a store that closes each connection is said not to answer", async ({ world }) => {
  world.server.faults.add({ fault: "drop-before" });
  const { message } = await errorOf(short(world).inspect(LOCK));
  expect(message).toMatch(/^The store did not answer for the lock "resource": /);
});

it("F4: an answer that breaks off does not count: it is not quoted as what was answered", async ({ world }) => {
  const mutex = world.mutex({ lockTimeoutMs: 3000 });
  await mutex.withLock(LOCK, () => {});
  world.server.faults.add({ fault: "truncate-body" });
  const { code, message } = await errorOf(world.mutex().acquire(LOCK, { timeoutMs: 500 }));
  expect(code).toBe("store-unavailable");
  expect(message).toMatch(
    /^The store did not answer for the lock "resource": .*: the answer broke off after its 200: \w+/,
  );
  world.server.faults.clear();
});
