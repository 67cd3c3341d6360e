import type { TestContext } from "vitest";
import { type StoreReport, type VerifyStoreBaseOptions, verifyStore } from "../../src/index.js";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";

export const BUCKET = "my-bucket";

/** Few rounds: these faults show at once; how well rare ones are met is measured, not tested. */
const FEW_ROUNDS = 2;

/** A server that misbehaves as told, and what the examination makes of it. */
export async function examined(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  server: S3ServerOptions,
  prepare: (server: S3Server) => void = () => {},
  options: Partial<VerifyStoreBaseOptions> = {},
): Promise<{
  readonly server: S3Server;
  readonly report: StoreReport;
  readonly verdicts: Readonly<Record<string, string>>;
}> {
  const started = await startS3Server({ buckets: [BUCKET], ...server });
  onTestFinished(() => started.close());
  prepare(started);
  const report = await verifyStore({
    s3ClientConfig: started.clientConfig(),
    bucketName: BUCKET,
    rounds: FEW_ROUNDS,
    ...options,
  });
  return { server: started, report, verdicts: notable(report) };
}

/** All verdicts that are not `pass`, by check. */
export function notable(report: StoreReport): Record<string, string> {
  const checks = report.checks.filter(({ verdict }) => verdict !== "pass");
  return Object.fromEntries(checks.map(({ id, verdict }) => [id, verdict]));
}
