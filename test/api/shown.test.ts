import { inspect } from "node:util";
import { expect } from "vitest";
import { it } from "./fixture.js";

it("D: console.log(lock) shows its name, token, whether it is held, and until when", async ({ world }) => {
  const mutex = world.mutex({ ownerId: "me" });
  const lock = await mutex.acquire("nightly");
  const { fencingToken, expiresAt } = lock;
  const shown = `Lock { name: 'nightly', mode: 'exclusive', fencingToken: ${fencingToken}, held: true, expiresAt: ${expiresAt} }`;
  expect(inspect(lock, { breakLength: 200 })).toBe(shown);
  await lock.release();
  expect(inspect(lock)).toContain("held: false");
  expect(inspect(mutex, { breakLength: 200 })).toBe(
    "S3Mutex { bucketName: 'locks-bucket', keyPrefix: 'locks/', ownerId: 'me' }",
  );
  const set = await mutex.acquireAll(["a", "b"]);
  expect(inspect(set)).toContain("name: 'b'");
  await set.release();
  expect(inspect(mutex.semaphore("pool", { permits: 3 }))).toBe("Semaphore { name: 'pool', permits: 3 }");
  expect(inspect(mutex.election("scheduler"))).toBe("Election { name: 'scheduler' }");
});

it("D: a structured clone, as into a worker, is refused with words", async ({ world }) => {
  const mutex = world.mutex();
  const lock = await mutex.acquire("x");
  const set = await mutex.acquireAll(["a", "b"]);
  expect(() => structuredClone(lock)).toThrow(
    /a lock, which stays in its thread: send the text of lock\.serialize\(\)/,
  );
  expect(() => structuredClone({ inside: { of: set } })).toThrow(/a lock, which stays in its thread/);
  expect(() => structuredClone(mutex)).toThrow(/a mutex, which stays in its thread: make one there/);
  mutex.on("lost", () => {});
  expect(() => structuredClone(mutex)).toThrow(/a mutex, which stays in its thread: make one there/);
  const object = await lock.fencedObject({ key: "report" });
  expect(() => structuredClone(object)).toThrow(/a fenced object, which stays in its thread: open it there/);
  expect(() => structuredClone(mutex.semaphore("s", { permits: 1 }))).toThrow(/a semaphore, which stays/);
  expect(() => structuredClone(mutex.election("e"))).toThrow(/an election, which stays/);
  expect(JSON.stringify(lock)).toBe("{}");
  await Promise.all([lock.release(), set.release()]);
});
