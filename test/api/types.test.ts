import { expect, expectTypeOf } from "vitest";
import { type AsJson, type DeadlockEdge, S3MutexError } from "../../src/index.js";
import { BUCKET, errorOf, it } from "./fixture.js";

it("a deadlock has its cycle", () => {
  const error: unknown = new S3MutexError("deadlock", "a ring", { cycle: [] });
  if (!S3MutexError.is(error, "deadlock")) throw error;
  expectTypeOf(error.cycle).toEqualTypeOf<readonly DeadlockEdge[]>();
  expectTypeOf(error.code).toEqualTypeOf<"deadlock">();
  expect(error.cycle).toEqual([]);
});

it("runOnce gives what JSON gives back", async ({ world }) => {
  const at = new Date(0);
  const { result } = await world.mutex().runOnce("k", () => ({ at, rows: [1], none: undefined }));
  expectTypeOf(result.at).toEqualTypeOf<string>();
  expectTypeOf(result.rows).toEqualTypeOf<number[]>();
  expectTypeOf<AsJson<unknown>>().toEqualTypeOf<unknown>();
  expectTypeOf<AsJson<void>>().toEqualTypeOf<void>();
  expectTypeOf<AsJson<[Date, number | null]>>().toEqualTypeOf<[string, number | null]>();
  expect(result.at).toBe("1970-01-01T00:00:00.000Z");
  world.server.deleteObject(BUCKET, "once/locks/k.json");
});

it("values that mean nothing by their type are told as what they are", async ({ world }) => {
  const mutex = world.mutex();
  expect((await errorOf(mutex.acquireAll([]))).message).toMatch(/^lockNames is an empty array: /);
  const { message } = await errorOf(mutex.runOnce("k", () => 10n));
  expect(message).toMatch(/will run again: the result is 10n: JSON cannot hold it/);
  for (const { key } of world.server.objects(BUCKET)) {
    if (!key.startsWith("locks/")) world.server.deleteObject(BUCKET, key);
  }
});
