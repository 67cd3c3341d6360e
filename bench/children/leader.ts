import { S3Client } from "@aws-sdk/client-s3";
import { S3Mutex } from "../../src/index.js";
import type { S3ClientSettings } from "../../src/testing/index.js";
import { serveParent } from "../remote.js";

/** A process that leads until it is killed. */
export const leaderMethods = {
  async lead(settings: S3ClientSettings, bucketName: string, name: string, leaseMs: number): Promise<void> {
    const mutex = new S3Mutex({ s3Client: new S3Client(settings), bucketName });
    await mutex.election(name, { leaseMs }).campaign();
  },
};

serveParent(leaderMethods);
