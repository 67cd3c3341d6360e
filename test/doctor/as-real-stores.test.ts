import { expect, type TestContext, test } from "vitest";
import type { FaultRule, S3ServerOptions } from "../../src/testing/index.js";
import { IN_FULL } from "../scale.js";
import { examined } from "./examine.js";

// What doctor says of behaviour that was measured on real stores (docs/guide/stores.md), on the embedded server.

const TIMEOUT = { timeout: 60_000 };

/** An examination each: in full only. */
const measured = test.runIf(IN_FULL);

async function rowsOf(context: TestContext, options: S3ServerOptions, ...rules: readonly FaultRule[]) {
  const { report, verdicts } = await examined(context, options, ({ faults }) => {
    for (const rule of rules) faults.add(rule);
  });
  const row = (id: string) => report.checks.find((check) => check.id === id);
  return { report, verdicts, row };
}

const isLong = (key: string) => key.split("/").some((part) => part.length > 240);
/** But of the clean-up, which names keys as they are, to be removed by hand. */
const sentences = (report: { checks: readonly { id: string; detail: string; remedy?: string }[] }) =>
  report.checks
    .filter(({ id }) => id !== "clean-up")
    .map(({ detail, remedy = "" }) => `${detail}. ${remedy}`)
    .join("\n");

measured.for<[string, FaultRule]>([
  ["S3Proxy, nanio: 500", { fault: "status", status: 500, code: "InternalError", key: isLong }],
  ["nanio: 500, and done", { fault: "status", status: 500, applied: true, operation: "PutObject", key: isLong }],
  ["MinIO: 400", { fault: "status", status: 400, code: "XMinioInvalidObjectName", key: isLong }],
  ["localbucket: no answer", { fault: "drop-before", key: isLong }],
])(
  "%s to long keys, beside merged slashes: both are said, and neither is an error of the store",
  TIMEOUT,
  async (args, context) => {
    const { report, verdicts, row } = await rowsOf(context, { quirks: { keys: "merged-slashes" } }, args[1]);
    // What was never answered may land later: it is named.
    const late = args[0].endsWith("no answer") ? { "clean-up": "warn" } : {};
    expect(verdicts).toEqual({ keys: "warn", ...late });
    expect(row("keys")).toMatchObject({
      detail: expect.stringMatching(
        /double slashes; a part of a key between slashes of 250 bytes is refused; one of 240 is taken/,
      ),
      remedy: expect.stringMatching(/single slashes\. Use names of at most 235 bytes between slashes/),
    });
    expect(sentences(report)).not.toMatch(/x{100}/);
  },
);

measured("a limit on the whole key is told from one on its parts", TIMEOUT, async (context) => {
  const { row } = await rowsOf(context, { quirks: { keyBytesMax: 900 } });
  expect(row("keys")).toMatchObject({
    detail: "a key of 1,024 bytes is refused; one of 896 is taken",
    remedy: expect.stringMatching(/^Use keys of at most 896 bytes, prefix and `\.json` included; /),
  });
});

measured(
  "s3rver: 403 SignatureDoesNotMatch about the bucket's settings is not a missing right",
  TIMEOUT,
  async (context) => {
    const { report, row } = await rowsOf(
      context,
      {},
      {
        fault: "status",
        status: 403,
        code: "SignatureDoesNotMatch",
        operation: ["GetBucketVersioning", "GetBucketLifecycleConfiguration", "ListObjectsV2"],
      },
    );
    expect(row("versioning")).toMatchObject({
      verdict: "skipped",
      detail: expect.stringMatching(/SignatureDoesNotMatch/),
    });
    expect(row("lifecycle")).toMatchObject({ verdict: "skipped" });
    expect(row("list-permission")?.verdict).not.toBe("pass");
    expect(sentences(report)).not.toMatch(/is denied|Allow s3:/);
  },
);

measured(
  "Ceph: where conditions fail in a bucket that keeps versions, another bucket is the remedy",
  TIMEOUT,
  async (context) => {
    const { report, row } = await rowsOf(context, { quirks: { versioning: "Enabled", ignoreIfNoneMatch: true } });
    expect(report.verdict).toBe("fail");
    expect(row("versioning")).toMatchObject({
      verdict: "fail",
      detail: expect.stringMatching(/keeps versions, and conditions/),
    });
    for (const id of ["versioning", "create-twice", "create-race"])
      expect(row(id)?.remedy, id).toMatch(/use a bucket in which versioning was never enabled/);
  },
);

measured.for(["Enabled", "Suspended"] as const)(
  "Ceph, %s: the verdict, and the cause",
  TIMEOUT,
  async (versioning, context) => {
    const { report, verdicts, row } = await rowsOf(context, { quirks: { versioning, versionsLike: "ceph" } });
    if (versioning === "Suspended") {
      // There a marker counts as an object, and conditions hold.
      expect(verdicts).toMatchObject({ "create-twice": "warn" });
      expect(report.verdict).toBe("warn");
      return;
    }
    expect(report.verdict).toBe("fail");
    expect(row("versioning")).toMatchObject({ verdict: "fail", remedy: expect.stringMatching(/never enabled/) });
  },
);

