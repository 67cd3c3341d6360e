import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { verifyStore } from "../../src/index.js";

/** What `verifyStore`, and so `s3-mutex doctor`, says of the store. */
export interface Verification {
  readonly verdict: "pass" | "warn" | "fail";
  readonly elapsedMs: number;
  /** What it found to be wrong. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** What it said of these, by their titles. */
  readonly details?: Readonly<Record<string, string>>;
}

export async function verify(configs: readonly S3ClientConfig[], bucketName: string): Promise<Verification> {
  const [first = {}, ...others] = configs;
  const otherClients = others.map((config) => new S3Client(config));
  try {
    const { verdict, checks, elapsedMs } = await verifyStore({ s3ClientConfig: first, otherClients, bucketName });
    const titlesOf = (wanted: string) => checks.flatMap((check) => (check.verdict === wanted ? [check.title] : []));
    const told = checks.filter((check) => check.verdict === "fail" || check.verdict === "warn");
    return {
      verdict,
      elapsedMs: Math.round(elapsedMs),
      faults: titlesOf("fail"),
      warnings: titlesOf("warn"),
      details: Object.fromEntries(told.map(({ title, detail }) => [title, detail])),
    };
  } finally {
    for (const client of otherClients) client.destroy();
  }
}
