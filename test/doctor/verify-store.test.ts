import { describe, test } from "vitest";
import { type StoreCheck, type VerifyStoreBaseOptions, verifyStore } from "../../src/index.js";
import type { FaultRule, S3Server, StoreQuirks } from "../../src/testing/index.js";
import { IN_FULL } from "../scale.js";
import { unheardOf } from "../telemetry/unheard.js";
import { BUCKET, examined } from "./examine.js";

const TIMEOUT = { timeout: 90_000 };

/** What takes long and is seen in part by the other tests. */
const full = test.runIf(IN_FULL);

test("a correct store passes, whatever is examined, and nothing is left on it", TIMEOUT, async (context) => {
  const { expect } = context;
  const told: string[] = [];
  const { server, report } = await examined(
    context,
    {},
    (started) => void started.putObject(BUCKET, "locks/mine.json", "{}"),
    { onCheck: ({ id }) => told.push(id) },
  );
  expect(report.checks.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  expect(report).toMatchObject({ verdict: "pass", bucketName: BUCKET, keyPrefix: "locks/" });
  expect(report.checks.length).toBe(33);
  expect(told.toSorted()).toEqual(report.checks.map(({ id }) => id).toSorted());
  expect(server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/mine.json"]);
  expect(report.requests).toBe(server.requests.total);
});

// By itself: on a machine that is busy with the others, what is new may have become old before it is looked at.
full("conditions that hold only for what was written a moment ago", TIMEOUT, async (context) => {
  const { report, verdicts } = await examined(context, { quirks: { forgetConditionsMs: 1500 } }, () => {}, {
    rounds: 60,
  });
  context.expect(verdicts).toMatchObject({ "older-object": "fail" });
  context.expect(report.verdict).toBe("fail");
});

/** What each misbehaviour must come to; other checks may be affected as well. */
interface Misbehaviour {
  readonly quirks?: StoreQuirks;
  readonly faults?: readonly FaultRule[];
  readonly options?: Partial<VerifyStoreBaseOptions>;
  /** It would hide others: `npm test`, too, has an examination of it alone. */
  readonly isAlone?: true;
  readonly verdict: "warn" | "fail";
  readonly checks: Readonly<Record<string, string>>;
}

const UNSAFE: readonly Misbehaviour[] = [
  { isAlone: true, quirks: { ignoreIfNoneMatch: true }, checks: { "create-twice": "fail", "create-race": "fail" } },
  {
    isAlone: true,
    quirks: { ignoreIfMatch: true },
    checks: { "stale-if-match": "fail", "replace-race": "fail", "lost-updates": "fail" },
  },
  {
    quirks: { ignoreIfMatch: true, ignoreIfNoneMatch: true },
    checks: { "create-twice": "fail", "stale-if-match": "fail", "create-race": "fail", "replace-race": "fail" },
  },
  {
    isAlone: true,
    quirks: { conditionalPutUnsupported: true },
    checks: { "etag-form": "fail", "create-twice": "fail" },
  },
  {
    isAlone: true,
    quirks: { checkThenWriteRace: true },
    checks: { "create-race": "fail", "replace-race": "fail", "delete-race": "fail" },
  },
  { quirks: { checkThenWriteRace: 1 }, checks: { "create-race": "fail", "replace-race": "fail" } },
  { quirks: { ignoreConditionsEvery: 10 }, options: { rounds: 10 }, checks: { "replace-race": "fail" } },
  { quirks: { ignoreIfNoneMatchAfterDelete: true }, checks: { "create-twice": "fail" } },
  { quirks: { missingKeyIfMatchStatus: 200 }, checks: { "missing-if-match": "fail" } },
  { quirks: { loseWritesEvery: 7 }, checks: { "read-after-write": "fail" } },
  { quirks: { doRefusedWrites: true }, checks: { "create-twice": "fail", "stale-if-match": "fail" } },
  { quirks: { loseDeletes: true }, checks: { "stale-delete": "fail", "clean-up": "warn" } },
  { isAlone: true, quirks: { etags: "constant" }, checks: { etags: "fail", "stale-if-match": "fail" } },
  { quirks: { etags: "missing" }, checks: { "etag-form": "fail" } },
  { quirks: { etags: "unsteady" }, checks: { etags: "fail" } },
  { isAlone: true, quirks: { alwaysNotModified: true }, checks: { "not-modified": "fail" } },
  { quirks: { staleReadMs: 60 }, checks: { "read-after-write": "fail" } },
  { quirks: { staleReadMs: 60_000 }, checks: { "read-after-write": "fail", "not-modified": "fail" } },
  {
    isAlone: true,
    faults: [{ fault: "truncate-body", operation: "GetObject", unnoticed: true }],
    checks: { bodies: "fail" },
  },
  { quirks: { dateJumpMs: 3_600_000 }, checks: { date: "fail" } },
  { quirks: { dateEveryMs: 86_400_000 }, options: { rounds: 60 }, checks: { date: "fail" } },
  { quirks: { keys: "case-insensitive" }, checks: { keys: "fail" } },
  { quirks: { listings: "endless" }, checks: { "list-pages": "fail" } },
  { quirks: { deny: ["GetObject"] }, checks: { "get-permission": "fail" } },
  { quirks: { deny: ["PutObject"] }, checks: { "put-permission": "fail" } },
  {
    faults: [{ fault: "latency", latencyMs: 120 }],
    options: { lockTimeoutMs: 600, rounds: 1 },
    checks: { latency: "fail" },
  },
].map((misbehaviour) => ({ verdict: "fail", ...misbehaviour }) as Misbehaviour);

/** As of a proxy that compresses: `verify: "auto"` copes with them (test/store/reshaped-etags.test.ts). */
const reshaping = (operation: "GetObject" | "PutObject", reshape: (etag: string) => string): FaultRule => ({
  fault: "change-headers",
  operation,
  headers: { etag: (etag) => (etag === undefined ? undefined : reshape(etag)) },
});
const weak = (etag: string) => `W/${etag}`;
const gzip = (etag: string) => etag.replace(/"$/, '-gzip"');

const WITH_WARNINGS: readonly Misbehaviour[] = [
  { quirks: { etagForm: "quoted-only" }, faults: [reshaping("GetObject", weak)], checks: { etags: "warn" } },
  { quirks: { etagForm: "quoted-only" }, faults: [reshaping("GetObject", gzip)], checks: { etags: "warn" } },
  {
    quirks: { etagForm: "quoted-only" },
    faults: [reshaping("GetObject", weak), reshaping("PutObject", gzip)],
    checks: { "etag-form": "warn", etags: "warn" },
  },
  { quirks: { losersGet500: true }, checks: { "create-race": "warn", "replace-race": "warn" } },
  { quirks: { etagForm: "unquoted-only" }, checks: { "etag-form": "warn" } },
  { quirks: { etags: "weak" }, checks: { etags: "warn" } },
  { quirks: { deleteIgnoresIfMatch: true }, checks: { "stale-delete": "warn", "delete-race": "skipped" } },
  { quirks: { deleteIfMatchUnsupported: true }, checks: { "stale-delete": "warn", "delete-race": "skipped" } },
  { quirks: { readIgnoresIfNoneMatch: true }, checks: { "not-modified": "warn" } },
  { quirks: { noDate: true }, checks: { date: "warn", "clock-offset": "skipped" } },
  { faults: [{ fault: "omit-date", probability: 0.3 }], checks: { date: "warn" } },
  { faults: [{ fault: "shift-date", shiftMs: -7_200_000 }], checks: { "clock-offset": "warn" } },
  // What fails in a race is counted apart.
  {
    faults: [{ fault: "status", status: 500, operation: "GetObject", times: 2, key: /dated/ }],
    checks: { errors: "warn" },
  },
  {
    faults: [{ fault: "status", status: 501, operation: "ListObjectsV2" }],
    checks: { "list-permission": "skipped", "list-after-write": "warn", "list-pages": "warn" },
  },
  { faults: [{ fault: "status", status: 405, operation: "HeadObject" }], checks: { head: "warn" } },
  { quirks: { staleListMs: 60_000 }, checks: { "list-after-write": "warn" } },
  { quirks: { listings: "first-page-only" }, checks: { "list-pages": "warn" } },
  { quirks: { listings: "any-prefix" }, checks: { "list-pages": "warn" } },
  { quirks: { keys: "merged-slashes" }, checks: { keys: "warn" } },
  { quirks: { keyBytesMax: 255 }, checks: { keys: "warn" } },
  { quirks: { versioning: "Enabled" }, checks: { lifecycle: "warn" } },
  { quirks: { deny: ["ListObjectsV2"] }, checks: { "list-permission": "warn", "list-pages": "skipped" } },
  { quirks: { deny: ["DeleteObject"] }, checks: { "delete-permission": "warn", "clean-up": "warn" } },
  {
    quirks: { deny: ["GetBucketVersioning", "GetBucketLifecycleConfiguration"] },
    checks: { versioning: "warn", lifecycle: "warn" },
  },
].map((misbehaviour) => ({ verdict: "warn", ...misbehaviour }) as Misbehaviour);

/** What hides nothing of each other, in one store: an examination of each by itself takes ten times as long. */
const AT_ONCE: readonly Misbehaviour[] = [
  {
    verdict: "fail",
    quirks: { missingKeyIfMatchStatus: 200, dateJumpMs: 3_600_000, keys: "case-insensitive", listings: "endless" },
    checks: { "missing-if-match": "fail", date: "fail", keys: "fail", "list-pages": "fail" },
  },
  {
    verdict: "fail",
    quirks: {
      loseDeletes: true,
      loseWritesEvery: 7,
      deny: ["ListObjectsV2", "GetBucketVersioning", "GetBucketLifecycleConfiguration"],
    },
    checks: {
      "stale-delete": "fail",
      "read-after-write": "fail",
      "list-permission": "warn",
      "list-pages": "skipped",
      versioning: "warn",
      lifecycle: "warn",
    },
  },
  {
    verdict: "warn",
    quirks: { versioning: "Enabled", deny: ["DeleteObject"], etagForm: "quoted-only" },
    faults: [
      reshaping("GetObject", weak),
      reshaping("PutObject", gzip),
      { fault: "status", status: 501, operation: "ListObjectsV2" },
      { fault: "status", status: 405, operation: "HeadObject" },
      { fault: "status", status: 500, operation: "GetObject", times: 2, key: /dated/ },
      { fault: "shift-date", shiftMs: -7_200_000 },
    ],
    checks: {
      "etag-form": "warn",
      etags: "warn",
      "list-permission": "skipped",
      "list-after-write": "warn",
      "delete-permission": "warn",
      "clean-up": "warn",
      head: "warn",
      errors: "warn",
      "clock-offset": "warn",
      lifecycle: "warn",
    },
  },
];

const ONE_BY_ONE = [...UNSAFE, ...WITH_WARNINGS];

/** Each by itself, or those that would hide others, and the rest at once. */
const CASES = (IN_FULL ? ONE_BY_ONE : [...ONE_BY_ONE.filter(({ isAlone }) => isAlone), ...AT_ONCE]).map((one) => ({
  name: JSON.stringify(one.faults === undefined ? one.quirks : [one.quirks, ...one.faults]),
  ...one,
}));

describe("a store that misbehaves", () => {
  test.concurrent.for(CASES)(
    "$name: $verdict",
    TIMEOUT,
    async ({ quirks, faults = [], options, verdict, checks }, context) => {
      const { expect } = context;
      const misbehave = (server: { faults: { add(rule: FaultRule): unknown } }) => {
        for (const fault of faults) server.faults.add(fault);
      };
      const { report, verdicts } = await examined(context, { quirks: quirks ?? {} }, misbehave, options);
      expect(verdicts).toMatchObject(checks);
      expect(report.verdict).toBe(verdict);
      for (const check of report.checks) {
        if (check.verdict === "warn" || check.verdict === "fail") expect(check.remedy, check.id).toMatch(/\.$/);
      }
    },
  );

  full.concurrent.for([
    { etagForm: "quoted-only" },
    { missingKeyIfMatchStatus: 412 },
    // S7: directory buckets list like that, and nothing here counts on more.
    { listings: "unordered" },
    { listings: "folders-only" },
    { listings: "folders-or-nothing" },
  ] as const)("%j is as good as AWS", TIMEOUT, async (quirks, context) =>
    context.expect((await examined(context, { quirks })).verdicts).toEqual({}),
  );

  full.concurrent.for([
    { fault: "status", status: 400, code: "KeyTooLongError", key: /x{600}/ },
    { fault: "status", status: 500, key: /\/\// },
  ] as const)("%j for odd keys only: a warning about keys, and about nothing else", TIMEOUT, async (fault, context) => {
    const { report, verdicts } = await examined(context, {}, (server) => void server.faults.add(fault));
    const { expect } = context;
    expect(report.verdict).toBe("warn");
    expect(verdicts).toMatchObject({ keys: "warn" });
    if (fault.status === 400) expect(verdicts).toEqual({ keys: "warn" });
  });

  full.concurrent("a key that takes one write a second: a warning with the number", TIMEOUT, async (context) => {
    const { report, verdicts } = await examined(context, { quirks: { writesPerSecondPerKey: 1 } });
    const { expect } = context;
    expect(report.verdict).toBe("warn");
    expect(verdicts["write-ceiling"]).toBe("warn");
    expect(report.checks.find(({ id }) => id === "write-ceiling")?.measured?.["writesPerS"]).toBeLessThan(1.5);
  });
});

test("a deletion that is denied was not tried: it is not called one that does not hold", TIMEOUT, async (context) => {
  const { report } = await examined(context, { quirks: { deny: ["DeleteObject"] } });
  const race = report.checks.find(({ id }) => id === "delete-race");
  context
    .expect(race)
    .toMatchObject({ verdict: "skipped", detail: context.expect.stringContaining("cannot be deleted") });
});

test("permissions that are missing are named as in a policy", TIMEOUT, async (context) => {
  const { report } = await examined(context, {
    quirks: { deny: ["PutObject", "GetObject", "ListObjectsV2", "DeleteObject"] },
  });
  const remedies = report.checks.flatMap(({ id, remedy = "" }) => (id.endsWith("-permission") ? [remedy] : []));
  context
    .expect(remedies)
    .toEqual([
      "Allow s3:PutObject on arn:aws:s3:::my-bucket/locks/*. If it is allowed, the bucket's policy may want headers, such as for encryption or an ACL: set `storeHeaders`.",
      "Allow s3:GetObject on arn:aws:s3:::my-bucket/locks/*. If it is allowed, the bucket may be another account's than expected, or want its requesters to pay: set `storeHeaders`.",
      "Allow s3:ListBucket on arn:aws:s3:::my-bucket, without a condition on the prefix.",
      "Allow s3:DeleteObject on arn:aws:s3:::my-bucket/locks/*.",
    ]);
});

describe("what is not a verdict", () => {
  test("a bucket that is not there, a store that does not answer, arguments that cannot be right", async (context) => {
    const { expect } = context;
    const examine = (options: Partial<VerifyStoreBaseOptions>) => examined(context, {}, () => {}, options);
    await expect(examine({ bucketName: "other-bucket" })).rejects.toMatchObject({ code: "no-such-bucket" });
    const s3ClientConfig = { endpoint: "http://127.0.0.1:1", region: "us-east-1", forcePathStyle: true };
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    await expect(
      verifyStore({ s3ClientConfig: { ...s3ClientConfig, credentials }, bucketName: BUCKET }),
    ).rejects.toMatchObject({ code: "store-unavailable" });
    // @ts-expect-error: neither a client nor what to make one from.
    await expect(verifyStore({ bucketName: BUCKET })).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(examine({ keyPrefix: "\ud800" })).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(examine({ rounds: -1 })).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("an onCheck that rejects ends no process, and the examination goes on", TIMEOUT, async (context) => {
    const { expect } = context;
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const stop = new AbortController();
    const onCheck = async ({ id }: StoreCheck) => {
      if (id === "put-permission") throw new Error("the screen is away");
      if (id === "etag-form") stop.abort();
    };
    const examine = () => examined(context, {}, () => {}, { onCheck, signal: stop.signal });
    try {
      const unheard = await unheardOf(() => expect(examine()).rejects.toMatchObject({ code: "aborted" }));
      expect(unheard).toEqual([]);
    } finally {
      process.off("warning", onWarning);
    }
    expect(warnings.map(({ message }) => message)).toEqual(["s3-mutex: onCheck rejected: the screen is away"]);
  });

  test("stopping it: what was written is removed all the same", TIMEOUT, async (context) => {
    const { expect } = context;
    const stop = new AbortController();
    let objects: () => unknown[] = () => [];
    const remember = (server: { objects(bucket: string): unknown[] }) => {
      objects = () => server.objects(BUCKET);
    };
    const examining = examined(context, { latencyMs: 5 }, remember, {
      signal: stop.signal,
      onCheck: ({ id }) => id === "etag-form" && stop.abort(),
    });
    await expect(examining).rejects.toMatchObject({ code: "aborted" });
    expect(objects()).toEqual([]);
  });

  test(
    "15.3: stopping it where the store falls silent takes two seconds, and says what may be left",
    TIMEOUT,
    async (context) => {
      const { expect } = context;
      const stop = new AbortController();
      let server: S3Server | undefined;
      let stoppedAtMs = Number.POSITIVE_INFINITY;
      const told: StoreCheck[] = [];
      const examining = examined(
        context,
        {},
        (started) => {
          server = started;
        },
        {
          signal: stop.signal,
          onCheck: (check) => {
            told.push(check);
            if (check.id !== "etag-form") return;
            server?.faults.add({ fault: "never-answer" });
            stoppedAtMs = performance.now();
            stop.abort();
          },
        },
      );
      await expect(examining).rejects.toMatchObject({ code: "aborted" });
      expect(performance.now() - stoppedAtMs).toBeLessThan(4000);
      expect(told.at(-1)).toMatchObject({
        id: "clean-up",
        verdict: "warn",
        remedy: expect.stringContaining("doctor-"),
      });
      // Nothing is asked behind the caller's back.
      const before = server?.requests.total;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(server?.requests.total).toBe(before);
    },
  );
});
