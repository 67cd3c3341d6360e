import { expect, onTestFinished, test } from "vitest";
import { type StoreCheck, verifyStore } from "../../src/index.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import { type FaultRule, startS3Server } from "../../src/testing/index.js";
import { clientsOf, examine, QUICKLY } from "../../src/verify/verify.js";
import { IN_FULL } from "../scale.js";
import { startGate } from "../store/gate.js";
import { CREDENTIALS } from "../store/stub.js";
import { BUCKET, examined } from "./examine.js";

const TIMEOUT = { timeout: 60_000 };

async function serve(rule: FaultRule) {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  server.faults.add(rule);
  return server;
}

const status = (status: number, code: string): FaultRule => ({ fault: "status", status, code });

test.each([
  [
    "a key that the store does not know",
    status(403, "InvalidAccessKeyId"),
    "access-denied",
    /InvalidAccessKeyId.*access key/s,
  ],
  ["a secret that does not fit", status(403, "SignatureDoesNotMatch"), "access-denied", /SignatureDoesNotMatch/],
  ["a token that has expired", status(400, "ExpiredToken"), "access-denied", /have expired/],
  ["a quota", status(403, "QuotaExceeded"), "access-denied", /quota/],
  ["this machine's clock", status(403, "RequestTimeTooSkewed"), "store-unavailable", /clock of this machine/],
  [
    "this machine's clock, where all may read",
    { ...status(403, "RequestTimeTooSkewed"), operation: "PutObject" },
    "store-unavailable",
    /clock of this machine/,
  ],
  ["a page of a proxy", { fault: "page", status: 403, body: "<html>blocked</html>" }, "store-unavailable", /blocked/],
  ["a login page", { fault: "page", status: 302, headers: { location: "http://login" } }, "store-unavailable", /login/],
  ["a portal that says yes to all", { fault: "page", status: 200, body: "<html>hi</html>" }, "store-unavailable", /hi/],
  ["a store that is down", status(500, "InternalError"), "store-unavailable", /500 InternalError/],
] as const)("S9: %s is the cause, and no permission", TIMEOUT, async (_, rule, code, message) => {
  const server = await serve(rule);
  const told: string[] = [];
  const onCheck = ({ id }: StoreCheck) => void told.push(id);
  const examination = verifyStore({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET, rounds: 1, onCheck });
  const error = await examination.catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(told.filter((id) => id.endsWith("-permission"))).toEqual([]);
  expect((error as Error).message).not.toMatch(/Allow s3:/);
});

test.each([
  ["is full", 507, "InsufficientStorage", 0, "store-unavailable", /no space left/],
  ...(IN_FULL
    ? ([
        ["is closed for a while", 503, "XMaintenance", 3, "store-unavailable", /XMaintenance/],
        ["becomes full", 507, "InsufficientStorage", 30, "store-unavailable", /no space left/],
        ["comes to its quota", 403, "QuotaExceeded", 3, "access-denied", /quota/],
      ] as const)
    : []),
] as const)(
  "S9: a store that %s gets no verdict on conditions",
  TIMEOUT,
  async (_, status, code, after, as, message) => {
    let writes = 0;
    const { endpoint } = await startGate(({ method }) => {
      if (method === "PUT") writes += 1;
      return method === "PUT" && writes > after ? { status, code } : undefined;
    });
    const s3ClientConfig = { endpoint, region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS };
    const examination = verifyStore({ s3ClientConfig, bucketName: "locks", rounds: 1 });
    await expect(examination).rejects.toMatchObject({ code: as, message: expect.stringMatching(message) });
  },
);

test.each([
  ["none", "CredentialsProviderError"],
  ["a login that is over", "TokenProviderError"],
])("S9: no credentials (%s) are the cause, and no permission", TIMEOUT, async (_, name) => {
  const server = await serve(status(500, "InternalError"));
  const credentials = async () => {
    throw Object.assign(new Error("Could not load credentials from any providers"), { name });
  };
  const s3ClientConfig = { ...server.clientConfig(), credentials };
  await expect(verifyStore({ s3ClientConfig, bucketName: BUCKET, rounds: 1 })).rejects.toMatchObject({
    code: "access-denied",
    message: expect.stringContaining("Could not load credentials"),
  });
});

test("S9: credentials that run out meanwhile are not a reason to call a store safe", TIMEOUT, async () => {
  const server = await serve({ ...status(400, "ExpiredToken"), operation: "PutObject", skip: 3 });
  await expect(
    verifyStore({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET, rounds: 1 }),
  ).rejects.toMatchObject({ code: "access-denied" });
});

test("S9: nor are credentials that run out meanwhile where locks wait for the examination", TIMEOUT, async () => {
  const server = await serve({ ...status(400, "ExpiredToken"), operation: "PutObject", skip: 3 });
  const clients = clientsOf(server.clientConfig());
  const terms = { keyPrefix: "locks/", leaseMs: 60_000, toleranceMs: 1000 };
  const examination = examine({ clients, bucketName: BUCKET, ...terms, ...QUICKLY }, realEffects);
  await expect(examination).rejects.toMatchObject({ code: "access-denied" });
});

