import "./shift-date.js";
import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientSettings } from "../../src/testing/index.js";
import { ancestorUser, type LockUser, libraryUser } from "../lock-user.js";
import { serveParent } from "../remote.js";

let user: LockUser | undefined;

/** A process whose wall clock is wrong; what it does is decided by its parent, whose clock is right. */
export const otherClockMethods = {
  start(kind: "library" | "ancestor", clientConfig: S3ClientSettings, leaseMs: number) {
    const client = new S3Client(clientConfig);
    user = kind === "library" ? libraryUser(client, leaseMs) : ancestorUser(client, leaseMs);
    return Date.now();
  },
  tryFor: (lockName: string, forMs: number) => user?.tryFor(lockName, forMs),
  keep: (lockName: string) => user?.keep(lockName),
  stillHas: (lockName: string) => user?.stillHas(lockName),
};

serveParent(otherClockMethods);
