import type { Bucket } from "./bucket.js";
import type { StoredObject } from "./stored-object.js";

/** One version of a key. */
export interface Version {
  /** `null` for what was there before versioning, or written while it was suspended. */
  readonly versionId: string;
  /** Undefined: a delete marker. */
  readonly object: StoredObject | undefined;
}

/** The versions of all keys, newest first, since versioning was turned on; in memory only. */
export class Versions {
  readonly #shelves = new Map<Bucket, Map<string, Version[]>>();
  /** What the newest marker of a key hides, also where the version itself is gone. */
  readonly #hidden = new Map<Version, StoredObject>();
  #count = 0;

  of(bucket: Bucket, key: string): readonly Version[] {
    return this.#shelf(bucket, key);
  }

  /** Lists the keys that have versions, in no order. */
  keys(bucket: Bucket): readonly string[] {
    return [...new Set([...(this.#shelves.get(bucket)?.keys() ?? []), ...bucket.keys])];
  }

  /** Notes what has just become of a key, and says under which id. */
  add(bucket: Bucket, key: string, object: StoredObject | undefined, isSuspended: boolean): string {
    // What was there before has an entry by now, or gets it here.
    const shelf = this.#shelves.get(bucket)?.get(key) ?? [];
    const [newest] = shelf;
    this.#count += 1;
    const versionId = isSuspended ? "null" : `version-${this.#count}`;
    const version = { versionId, object };
    const kept = isSuspended ? shelf.filter((one) => one.versionId !== "null") : shelf;
    this.#put(bucket, key, [version, ...kept]);
    const hidden = newest === undefined ? undefined : (newest.object ?? this.#hidden.get(newest));
    if (object === undefined && hidden !== undefined) this.#hidden.set(version, hidden);
    return versionId;
  }

  /** Removes one version, and returns what is the newest then; undefined where there was no such version. */
  remove(
    bucket: Bucket,
    key: string,
    versionId: string,
  ): { readonly removed: Version; readonly newest?: Version } | undefined {
    const shelf = this.#shelf(bucket, key);
    const removed = shelf.find((one) => one.versionId === versionId);
    if (removed === undefined) return undefined;
    const rest = shelf.filter((one) => one !== removed);
    this.#put(bucket, key, rest);
    return { removed, ...(rest[0] === undefined ? {} : { newest: rest[0] }) };
  }

  /** Finds the object that the delete marker of a key is on top of; undefined where there is no marker. */
  underMarker(bucket: Bucket, key: string): StoredObject | undefined {
    const [newest] = this.#shelf(bucket, key);
    return newest === undefined || newest.object !== undefined ? undefined : this.#hidden.get(newest);
  }

  #put(bucket: Bucket, key: string, versions: Version[]): void {
    const shelves = this.#shelves.get(bucket) ?? new Map<string, Version[]>();
    this.#shelves.set(bucket, shelves);
    if (versions.length === 0) shelves.delete(key);
    else shelves.set(key, versions);
  }

  /** Lists the versions of a key, with what was there before versioning was turned on, or was put there past HTTP. */
  #shelf(bucket: Bucket, key: string): readonly Version[] {
    const shelf = this.#shelves.get(bucket)?.get(key) ?? [];
    const object = bucket.get(key);
    if (object === undefined || shelf[0]?.object === object) return shelf;
    const versions = [{ versionId: "null", object }, ...shelf.filter(({ versionId }) => versionId !== "null")];
    this.#put(bucket, key, versions);
    return versions;
  }
}
