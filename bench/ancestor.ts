import { setTimeout as sleep } from "node:timers/promises";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { ClientOf1x, LOCK_TIMEOUT_OF_1X_MS, type LockOf1x, TOLERANCE_OF_1X_MS } from "../testkit/client-of-1x.js";

export interface AncestorOptions {
  readonly s3Client: S3Client;
  readonly bucketName: string;
  readonly lockTimeoutMs?: number;
}

const KEY_PREFIX = "locks/";

let instances = 0;

/** s3-mutex 1.x to be measured against, by the SDK as it is: repeating requests is left to that. */
export class AncestorMutex {
  readonly #options: AncestorOptions;
  readonly #owner: string;
  readonly #client: ClientOf1x;

  constructor(options: AncestorOptions) {
    instances += 1;
    this.#options = options;
    this.#owner = `${process.pid}-${instances}`;
    const wire = {
      read: (lockName: string) => this.#get(lockName),
      write: (lockName: string, info: LockOf1x, etag: string | undefined) =>
        this.#put(lockName, info, etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag }),
      wallMs: Date.now,
      random: Math.random,
      sleep: async (ms: number) => void (await sleep(ms)),
    };
    const lockTimeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_OF_1X_MS;
    this.#client = new ClientOf1x(wire, { owner: this.#owner, lockTimeoutMs, toleranceMs: TOLERANCE_OF_1X_MS });
  }

  async acquireLock(lockName: string, priority = 0): Promise<boolean> {
    await this.#createIfMissing(lockName);
    return (await this.#client.retry(lockName, priority)) !== undefined;
  }

  async refreshLock(lockName: string): Promise<boolean> {
    return ((await this.#client.refresh(lockName)) ?? 0) > 0;
  }

  releaseLock(lockName: string): Promise<boolean> {
    return this.#client.release(lockName);
  }

  async isOwnedByUs(lockName: string): Promise<boolean> {
    const { info } = await this.#get(lockName);
    return info.locked && info.owner === this.#owner;
  }

  async #createIfMissing(lockName: string): Promise<void> {
    if (await this.#put(lockName, { locked: false }, { IfNoneMatch: "*" })) return;
    await this.#options.s3Client.send(new HeadObjectCommand(this.#address(lockName)));
  }

  async #get(lockName: string): Promise<{ readonly info: LockOf1x; readonly etag: string }> {
    const answer = await this.#options.s3Client.send(new GetObjectCommand(this.#address(lockName)));
    const body = (await answer.Body?.transformToString()) ?? "";
    return { info: JSON.parse(body), etag: answer.ETag ?? "" };
  }

  /** Writes the object of a lock; false when the condition did not hold. */
  async #put(
    lockName: string,
    info: LockOf1x,
    condition: { readonly IfMatch: string } | { readonly IfNoneMatch: string },
  ): Promise<boolean> {
    const Body = JSON.stringify(info);
    try {
      await this.#options.s3Client.send(
        new PutObjectCommand({ ...this.#address(lockName), ...condition, Body, ContentType: "application/json" }),
      );
      return true;
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) return false;
      throw error;
    }
  }

  #address(lockName: string) {
    return { Bucket: this.#options.bucketName, Key: `${KEY_PREFIX}${lockName.replace(/[^\w-]/g, "_")}.json` };
  }
}