measured(
  "versitygw, S3Mock: a delete marker that counts as an object is a warning, since no lock is had twice",
  TIMEOUT,
  async (context) => {
    const { verdicts, row } = await rowsOf(context, { quirks: { versioning: "Enabled", versionsLike: "versitygw" } });
    expect(verdicts).toEqual({ "create-twice": "warn", "delete-race": "skipped", lifecycle: "warn" });
    expect(row("create-twice")).toMatchObject({
      detail: expect.stringMatching(/its delete marker counts as an object/),
      remedy: expect.stringMatching(/Let nothing else delete locks/),
    });
  },
);

measured("AWS: versions are not a problem", TIMEOUT, async (context) => {
  const { verdicts } = await rowsOf(context, { quirks: { versioning: "Enabled" } });
  expect(verdicts).toEqual({ "delete-race": "skipped", lifecycle: "warn" });
});

measured("a bucket without versions is not blamed", TIMEOUT, async (context) => {
  const { row } = await rowsOf(context, { quirks: { ignoreIfNoneMatch: true } });
  expect(row("versioning")).toMatchObject({ verdict: "pass", detail: "versioning: never enabled" });
  expect(row("create-twice")?.remedy).toMatch(/Use one that honours conditional writes/);
});

measured("gofakes3: an empty Status of versioning has words", TIMEOUT, async (context) => {
  const body =
    '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status></Status></VersioningConfiguration>';
  const page = { fault: "page", status: 200, body, contentType: "application/xml" } as const;
  const { row } = await rowsOf(context, {}, { ...page, operation: "GetBucketVersioning" });
  expect(row("versioning")?.detail).toBe("versioning: never enabled");
});

measured(
  "versitygw: it says that each answer closes its connection, and does not use its DELETE",
  TIMEOUT,
  async (context) => {
    const { verdicts, row } = await rowsOf(
      context,
      { quirks: { closesConnections: true } },
      { fault: "change-headers", headers: { server: "VERSITYGW" } },
    );
    expect(verdicts).toEqual({ connections: "warn", "stale-delete": "warn", "delete-race": "skipped" });
    expect(row("connections")?.detail).toMatch(/answers closed their connection: each request makes a new one/);
    expect(row("stale-delete")?.detail).toMatch(/VERSITYGW is known to do it beside a PUT/);
  },
);

measured("moto: races fail, whether or not one was lost this time", TIMEOUT, async (context) => {
  const server = "Werkzeug/3.1.9 Python/3.11.7";
  const { verdicts, row } = await rowsOf(context, {}, { fault: "change-headers", headers: { server } });
  expect(verdicts).toEqual({ "create-race": "fail", "replace-race": "fail" });
  expect(row("create-race")?.detail).toMatch(
    /one of them created a key each time, but a server on Werkzeug, as moto's is, is known/,
  );
});

measured("rclone serve s3: its DELETE is not used, although it calls itself AmazonS3", TIMEOUT, async (context) => {
  const { verdicts, row } = await rowsOf(
    context,
    {},
    { fault: "change-headers", operation: "DeleteObject", headers: { "x-amz-delete-marker": () => "false" } },
  );
  expect(verdicts).toEqual({
    "stale-delete": "warn",
    "create-race": "fail",
    "replace-race": "fail",
    "delete-race": "skipped",
  });
  expect(row("replace-race")?.detail).toMatch(/but rclone serve s3, by what it sends, is known/);
  expect(row("stale-delete")?.detail).toMatch(/gofakes3 is known to do it beside a PUT/);
});

measured.for([
  [-900, "warn", /^Date is up to 1\.[6-9] s behind/, /allow for two seconds, and a lock whose holder died/],
  [-3000, "warn", /^Date is up to [34]\.\d s behind/, /What is steadily late does no harm/],
  [0, "pass", /steady/, /^$/],
] as const)(
  "nanio: a Date that is %i ms off its Last-Modified",
  TIMEOUT,
  async ([shiftMs, verdict, detail, remedy], context) => {
    const { row } = await rowsOf(context, {}, { fault: "shift-date", shiftMs });
    expect(row("date")).toMatchObject({ verdict, detail: expect.stringMatching(detail) });
    expect(row("date")?.remedy ?? "").toMatch(remedy);
  },
);

measured("localbucket, s3rver: a write that is cut short and kept", TIMEOUT, async (context) => {
  const { verdicts, row } = await rowsOf(context, { quirks: { keepsCutWrites: true } });
  expect(verdicts).toEqual({ "cut-write": "warn" });
  expect(row("cut-write")?.detail).toMatch(/one byte short was taken all the same: its key holds \d+ bytes/);
});

measured("MinIO: reads that wait for a write under way, and the lease that outlives that", TIMEOUT, async (context) => {
  const { verdicts, row } = await rowsOf(context, { quirks: { readsWaitForWrites: true } });
  expect(verdicts).toEqual({ "slow-write": "warn" });
  expect(row("slow-write")?.remedy).toMatch(/use a lockTimeoutMs of 45000 or more/);
});

test("how far it is, is told with each check", TIMEOUT, async (context) => {
  const told: { done: number; total: number; elapsedMs: number }[] = [];
  const { report } = await examined(context, {}, () => {}, { onCheck: (_, progress) => told.push(progress) });
  expect(told.map(({ done }) => done)).toEqual(report.checks.map((_, index) => index + 1));
  expect(new Set(told.map(({ total }) => total))).toEqual(new Set([report.checks.length]));
  expect(told.at(-1)?.elapsedMs).toBeLessThanOrEqual(report.elapsedMs);
});
