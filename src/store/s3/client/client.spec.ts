import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createS3Client } from "./client.js";

beforeEach(() => {
  vi.stubEnv("AWS_CONFIG_FILE", "/nowhere/config");
  for (const name of ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"]) {
    vi.stubEnv(name, undefined);
  }
});

afterEach(() => void vi.unstubAllEnvs());

async function checksums(config: Parameters<typeof createS3Client>[0] = {}) {
  const client = createS3Client({ region: "us-east-1", ...config });
  const { requestChecksumCalculation, responseChecksumValidation } = client.config;
  return [await requestChecksumCalculation(), await responseChecksumValidation()];
}

it("checksums are sent and looked at where S3 wants them", async () => {
  expect(await checksums()).toEqual(["WHEN_REQUIRED", "WHEN_REQUIRED"]);
});

it("what the profile has empty is not said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  writeFileSync(join(folder, "config"), "[default]\nrequest_checksum_calculation =\n");
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  expect(await checksums()).toEqual(["WHEN_REQUIRED", "WHEN_REQUIRED"]);
  rmSync(folder, { recursive: true });
});

it.each([
  ["WHEN_SUPPORTED", "WHEN_SUPPORTED"],
  [" when_supported ", "WHEN_SUPPORTED"],
  ["WHEN_REQUIRED", "WHEN_REQUIRED"],
])("where the environment says %j of either, it is %s", async (said, is) => {
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", said);
  expect(await checksums()).toEqual([is, "WHEN_REQUIRED"]);
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", undefined);
  vi.stubEnv("AWS_RESPONSE_CHECKSUM_VALIDATION", said);
  expect(await checksums()).toEqual(["WHEN_REQUIRED", is]);
});

it.each(["SOMETIMES", "WHEN", " "])("where the environment says %j, that is refused by its name", async (said) => {
  const { requestChecksumCalculation, responseChecksumValidation } = createS3Client({ region: "us-east-1" }).config;
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", said);
  const request = `The environment variable AWS_REQUEST_CHECKSUM_CALCULATION is ${JSON.stringify(said)}`;
  await expect(requestChecksumCalculation()).rejects.toMatchObject({ name: "BadSetting", message: request });
  await expect(responseChecksumValidation()).resolves.toBe("WHEN_REQUIRED");
});

it("a configuration is heeded before the environment", async () => {
  vi.stubEnv("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_SUPPORTED");
  vi.stubEnv("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_SUPPORTED");
  expect(await checksums({ requestChecksumCalculation: "WHEN_REQUIRED" })).toEqual(["WHEN_REQUIRED", "WHEN_SUPPORTED"]);
  expect(await checksums({ responseChecksumValidation: "WHEN_REQUIRED" })).toEqual(["WHEN_SUPPORTED", "WHEN_REQUIRED"]);
});

it("credentials are asked for with files read anew each time", async () => {
  const told: object[] = [];
  const credentialDefaultProvider = (options: object) => {
    told.push(options);
    return async () => ({ accessKeyId: "key", secretAccessKey: "secret" });
  };
  const { config } = createS3Client({ region: "us-east-1", credentialDefaultProvider } as never);
  await config.credentials();
  expect(told).toEqual([expect.objectContaining({ ignoreCache: true })]);
});

it("what else a configuration says is kept", async () => {
  const { config } = createS3Client({ region: "eu-west-1" });
  await expect(config.region()).resolves.toBe("eu-west-1");
});

it("the shared configuration file is read once a client, not once a request", async () => {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  const file = join(folder, "config");
  const said = (value: string) =>
    writeFileSync(
      file,
      `[default]\nrequest_checksum_calculation = ${value}\nresponse_checksum_validation = ${value}\n`,
    );
  vi.stubEnv("AWS_CONFIG_FILE", file);
  said("when_supported");
  const { requestChecksumCalculation, responseChecksumValidation } = createS3Client({ region: "us-east-1" }).config;
  const asked = async () => [await requestChecksumCalculation(), await responseChecksumValidation()];
  expect(await asked()).toEqual(["WHEN_SUPPORTED", "WHEN_SUPPORTED"]);
  said("when_required");
  expect(await asked()).toEqual(["WHEN_SUPPORTED", "WHEN_SUPPORTED"]);
  expect(await checksums()).toEqual(["WHEN_REQUIRED", "WHEN_REQUIRED"]);
  rmSync(folder, { recursive: true });
});
