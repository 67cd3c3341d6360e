import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { S3Mutex, verifyStore } from "../../src/index.js";
import { createS3Client } from "../../src/store/s3/client/client.js";
import { type Arrived, startGate } from "./gate.js";
import { CREDENTIALS, clientFor, IF_ABSENT, ifMatch, OPTIONS, storeOver } from "./stub.js";

afterEach(() => void vi.unstubAllEnvs());

const CONFIG = { region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS };

const AWS =
  "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";

const hasCrc = ({ headers }: Arrived) => headers["x-amz-checksum-crc32"] !== undefined;
const hasMd5 = ({ headers }: Arrived) => headers["content-md5"] !== undefined;

/** A bucket that takes a write only if it is sealed. */
const wanting = (
  isSealed: (request: Arrived) => boolean,
  refusal: { code: string; message?: string; status?: number },
) =>
  startGate((request) => {
    return request.method !== "PUT" || isSealed(request) ? undefined : { status: 400, ...refusal };
  });

it.each([
  [
    "AWS, under Object Lock",
    (request: Arrived) => hasCrc(request) || hasMd5(request),
    { code: "InvalidRequest", message: AWS },
  ],
  [
    "one that knows Content-MD5 only",
    hasMd5,
    { code: "MissingContentMD5", message: "Missing required header: Content-Md5." },
  ],
  ["one that names both and takes MD5", hasMd5, { code: "InvalidRequest", message: AWS }],
  ["one that names MD5 and takes a checksum", hasCrc, { code: "InvalidRequest", message: "Content-MD5 is missing" }],
] as const)(
  "S4: a checksum is sent where the store asks for it, and from then on (%s)",
  async (_, isSealed, refusal) => {
    const { endpoint, sent } = await wanting(isSealed, refusal);
    const warn = vi.fn();
    const store = storeOver(clientFor(endpoint, { requestChecksumCalculation: "WHEN_REQUIRED" }), { logger: { warn } });
    const created = await store.write("locks/a.json", "one", IF_ABSENT, OPTIONS);
    expect(created.kind).toBe("ok");
    if (created.kind !== "ok") return;
    const before = sent("PUT").length;
    expect(await store.write("locks/a.json", "two", ifMatch(created.etag), OPTIONS)).toMatchObject({ kind: "ok" });
    expect(sent("PUT")).toHaveLength(before + 1);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toMatch(/each renewal leaves a version/);
  },
);

it("S4: locks, fenced objects, results of once and the examination work in such a bucket", {
  timeout: 60_000,
}, async () => {
  const { endpoint } = await wanting(hasCrc, { code: "InvalidRequest", message: AWS });
  const s3ClientConfig = { ...CONFIG, endpoint };
  const mutex = new S3Mutex({ s3ClientConfig, bucketName: "locks", verify: "once" });
  await mutex.withLock("job", async (lock) => {
    const object = await lock.fencedObject({ key: "state.json" });
    await object.write("content");
  });
  expect(await mutex.runOnce("migration", () => 1)).toMatchObject({ result: 1 });
  await mutex.close();
  const report = await verifyStore({ s3ClientConfig, bucketName: "locks", rounds: 2 });
  expect(report.verdict).not.toBe("fail");
  expect(report.checks.find(({ id }) => id === "versioning")).toMatchObject({ verdict: "warn" });
});

it("S4: a store that no checksum helps is refused in the end, and not asked three times for each write", async () => {
  const { endpoint, sent } = await wanting(() => false, { code: "InvalidRequest", message: AWS });
  const store = storeOver(clientFor(endpoint, { requestChecksumCalculation: "WHEN_REQUIRED" }));
  expect(await store.write("a", "one", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "refused" });
  expect(sent("PUT")).toHaveLength(3);
  await store.write("a", "one", IF_ABSENT, OPTIONS);
  expect(sent("PUT")).toHaveLength(4);
});

it("S4: other refusals are not about a checksum, nor is one that does not fit", async () => {
  const refusals = [
    { code: "InvalidRequest", message: "The checksum does not match" },
    { code: "InvalidRequest", message: "Something else" },
    { code: "BadDigest", message: "The Content-MD5 you specified did not match what we received" },
  ];
  for (const refusal of refusals) {
    const { endpoint, sent } = await wanting(() => false, refusal);
    await storeOver(clientFor(endpoint, { requestChecksumCalculation: "WHEN_REQUIRED" })).write(
      "a",
      "b",
      IF_ABSENT,
      OPTIONS,
    );
    expect(sent("PUT")).toHaveLength(1);
  }
});

