import { createHash } from "node:crypto";
import { Bucket } from "./bucket.js";
import { DataFolder } from "./persistence.js";
import type { StoredObject } from "./stored-object.js";

/** Says whether a name keeps S3's rules, without the ones about reserved prefixes. They also make every name a safe folder name. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..");
}

/** All buckets, in memory, and on disk as well where there is a data folder. */
export class Storage {
  readonly #buckets = new Map<string, Bucket>();
  readonly #folder: DataFolder | undefined;

  constructor(dataFolder?: string) {
    this.#folder = dataFolder === undefined ? undefined : new DataFolder(dataFolder);
    for (const { name, createdAtMs } of this.#folder?.buckets() ?? []) {
      if (isBucketName(name)) this.create(name, createdAtMs);
    }
  }

  /** Sorted by name. */
  get buckets(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  bucket(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** Creates a bucket; the caller has checked the name, and that the name is free. */
  create(name: string, createdAtMs: number): Bucket {
    const bucket = new Bucket(name, createdAtMs, this.#folder?.bucket(name));
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Removes a bucket; the caller has checked that it is empty. */
  remove(name: string): void {
    this.#folder?.removeBucket(name);
    this.#buckets.delete(name);
  }
}

/** Makes an object, its ETag the MD5 of the body, as S3's is without KMS: equal bodies have equal ETags. */
export function toStoredObject(
  key: string,
  body: Buffer,
  lastModifiedMs: number,
  headers: StoredObject["headers"],
): StoredObject {
  return { key, body, etag: `"${createHash("md5").update(body).digest("hex")}"`, lastModifiedMs, headers };
}
