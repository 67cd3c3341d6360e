import { describe, expect, test } from "vitest";
import { verifyStore } from "../../src/index.js";
import type { StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, examined } from "./examine.js";

const SECONDS = 60_000;

test("a correct store passes, whatever is examined, and nothing is left on it", { timeout: SECONDS }, async () => {
  const told: string[] = [];
  const { server, report } = await examined({}, (started) => void started.putObject(BUCKET, "locks/mine.json", "{}"), {
    onCheck: ({ id }) => told.push(id),
  });
  expect(report.checks.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  expect(report).toMatchObject({ verdict: "pass", bucketName: BUCKET, keyPrefix: "locks/" });
  expect(report.checks.length).toBe(29);
  expect(told.toSorted()).toEqual(report.checks.map(({ id }) => id).toSorted());
  expect(server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/mine.json"]);
  expect(report.requests).toBe(server.requests.total);
});

/** What each misbehaviour must come to; other checks may be affected as well. */
const MISBEHAVIOURS: readonly [quirks: StoreQuirks, verdict: "warn" | "fail", checks: Record<string, string>][] = [
  [{ ignoreIfNoneMatch: true }, "fail", { "create-twice": "fail", "create-race": "fail" }],
  [{ ignoreIfMatch: true }, "fail", { "stale-if-match": "fail", "replace-race": "fail", "lost-updates": "fail" }],
  [
    { ignoreIfMatch: true, ignoreIfNoneMatch: true },
    "fail",
    { "create-twice": "fail", "stale-if-match": "fail", "create-race": "fail", "replace-race": "fail" },
  ],
  [{ conditionalPutUnsupported: true }, "fail", { "etag-form": "fail", "create-twice": "fail" }],
  [{ checkThenWriteRace: true }, "fail", { "create-race": "fail", "replace-race": "fail", "delete-race": "fail" }],
  [{ losersGet500: true }, "warn", { "create-race": "warn", "replace-race": "warn" }],
  [{ etagForm: "unquoted-only" }, "warn", { "etag-form": "warn" }],
  [{ missingKeyIfMatchStatus: 200 }, "fail", { "missing-if-match": "fail" }],
  [{ deleteIgnoresIfMatch: true }, "warn", { "stale-delete": "warn", "delete-race": "skipped" }],
  [{ deleteIfMatchUnsupported: true }, "warn", { "stale-delete": "warn", "delete-race": "skipped" }],
  [{ readIgnoresIfNoneMatch: true }, "warn", { "not-modified": "warn" }],
  [{ noDate: true }, "warn", { date: "warn", "clock-offset": "skipped" }],
  [{ staleReadMs: 60 }, "fail", { "read-after-write": "fail" }],
  [{ staleReadMs: 60_000 }, "fail", { "read-after-write": "fail", "not-modified": "fail" }],
  [{ staleListMs: 60_000 }, "warn", { "list-after-write": "warn" }],
  [{ deny: ["GetObject"] }, "fail", { "get-permission": "fail" }],
  [{ deny: ["PutObject"] }, "fail", { "put-permission": "fail" }],
  [{ deny: ["ListObjectsV2"] }, "warn", { "list-permission": "warn", "list-pages": "skipped" }],
  [{ deny: ["DeleteObject"] }, "warn", { "delete-permission": "warn", "clean-up": "warn" }],
  [
    { deny: ["GetBucketVersioning", "GetBucketLifecycleConfiguration"] },
    "warn",
    { versioning: "warn", lifecycle: "warn" },
  ],
];

describe("a store that misbehaves", () => {
  test.each(MISBEHAVIOURS)("%j: %s", { timeout: SECONDS }, async (quirks, verdict, checks) => {
    const { report, verdicts } = await examined({ quirks });
    expect(verdicts).toMatchObject(checks);
    expect(report.verdict).toBe(verdict);
    for (const check of report.checks) {
      if (check.verdict === "warn" || check.verdict === "fail") expect(check.remedy, check.id).toMatch(/\.$/);
    }
  });

  test.each([{ etagForm: "quoted-only" }, { missingKeyIfMatchStatus: 412 }] as const)(
    "%j is as good as AWS",
    { timeout: SECONDS },
    async (quirks) => expect((await examined({ quirks })).verdicts).toEqual({}),
  );

  test("a key that takes one write a second: a warning with the number", { timeout: SECONDS }, async () => {
    const { report, verdicts } = await examined({ quirks: { writesPerSecondPerKey: 1 } });
    expect(report.verdict).toBe("warn");
    expect(verdicts["write-ceiling"]).toBe("warn");
    expect(report.checks.find(({ id }) => id === "write-ceiling")?.measured?.["writesPerS"]).toBeLessThan(1.5);
  });
});

test("permissions that are missing are named as in a policy", { timeout: SECONDS }, async () => {
  const { report } = await examined({ quirks: { deny: ["PutObject", "GetObject", "ListObjectsV2", "DeleteObject"] } });
  const remedies = report.checks.flatMap(({ id, remedy = "" }) => (id.endsWith("-permission") ? [remedy] : []));
  expect(remedies).toEqual([
    "Allow s3:PutObject on arn:aws:s3:::my-bucket/locks/*.",
    "Allow s3:GetObject on arn:aws:s3:::my-bucket/locks/*.",
    "Allow s3:ListBucket on arn:aws:s3:::my-bucket, without a condition on the prefix.",
    "Allow s3:DeleteObject on arn:aws:s3:::my-bucket/locks/*.",
  ]);
});

describe("what is no verdict", () => {
  test("a bucket that is not there, a store that does not answer, arguments that cannot be right", async () => {
    await expect(examined({}, () => {}, { bucketName: "other-bucket" })).rejects.toMatchObject({
      code: "no-such-bucket",
    });
    const s3ClientConfig = { endpoint: "http://127.0.0.1:1", region: "us-east-1", forcePathStyle: true };
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    await expect(
      verifyStore({ s3ClientConfig: { ...s3ClientConfig, credentials }, bucketName: BUCKET }),
    ).rejects.toMatchObject({ code: "store-unavailable" });
    await expect(verifyStore({ bucketName: BUCKET })).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(examined({}, () => {}, { rounds: -1 })).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("stopping it: what was written is removed all the same", async () => {
    const stop = new AbortController();
    let objects: () => unknown[] = () => [];
    const examining = examined({ latencyMs: 5 }, (server) => (objects = () => server.objects(BUCKET)), {
      signal: stop.signal,
      onCheck: ({ id }) => id === "etag-form" && stop.abort(),
    });
    await expect(examining).rejects.toMatchObject({ code: "aborted" });
    expect(objects()).toEqual([]);
  });
});
