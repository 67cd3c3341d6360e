import type { TestContext } from "vitest";
import { type StoreReport, type VerifyStoreBaseOptions, verifyStore } from "../../src/index.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";
import { Examination } from "../../src/verify/examination/examination.js";
import { Observations } from "../../src/verify/examination/observations.js";
import { ProbeRequests } from "../../src/verify/examination/probe-requests.js";
import { clientFor } from "../store/stub.js";

export const BUCKET = "my-bucket";

/** Few rounds: these faults show at once; how well rare ones are met is measured, not tested. */
const FEW_ROUNDS = 2;

/** Examines a server that misbehaves as told, and gives what the examination makes of it. */
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

/** Gives all verdicts that are not `pass`, by check. */
export function notable(report: StoreReport): Record<string, string> {
  const checks = report.checks.filter(({ verdict }) => verdict !== "pass");
  return Object.fromEntries(checks.map(({ id, verdict }) => [id, verdict]));
}

/** Makes what checks are made with, for one that is made by itself. */
export function examinationOf(endpoint: string, bucket = BUCKET) {
  const observations = new Observations();
  const probes = { client: clientFor(endpoint), bucket, effects: realEffects, observations };
  const lane = new ProbeRequests({ ...probes, headers: undefined, timeoutMs: 5000, gateway: undefined });
  const thoroughness = { rounds: { min: 1, max: 1 }, totalMs: 1000, contenders: 2, readRounds: 1 };
  return { exam: new Examination(realEffects, observations, thoroughness, [lane], { keyPrefix: "locks/" }), lane };
}
