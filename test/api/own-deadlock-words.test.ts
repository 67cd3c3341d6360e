import { describe, expect, it } from "vitest";
import type { S3Mutex, S3MutexError } from "../../src/index.js";
import { NAME, Scene } from "../../testkit/scene.js";

/** A call that would wait for the function that it is made in is told what to do, and nothing that it has no option for. */

const ALONE =
  /^Deadlock: this call asks for "x" inside of the function that holds it, and would wait for its end\. What is not part of that function belongs into mutex\.detached\(\)\.$/;

const AROUND = [
  ["withLock", (mutex: S3Mutex, fn: () => Promise<unknown>) => mutex.withLock(NAME, fn)],
  ["withLock, shared", (mutex: S3Mutex, fn: () => Promise<unknown>) => mutex.withLock(NAME, fn, { mode: "shared" })],
  ["runWhenLeader", (mutex: S3Mutex, fn: () => Promise<unknown>) => mutex.election(NAME).runWhenLeader(fn)],
] as const;

const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    ({ code, message }: S3MutexError) => (code === "deadlock" ? message : code),
  );

describe.each(AROUND)("inside of %s", (_, around) => {
  it.each([
    ["campaign", (mutex: S3Mutex) => mutex.election(NAME).campaign()],
    ["runWhenLeader", (mutex: S3Mutex) => mutex.election(NAME).runWhenLeader(() => {})],
  ] as const)("%s is told of mutex.detached() only", async (_call, call) => {
    const scene = new Scene();
    const { mutex } = scene.client();
    expect(await scene.until(around(mutex, () => messageOf(call(mutex))))).toMatch(ALONE);
  });

  it("acquireLock says the same to the logger", async () => {
    const scene = new Scene();
    const said: unknown[] = [];
    const warn = (_message: string, fields?: unknown) => {
      said.push((fields as { readonly err: Error }).err.message);
    };
    const { mutex } = scene.client({ logger: { warn, error: warn } });
    expect(await scene.until(around(mutex, () => mutex.acquireLock(NAME)))).toBe(false);
    expect(said).toEqual([expect.stringMatching(ALONE)]);
  });
});

it("a call that has options to nest is told of them", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const message = await scene.until(mutex.withLock(NAME, () => messageOf(mutex.acquireAll([NAME, "y"]))));
  expect(message).toMatch(/To nest, name the lock, \{ within: lock \}, or pass \{ reentrant: true \}; what/);
});