it("S4: environment and profile decide about checksums, unless the configuration does", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "profile-")), "config");
  await writeFile(
    file,
    "[default]\nregion = x\n[profile sealed]\nrequest_checksum_calculation = when_supported # all\ns3 =\n  request_checksum_calculation = no\n",
  );
  const calculation = async (config = {}) =>
    await createS3Client({ ...CONFIG, ...config }).config.requestChecksumCalculation();
  vi.stubEnv("AWS_CONFIG_FILE", file);
  vi.stubEnv("AWS_PROFILE", "");
  expect(await calculation()).toBe("WHEN_REQUIRED");
  vi.stubEnv("AWS_PROFILE", "sealed");
  expect(await calculation()).toBe("WHEN_SUPPORTED");
  expect(await calculation({ profile: "default" })).toBe("WHEN_REQUIRED");
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED");
  expect(await calculation()).toBe("WHEN_REQUIRED");
  vi.stubEnv("AWS_PROFILE", "default");
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported");
  expect(await calculation()).toBe("WHEN_SUPPORTED");
  expect(await calculation({ requestChecksumCalculation: "WHEN_REQUIRED" })).toBe("WHEN_REQUIRED");
});

describe("S4: a word that is not one of the two", () => {
  const CASES = [
    ["request_checksum_calculation", "writes"],
    ["response_checksum_validation", "reads"],
  ] as const;

  it.each(CASES)(
    "as %s in the environment or the profile, %s are not sent, and the error says where it is",
    async (setting) => {
      const file = join(await mkdtemp(join(tmpdir(), "profile-")), "config");
      await writeFile(file, `[profile sealed]\n${setting} = SOMETIMES\n`);
      vi.stubEnv("AWS_CONFIG_FILE", file);
      vi.stubEnv("AWS_PROFILE", "sealed");
      const asked = async () => {
        const { endpoint, sent } = await startGate(() => undefined);
        const mutex = new S3Mutex({ bucketName: "locks", s3ClientConfig: { ...CONFIG, endpoint } });
        const error = await mutex.acquire("a").catch((refusal: Error) => refusal);
        await mutex.close();
        expect(error).toMatchObject({ code: "invalid-argument" });
        expect(sent(setting.startsWith("request") ? "PUT" : "GET")).toEqual([]);
        return (error as Error).message;
      };
      const remedy = "Write WHEN_REQUIRED or WHEN_SUPPORTED there, or remove it.";
      expect(await asked()).toContain(
        `(BadSetting: ${setting} of the profile "sealed" in ${file} is "SOMETIMES"). ${remedy}`,
      );
      const variable = `AWS_${setting.toUpperCase()}`;
      vi.stubEnv(variable, "ever");
      expect(await asked()).toContain(`(BadSetting: The environment variable ${variable} is "ever"). ${remedy}`);
    },
  );

  it.each(["requestChecksumCalculation", "responseChecksumValidation"])("as %s is refused at once", (option) => {
    const make = (said: unknown) =>
      new S3Mutex({ bucketName: "locks", s3ClientConfig: { ...CONFIG, [option]: said } as never });
    const why = 'use "WHEN_REQUIRED" or "WHEN_SUPPORTED"';
    expect(() => make("SOMETIMES")).toThrow(`s3ClientConfig.${option} is "SOMETIMES": ${why}.`);
    expect(() => make("when_supported")).toThrow(why);
    expect(() => make(async () => "WHEN_SUPPORTED")).not.toThrow();
    expect(() => make("WHEN_SUPPORTED")).not.toThrow();
  });
});

it.each([100, 3_000_000])("S5: no write of %i bytes waits for 100 Continue", async (bytes) => {
  const { endpoint, sent } = await startGate(({ headers }) => {
    return headers.expect === undefined ? undefined : { status: 417, code: "ExpectationFailed" };
  });
  const client = clientFor(endpoint, { expectContinueHeader: true } as object);
  const store = storeOver(client, { maxBodyBytes: 8_000_000 });
  expect(await store.write("a", "x".repeat(bytes), IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  expect(sent("PUT").map(({ headers }) => headers.expect)).toEqual([undefined]);
});
