import type { S3Client } from "@aws-sdk/client-s3";
import { expect, expectTypeOf } from "vitest";
import { reworded } from "../../src/errors.js";
import {
  type AsJson,
  type DeadlockEdge,
  type HolderReport,
  type LockProblem,
  type LockReport,
  type LossReason,
  type S3ClientOption,
  S3Mutex,
  S3MutexError,
  type S3MutexEvents,
  type S3MutexOptions,
  type VerifyStoreOptions,
} from "../../src/index.js";
import { BUCKET, errorOf, it } from "./fixture.js";

it("D: a deadlock has its cycle", () => {
  const error: unknown = new S3MutexError("deadlock", "a ring", { cycle: [] });
  if (!S3MutexError.is(error, "deadlock")) throw error;
  expectTypeOf(error.cycle).toEqualTypeOf<readonly DeadlockEdge[]>();
  expectTypeOf(error.code).toEqualTypeOf<"deadlock">();
  expect(error.cycle).toEqual([]);
});

it("D: what is lost has its reason", () => {
  const error: unknown = new S3MutexError("lost", "gone", { reason: "released" });
  if (!S3MutexError.is(error, "lost")) throw error;
  expectTypeOf(error.reason).toEqualTypeOf<LossReason>();
  expectTypeOf<S3MutexEvents["lost"][0]["reason"]>().toEqualTypeOf<Exclude<LossReason, "released" | "in-doubt">>();
  // @ts-expect-error: a lost lock without a reason.
  expect(() => new S3MutexError("lost", "gone")).not.toThrow();
  // @ts-expect-error: a deadlock without a cycle.
  expect(() => new S3MutexError("deadlock", "a ring", {})).not.toThrow();
  expect(error.reason).toBe("released");
});

it("an error in other words keeps its details", () => {
  const holders = [] as const;
  const first = new S3MutexError("lost", "gone", { lockName: "a", reason: "cloned", result: 1, holders });
  const error = reworded(first, "Gone, and more.", { cause: first, maybeApplied: true });
  expect({ ...error, cause: error.cause, message: error.message }).toEqual({
    ...first,
    cause: first,
    message: "Gone, and more.",
    maybeApplied: true,
  });
  expect(reworded(error, "again", { result: 2 })).toMatchObject({ reason: "cloned", result: 2, maybeApplied: true });
  expect("result" in reworded(new S3MutexError("closed", "closed"), "other words", {})).toBe(false);
  const ring = new S3MutexError("deadlock", "a ring", { cycle: [] });
  expect(reworded(ring, "a ring", {})).toMatchObject({ code: "deadlock", cycle: [] });
});

it("D: the state of a report tells what else it has", async ({ world }) => {
  const mutex = world.mutex();
  await using _lock = await mutex.acquire("a");
  const report = await mutex.inspect("a");
  if (report === null) throw new Error("there is no report");
  expectTypeOf(report.state).toEqualTypeOf<"held" | "expired" | "free" | "unreadable">();
  expectTypeOf(report.problem).toEqualTypeOf<LockProblem | undefined>();
  expectTypeOf(report.holders[0]).toEqualTypeOf<HolderReport | undefined>();
  expectTypeOf(report.holders.map(({ owner }) => owner)).toEqualTypeOf<string[]>();
  if (report.state === "unreadable") {
    expectTypeOf(report.problem).toEqualTypeOf<LockProblem>();
    expectTypeOf(report.writtenAt).toEqualTypeOf<undefined>();
  } else {
    expectTypeOf(report.problem).toEqualTypeOf<undefined>();
    expectTypeOf(report.writtenAt).toEqualTypeOf<number>();
  }
  if (report.problem === undefined) expectTypeOf(report.writtenAt).toEqualTypeOf<number>();
  // @ts-expect-error: a lock that could be read has no problem.
  const odd: LockReport = { ...report, state: "free", writtenAt: 0, problem: { code: "c", message: "m" } };
  expect([report.state, odd.state]).toEqual(["held", "free"]);
});

it("D: a mutex and an examination want exactly one of a client and what to make it from", ({ world }) => {
  const [s3Client, s3ClientConfig, bucketName] = [world.client(), {}, BUCKET];
  const accepted: ReadonlyArray<S3MutexOptions & VerifyStoreOptions> = [
    { bucketName, s3Client },
    { bucketName, s3ClientConfig },
    { bucketName, s3Client, s3ClientConfig: undefined },
    { bucketName, s3Client: undefined, s3ClientConfig },
    { bucketName, s3Client, keyPrefix: undefined },
  ];
  for (const options of accepted) expect(() => new S3Mutex(options)).not.toThrow();
  const either = Math.random() < 2 ? { s3Client } : { s3ClientConfig };
  expect(() => new S3Mutex({ bucketName, ...either })).not.toThrow();
  // @ts-expect-error: neither.
  expect(() => new S3Mutex({ bucketName })).toThrow("pass an S3Client, or s3ClientConfig");
  // @ts-expect-error: neither, in words.
  expect(() => new S3Mutex({ bucketName, s3Client: undefined })).toThrow("pass an S3Client, or s3ClientConfig");
  // @ts-expect-error: both.
  expect(() => new S3Mutex({ bucketName, s3Client, s3ClientConfig })).toThrow("not both");
  // @ts-expect-error: perhaps neither.
  const perhaps: S3MutexOptions = { bucketName, s3Client: s3Client as S3Client | undefined };
  // @ts-expect-error: both, of which the examination takes one too.
  const both: VerifyStoreOptions = { bucketName, s3Client, s3ClientConfig };
  // @ts-expect-error: neither.
  const neither: VerifyStoreOptions = { bucketName };
  expectTypeOf<S3ClientOption["s3Client"]>().toEqualTypeOf<S3Client | undefined>();
  expect([perhaps, both, neither]).toHaveLength(3);
});

it("D: runOnce gives what JSON gives back", async ({ world }) => {
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

it("D: values that mean nothing by their type are told as what they are", async ({ world }) => {
  const mutex = world.mutex();
  expect((await errorOf(mutex.acquireAll([]))).message).toMatch(/^lockNames is an empty array: /);
  const { message } = await errorOf(mutex.runOnce("k", () => 10n));
  expect(message).toMatch(/will run again: the result is 10n: JSON cannot hold it/);
  for (const { key } of world.server.objects(BUCKET)) {
    if (!key.startsWith("locks/")) world.server.deleteObject(BUCKET, key);
  }
});
