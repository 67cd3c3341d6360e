import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

/**
 * A client for those who give a configuration instead of a client. Checksums only where S3 wants them: the default of
 * newer SDKs is what several S3-compatible stores refuse, and a lock record needs none.
 */
export function createS3Client(config: S3ClientConfig): S3Client {
  return new S3Client({
    ...config,
    requestChecksumCalculation: config.requestChecksumCalculation ?? "WHEN_REQUIRED",
    responseChecksumValidation: config.responseChecksumValidation ?? "WHEN_REQUIRED",
  });
}
