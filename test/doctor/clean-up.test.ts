import { expect, onTestFinished, test } from "vitest";
import { type FaultRule, startS3Server } from "../../src/testing/index.js";
import type { Finding } from "../../src/verify/examination/report.js";
import { askThenTidyUp } from "../../src/verify/examination/stopping.js";
import { cliHere } from "../cli/here.js";
import { type Arrived, startGate } from "../store/gate.js";
import { CREDENTIALS } from "../store/stub.js";
import { BUCKET, examinationOf } from "./examine.js";

const TIMEOUT = { timeout: 60_000 };

const status = (status: number, code: string): FaultRule => ({ fault: "status", status, code });

const KEYS = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey };

/** Hears what `doctor` says of a store at which each request comes to this. */
async function doctorOf(rule: FaultRule | undefined, credentials: Readonly<Record<string, string>> = KEYS) {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  if (rule !== undefined) server.faults.add(rule);
  const place = { AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true" };
  const environment = { ...place, ...credentials };
  const ended = await cliHere(["doctor", "--rounds", "2", `s3://${BUCKET}/locks/`], environment);
  return { ...ended, objects: server.objects(BUCKET) };
}

test.each([
  ["a key that the store does not know", status(403, "InvalidAccessKeyId")],
  ["a secret that does not fit", status(403, "SignatureDoesNotMatch")],
  ["a token that has expired", status(400, "ExpiredToken")],
  ["this machine's clock", status(403, "RequestTimeTooSkewed")],
  ["a key of the encryption that is disabled", status(400, "KMS.DisabledException")],
  ["an account that is suspended", status(403, "AllAccessDisabled")],
  ["a quota", { ...status(403, "QuotaExceeded"), operation: "PutObject" }],
] as const)("S9: where nothing was written (%s), nothing is said to be left", TIMEOUT, async (_, rule) => {
  const { exitCode, stdout, stderr, objects } = await doctorOf(rule);
  expect({ exitCode, stdout, objects }).toEqual({ exitCode: 69, stdout: "", objects: [] });
  expect(stderr).not.toMatch(/\bleft\b|Remove what is under/);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("S9: without credentials, nothing is said to be left", TIMEOUT, async () => {
  const { exitCode, stderr, objects } = await doctorOf(undefined, {});
  expect({ exitCode, objects }).toEqual({ exitCode: 69, objects: [] });
  expect(stderr).toMatch(/^s3-mutex: .*credentials/i);
  expect(stderr).not.toMatch(/\bleft\b/);
});

test.each([
  ["an overload", status(503, "SlowDown"), /^s3-mutex: .*503 SlowDown/],
  ["a page of a proxy", { fault: "page", status: 403, body: "<html>blocked</html>" }, /^s3-mutex: .*blocked/],
  ["no answer to anything", { fault: "lose-response" }, /^s3-mutex: /],
] as const)(
  "S9: where nothing can be known (%s), the cause comes first, and what may be left after it",
  TIMEOUT,
  async (_, rule, cause) => {
    const { exitCode, stdout, stderr } = await doctorOf(rule);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
    expect(stderr).toMatch(cause);
    expect(stderr).not.toMatch(/are left/);
    const [, last = ""] = stderr.trim().split("\n");
    expect(last).toMatch(
      /^s3-mutex: objects of the examination may be left, .*Remove what is under locks\/\.s3-mutex\/doctor-/,
    );
  },
);

/** Tidies up after an examination that wrote so many objects. */
async function tidiedUp(
  count: number,
  prepare: (at: Awaited<ReturnType<typeof startGate>> & ReturnType<typeof examinationOf>) => unknown,
  ...gateOptions: Parameters<typeof startGate> | []
) {
  const [refuse = () => undefined, options = {}, passing = {}] = gateOptions;
  const gate = await startGate(refuse, { buckets: [BUCKET], ...options }, passing);
  const examination = examinationOf(gate.endpoint);
  const { exam, lane } = examination;
  for (let index = 0; index < count; index += 1) await exam.create(exam.newKey(), exam.newBody());
  await prepare({ ...gate, ...examination });
  const told: Finding[] = [];
  const asking = Promise.reject(new Error("over"));
  const tidied = (finding: Finding) => void told.push(finding);
  await expect(askThenTidyUp(exam, { lanes: [lane], asking, signal: undefined, tidied })).rejects.toThrow("over");
  const objects = gate.server.objects(BUCKET).map(({ key }) => key);
  return { finding: told[0] as Finding, objects, gate };
}

const LEFT = { verdict: "warn", detail: "objects of the examination are left" };
const MAY_BE_LEFT = { verdict: "warn", detail: expect.stringMatching(/^objects of the examination may be left/) };

test.each([1, 3, 40])(
  "%i objects that were removed by deletes whose answers were lost are not left",
  TIMEOUT,
  async (count) => {
    const { finding, objects } = await tidiedUp(count, ({ server }) =>
      server.faults.add({ fault: "lose-response", operation: "DeleteObject" }),
    );
    expect(finding).toMatchObject(objects.length === 0 ? { verdict: "pass" } : LEFT);
    // Of forty, some are not tried any more.
    if (count < 40) expect(objects).toEqual([]);
  },
);

test("objects that must not be removed are left", TIMEOUT, async () => {
  const options = { quirks: { deny: ["DeleteObject"] } } as const;
  const { finding, objects } = await tidiedUp(
    3,
    () => {},
    () => undefined,
    options,
  );
  expect({ finding, objects: objects.length }).toMatchObject({ finding: LEFT, objects: 3 });
});

test("nor are they passed where listings show late what is there, or not at all", TIMEOUT, async () => {
  for (const quirks of [{ staleListMs: 60_000 }, { deny: ["ListObjectsV2"] }] as const) {
    const { finding, objects } = await tidiedUp(
      2,
      () => {},
      ({ method }) => (method === "DELETE" ? { status: 403, code: "AccessDenied" } : undefined),
      { quirks },
    );
    expect({ finding, objects: objects.length }).toMatchObject({ finding: LEFT, objects: 2 });
  }
});

test("objects of which it cannot be seen whether they are left may be, which takes few requests", TIMEOUT, async () => {
  let isDenied = false;
  const refuse = () => (isDenied ? { status: 403, code: "AccessDenied" } : undefined);
  let askedBefore = 0;
  const { finding, gate } = await tidiedUp(
    50,
    async ({ exam, lane, arrived }) => {
      isDenied = true;
      await lane.put(exam.newKey(), exam.newBody(), {});
      askedBefore = arrived.length;
    },
    refuse,
  );
  expect(finding).toMatchObject({ ...MAY_BE_LEFT, remedy: expect.stringContaining("doctor-") });
  expect(gate.arrived.length - askedBefore).toBeLessThan(8);
});

test("objects that are listed and must not be read may be left", TIMEOUT, async () => {
  let isDenied = false;
  const refuse = ({ method, url }: Arrived) =>
    isDenied && !url.searchParams.has("list-type") && method !== "PUT"
      ? { status: 403, code: "AccessDenied" }
      : undefined;
  const { finding } = await tidiedUp(
    3,
    () => {
      isDenied = true;
    },
    refuse,
  );
  expect(finding).toMatchObject(MAY_BE_LEFT);
});

test("a key whose write was refused is not one of those that are left", TIMEOUT, async () => {
  let isDenied = false;
  const refuse = () => (isDenied ? { status: 403, code: "InvalidAccessKeyId" } : undefined);
  const { finding } = await tidiedUp(
    0,
    async ({ exam, lane }) => {
      isDenied = true;
      expect(await lane.put(exam.newKey(), exam.newBody(), { IfNoneMatch: "*" })).toMatchObject({ kind: "refused" });
      exam.newKey();
    },
    refuse,
  );
  expect(finding).toMatchObject({ verdict: "pass" });
});

test("nor is one whose write was refused while all was tidied up", TIMEOUT, async () => {
  let isDenied = false;
  const refuse = () => (isDenied ? { status: 403, code: "InvalidAccessKeyId" } : undefined);
  const { finding } = await tidiedUp(
    0,
    ({ exam, lane }) => {
      isDenied = true;
      // Not awaited: it is under way when the clean-up begins.
      void lane.put(exam.newKey(), exam.newBody(), {});
    },
    refuse,
  );
  expect(finding).toMatchObject({ verdict: "pass" });
});

test("a write that was refused and done all the same is removed", TIMEOUT, async () => {
  let done: (key: string) => void = () => {};
  const refuse = ({ method, url }: Arrived) => {
    if (method !== "PUT") return undefined;
    done(url.pathname.slice(BUCKET.length + 2));
    return { status: 403, code: "AccessDenied" };
  };
  const { finding, objects } = await tidiedUp(
    0,
    async ({ exam, lane, server }) => {
      done = (key) => void server.putObject(BUCKET, key, "{}");
      expect(await lane.put(exam.newKey(), exam.newBody(), {})).toMatchObject({ kind: "refused" });
      expect(server.objects(BUCKET)).toHaveLength(1);
    },
    refuse,
  );
  expect({ finding, objects }).toMatchObject({ finding: { verdict: "pass" }, objects: [] });
});

test("keys that were never written do not keep those that were from being removed", TIMEOUT, async () => {
  const isOfNone = new Set<string>();
  const { finding, objects } = await tidiedUp(
    0,
    async ({ exam }) => {
      for (let index = 0; index < 20; index += 1) isOfNone.add(exam.newKey("listed"));
      for (let index = 0; index < 20; index += 1) await exam.create(exam.newKey(), exam.newBody());
    },
    ({ method, url }) =>
      method === "DELETE" && isOfNone.has(url.pathname.slice(BUCKET.length + 2))
        ? { status: 403, code: "AccessDenied" }
        : undefined,
    { quirks: {} },
  );
  expect({ finding, objects }).toMatchObject({ finding: { verdict: "pass" }, objects: [] });
});
