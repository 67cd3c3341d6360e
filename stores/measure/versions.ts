import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { type Observation, observe } from "./observe.js";
import { type TurnsResult, takeTurns } from "./turns.js";
import { type Verification, verify } from "./verify.js";

/** Ways in which a bucket keeps versions. */
export const VERSIONINGS = ["enabled", "suspended", "object-lock"] as const;
export type Versioning = (typeof VERSIONINGS)[number];

/** What was found in a bucket that keeps versions. */
export interface VersionsResult {
  readonly observation: Observation;
  readonly turns: TurnsResult;
  /** Where the run is not the short one. */
  readonly verification?: Verification;
}

/** `none`: why the store has no such buckets. */
export type VersionsResults = Readonly<Record<Versioning, VersionsResult | { readonly none: string }>>;

export async function tryVersions(
  configs: readonly S3ClientConfig[],
  size: { readonly turns: number; readonly withDoctor: boolean },
): Promise<VersionsResults> {
  const [config = {}] = configs;
  const results: Partial<Record<Versioning, VersionsResult | { readonly none: string }>> = {};
  for (const versioning of VERSIONINGS) {
    const bucketName = `s3-mutex-${versioning}`;
    const none = await createBucket(config, bucketName, versioning);
    if (none !== undefined) {
      results[versioning] = { none };
      continue;
    }
    const turns = await takeTurns(configs, bucketName, { processes: 2, turns: size.turns });
    const observation = await observe(config, bucketName);
    const verification = size.withDoctor ? { verification: await verify(configs, bucketName) } : {};
    results[versioning] = { observation, turns, ...verification };
  }
  return results as VersionsResults;
}

/** Creates a bucket that keeps versions in this way. Gives undefined once there is such a bucket; otherwise why not. */
async function createBucket(
  config: S3ClientConfig,
  Bucket: string,
  versioning: Versioning,
): Promise<string | undefined> {
  const client = new S3Client({ ...config, maxAttempts: 1, requestChecksumCalculation: "WHEN_REQUIRED" });
  try {
    const isLocked = versioning === "object-lock";
    await client.send(new CreateBucketCommand({ Bucket, ...(isLocked ? { ObjectLockEnabledForBucket: true } : {}) }));
    const set = (Status: "Enabled" | "Suspended") =>
      client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    if (!isLocked) await set("Enabled");
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: "version", Body: "1" }));
    if (VersionId === undefined) return "says yes, and keeps no versions";
    if (versioning === "suspended") await set("Suspended");
    return undefined;
  } catch (error) {
    const { $metadata, name } = error as { $metadata?: { httpStatusCode?: number }; name: string };
    return `${$metadata?.httpStatusCode ?? ""} ${name}`.trim();
  } finally {
    client.destroy();
  }
}
