import { setTimeout as sleep } from "node:timers/promises";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";

export interface AncestorOptions {
  readonly s3Client: S3Client;
  readonly bucketName: string;
  readonly lockTimeoutMs?: number;
}

interface LockInfo {
  readonly locked: boolean;
  readonly owner?: string;
  readonly acquiredAt?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
}

/** The defaults that its README documents. */
const KEY_PREFIX = "locks/";
const MAX_RETRIES = 5;
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 5000;
const LOCK_TIMEOUT_MS = 60_000;
const CLOCK_SKEW_TOLERANCE_MS = 1000;
const JITTER = 0.3;

let instances = 0;

/**
 * What s3-mutex 1.x does, written anew from its README to be measured against: an object that is created once, then
 * read and written by compare-and-swap, with jittered exponential backoff in between. It judges expiry by its own wall
 * clock and leaves repeating requests to the SDK.
 */
export class AncestorMutex {
  readonly #options: AncestorOptions;
  readonly #lockTimeoutMs: number;
  readonly #owner: string;

  constructor(options: AncestorOptions) {
    instances += 1;
    this.#options = options;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
    this.#owner = `${process.pid}-${instances}`;
  }

  async acquireLock(lockName: string, priority = 0): Promise<boolean> {
    await this.#createIfMissing(lockName);
    for (let attempt = 0; attempt < MAX_RETRIES; attempt += 1) {
      const { info, etag } = await this.#get(lockName);
      const now = Date.now();
      if (!info.locked || (info.expiresAt ?? 0) + CLOCK_SKEW_TOLERANCE_MS < now) {
        const taken = { locked: true, owner: this.#owner, acquiredAt: now, expiresAt: now + this.#lockTimeoutMs };
        if (await this.#put(lockName, { ...taken, priority }, { IfMatch: etag })) return true;
      }
      const delayMs = Math.min(RETRY_DELAY_MS * 2 ** attempt, MAX_RETRY_DELAY_MS);
      await sleep(delayMs * (1 + JITTER * Math.random()));
    }
    return false;
  }

  async refreshLock(lockName: string): Promise<boolean> {
    const { info, etag } = await this.#get(lockName);
    if (!info.locked || info.owner !== this.#owner) return false;
    return this.#put(lockName, { ...info, expiresAt: Date.now() + this.#lockTimeoutMs }, { IfMatch: etag });
  }

  async releaseLock(lockName: string): Promise<boolean> {
    const { info, etag } = await this.#get(lockName);
    if (!info.locked || info.owner !== this.#owner) return false;
    return this.#put(lockName, { locked: false }, { IfMatch: etag });
  }

  async isOwnedByUs(lockName: string): Promise<boolean> {
    const { info } = await this.#get(lockName);
    return info.locked && info.owner === this.#owner;
  }

  async #createIfMissing(lockName: string): Promise<void> {
    if (await this.#put(lockName, { locked: false }, { IfNoneMatch: "*" })) return;
    await this.#options.s3Client.send(new HeadObjectCommand(this.#address(lockName)));
  }

  async #get(lockName: string): Promise<{ readonly info: LockInfo; readonly etag: string }> {
    const answer = await this.#options.s3Client.send(new GetObjectCommand(this.#address(lockName)));
    const body = (await answer.Body?.transformToString()) ?? "";
    return { info: JSON.parse(body), etag: answer.ETag ?? "" };
  }

  /** False when the condition did not hold. */
  async #put(
    lockName: string,
    info: LockInfo,
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
