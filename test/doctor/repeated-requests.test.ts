import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import { type S3Operation, startS3Server } from "../../src/testing/index.js";
import { examine } from "../../src/verify/verify.js";
import { IN_FULL } from "../scale.js";
import { BUCKET, examined } from "./examine.js";

const TIMEOUT = { timeout: 240_000 };

/** So many examinations at once, each under a prefix of its own. */
const LANES = IN_FULL ? 6 : 2;

/** Between two positions that are tried in `npm test`, so many times as many are left out. */
const SPARSE = IN_FULL ? 1 : 7;

/** Lets one fault strike at every so many-th position of the examination; says which of the answers were a reason to condemn the store. */
async function condemnedAt(
  fault: "duplicate" | "lose-response",
  operation: S3Operation,
  { essential = false, step = 1 }: { readonly essential?: boolean; readonly step?: number },
) {
  const server = await startS3Server({ buckets: [BUCKET], recentRequestsMax: 0 });
  const client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const condemned: string[] = [];
  let next = 0;
  let isBehindTheEnd = false;
  const work = async (): Promise<void> => {
    while (!isBehindTheEnd) {
      const skip = next;
      next += SPARSE * step;
      const keyPrefix = `${fault}-${operation}-${skip}/`;
      const key = (one: string) => one.startsWith(keyPrefix);
      const active = server.faults.add({ fault, operation, key, skip, times: 1 });
      const thoroughness = { rounds: { min: 2, max: 2 }, totalMs: 1, contenders: 3, readRounds: 1 };
      const plan = { clients: [client], bucketName: BUCKET, keyPrefix, leaseMs: 60_000, toleranceMs: 1000 };
      const report = await examine({ ...plan, thoroughness, isEssential: essential }, realEffects);
      isBehindTheEnd ||= active.hits === 0;
      const faults = report.checks.filter(({ verdict }) => verdict === "fail");
      condemned.push(...faults.map(({ id, detail }) => `${fault} at ${operation} ${skip}: ${id}: ${detail}`));
      active.remove();
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
  return { condemned, positions: next / (SPARSE * step) };
}

const STRIKES = [
  ["duplicate", "PutObject", { essential: true, step: 2 }],
  ["lose-response", "PutObject", { essential: true, step: 5 }],
  ["duplicate", "PutObject", { step: 13 }],
  ["lose-response", "PutObject", { step: 29 }],
  ["duplicate", "DeleteObject", { step: 19 }],
] as const;

test.each(IN_FULL ? STRIKES : STRIKES.slice(0, 2))(
  "one %s of a %s, wherever it strikes, condemns no store (%j)",
  TIMEOUT,
  async (fault, operation, how) => {
    const { condemned, positions } = await condemnedAt(fault, operation, how);
    expect(condemned).toEqual([]);
    expect(positions).toBeGreaterThan(1);
  },
);

test("long keys whose write is sent twice are taken all the same", TIMEOUT, async (context) => {
  const { verdicts } = await examined(context, {}, ({ faults }) => {
    faults.add({ fault: "duplicate", operation: "PutObject", key: (key) => /\/(?:part|long)-/.test(key) });
  });
  expect(verdicts).not.toHaveProperty("keys");
});

test("a store that answers each write as refused and does it is still told apart", TIMEOUT, async (context) => {
  const { verdicts } = await examined(context, {}, ({ faults }) => {
    faults.add({ fault: "duplicate", operation: "PutObject" });
  });
  expect(verdicts).toMatchObject({ "etag-form": "fail", "create-twice": "fail" });
});

test(
  "requests that are sent twice now and then: the report says so, and that locks are safe",
  TIMEOUT,
  async (context) => {
    const { report, verdicts } = await examined(context, {}, ({ faults }) => {
      let count = 0;
      const random = () => (count++ % 4 === 0 ? 0 : 0.9);
      faults.add({ fault: "duplicate", operation: "PutObject", probability: 0.5, random });
    });
    expect(report.verdict).toBe("warn");
    expect(verdicts).toMatchObject({ errors: "warn" });
    expect(report.checks.find(({ id }) => id === "errors")?.detail).toMatch(/were sent twice/);
  },
);

test.each([2, 4])(
  "verify: once goes on after write %i was sent twice, for the life of the client",
  TIMEOUT,
  async (skip) => {
    const server = await startS3Server({ buckets: [BUCKET] });
    const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
    onTestFinished(async () => {
      s3Client.destroy();
      await server.close();
    });
    server.faults.add({ fault: "duplicate", operation: "PutObject", times: 1, skip });
    const mutex = new S3Mutex({ s3Client, bucketName: BUCKET, verify: "once" });
    const lock = await mutex.acquire("job");
    expect(await lock.release()).toBe(true);
  },
);
