import { expect, it } from "vitest";
import { createS3Client } from "../../src/store/s3/client/client.js";

const CONFIG = { region: "us-east-1" };

it("sends checksums only where S3 wants them, unless told otherwise", async () => {
  const { config } = createS3Client(CONFIG);
  expect(await config.requestChecksumCalculation()).toBe("WHEN_REQUIRED");
  expect(await config.responseChecksumValidation()).toBe("WHEN_REQUIRED");
  const told = createS3Client({ ...CONFIG, requestChecksumCalculation: "WHEN_SUPPORTED" }).config;
  expect(await told.requestChecksumCalculation()).toBe("WHEN_SUPPORTED");
  expect(await told.responseChecksumValidation()).toBe("WHEN_REQUIRED");
});