test("S12: where a write is denied, the bucket may want headers with it", TIMEOUT, async (context) => {
  const { report } = await examined(context, { quirks: { deny: ["PutObject"] } });
  expect(report.checks.find(({ id }) => id === "put-permission")?.remedy).toMatch(/may want headers.*`storeHeaders`/);
});

test("S9: AccessDenied is about permissions", TIMEOUT, async (context) => {
  const { report, verdicts } = await examined(context, { quirks: { deny: ["PutObject"] } });
  expect(verdicts).toMatchObject({ "put-permission": "fail" });
  expect(report.checks.find(({ id }) => id === "put-permission")?.remedy).toMatch(/Allow s3:PutObject/);
});

test("S9: which policy denies it is in the store's own words", TIMEOUT, async (context) => {
  const why = "with an explicit deny in a service control policy";
  const { report } = await examined(context, {}, ({ faults }) => {
    const body = `<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: s3:PutObject ${why}</Message></Error>`;
    faults.add({ fault: "page", status: 403, body, contentType: "application/xml", operation: "PutObject" });
  });
  expect(report.checks.find(({ id }) => id === "put-permission")?.detail).toContain(why);
});

test("S9: a right on the key of the encryption is one, and named", TIMEOUT, async (context) => {
  const { report } = await examined(context, {}, ({ faults }) => {
    const body =
      "<Error><Code>AccessDenied</Code><Message>User is not authorized to perform: kms:GenerateDataKey</Message></Error>";
    faults.add({ fault: "page", status: 403, body, contentType: "application/xml", operation: "PutObject" });
  });
  expect(report.checks.find(({ id }) => id === "put-permission")?.detail).toMatch(/kms:GenerateDataKey/);
});

test("S9: the store's words about a listing end the sentence about what cannot work", TIMEOUT, async (context) => {
  const { report } = await examined(context, {}, ({ faults }) => {
    const body =
      "<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: s3:ListBucket</Message></Error>";
    const refused = { fault: "page", status: 403, body, contentType: "application/xml" } as const;
    for (const operation of ["ListObjectsV2", "DeleteObject"] as const) faults.add({ ...refused, operation });
  });
  const detail = (id: string) => report.checks.find((check) => check.id === id)?.detail;
  expect(detail("list-permission")).toMatch(
    /^s3:ListBucket is denied, and `ls` and cleanup cannot work: .*not authorized.*[^.]$/,
  );
  expect(detail("delete-permission")).toMatch(
    /^s3:DeleteObject is denied, and `deleteLock` and cleanup cannot remove: .*not authorized.*[^.]$/,
  );
});

test("S9: a read of a changed object that is answered 304 for good is said to be", TIMEOUT, async (context) => {
  const { report } = await examined(context, { quirks: { alwaysNotModified: true } });
  expect(report.checks.find(({ id }) => id === "not-modified")?.detail).toBe(
    "304 is answered to a read of a changed object, still so after 2.5 s",
  );
});

test(
  "S9: where no key with a part of some length is taken, no length of 0 bytes is advised",
  TIMEOUT,
  async (context) => {
    const { report } = await examined(context, {}, ({ faults }) => {
      const key = (text: string) => text.split("/").some((part) => part.length >= 140);
      faults.add({ fault: "status", status: 400, code: "InvalidArgument", key });
    });
    expect(report.checks.find(({ id }) => id === "keys")).toMatchObject({
      verdict: "warn",
      detail: "a part of a key between slashes of 140 bytes is refused",
      remedy: "Use short names; a longer one is the error invalid-argument.",
    });
  },
);

test.each(["", "locks/"])(
  "S13: a bucket that is copied to another is warned of (rule for %j)",
  TIMEOUT,
  async (prefix) => {
    const document = `<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Priority>1</Priority><Filter><Prefix>${prefix}</Prefix></Filter><Destination><Bucket>arn:aws:s3:::the-other</Bucket></Destination></Rule></ReplicationConfiguration>`;
    const { endpoint } = await startGate(
      ({ url }) => (url.searchParams.has("replication") ? { status: 200, code: "", document } : undefined),
      { quirks: { versioning: "Enabled" } },
    );
    const s3ClientConfig = { endpoint, region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS };
    const report = await verifyStore({ s3ClientConfig, bucketName: "locks", rounds: 1 });
    expect(report.checks.find(({ id }) => id === "versioning")).toMatchObject({
      verdict: "warn",
      detail: expect.stringContaining("arn:aws:s3:::the-other"),
    });
  },
);

test.runIf(IN_FULL)(
  "one kind of request that is never answered takes no minute from the others",
  TIMEOUT,
  async (context) => {
    const { report, verdicts } = await examined(context, {}, ({ faults }) => {
      faults.add({ fault: "never-answer", operation: "HeadObject" });
    });
    expect(verdicts).toEqual({ head: "warn", errors: "warn" });
    expect(report.elapsedMs).toBeLessThan(45_000);
  },
);
