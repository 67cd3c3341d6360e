import { monotonicMs } from "../faults/server-clock.js";
import { KeyHistory } from "./key-history.js";
import type { BucketFolder } from "./persistence.js";
import { compareUtf8, SortedKeys } from "./sorted-keys.js";
import type { StoredObject } from "./stored-object.js";

/** A bucket as it is or as it was. */
export interface BucketView {
  /** In the order of UTF-8 bytes. */
  readonly keys: readonly string[];
  get(key: string): StoredObject | undefined;
}

/** Every method is done when it returns, disk included, so that nothing comes between a check and its write. */
export class Bucket implements BucketView {
  readonly name: string;
  readonly createdAtMs: number;
  readonly #objects = new Map<string, StoredObject>();
  readonly #keys = new SortedKeys();
  readonly #history = new KeyHistory();
  readonly #folder: BucketFolder | undefined;

  constructor(name: string, createdAtMs: number, folder?: BucketFolder) {
    this.name = name;
    this.createdAtMs = createdAtMs;
    this.#folder = folder;
    for (const object of folder?.load() ?? []) {
      this.#objects.set(object.key, object);
      this.#keys.add(object.key);
    }
  }

  get keys(): readonly string[] {
    return this.#keys.all;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  put(object: StoredObject, keepHistoryMs: number): void {
    const before = this.#objects.get(object.key);
    this.#folder?.save(object);
    this.#history.record(object.key, before, object, monotonicMs(), keepHistoryMs);
    this.#objects.set(object.key, object);
    if (before === undefined) this.#keys.add(object.key);
  }

  delete(key: string, keepHistoryMs: number): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#folder?.remove(key);
    this.#history.record(key, before, undefined, monotonicMs(), keepHistoryMs);
    this.#objects.delete(key);
    this.#keys.remove(key);
  }

  lastChangeMs(key: string): number {
    return this.#history.lastChangeMs(key);
  }

  /** Finds what the key held before its last change; `undefined` for nothing. */
  previous(key: string): StoredObject | undefined {
    return this.#history.previous(key, this.#objects.get(key));
  }

  /** Reads one key as of some time ago. */
  getAsOf(key: string, agoMs: number): StoredObject | undefined {
    return this.#history.at(key, monotonicMs() - agoMs, this.#objects.get(key));
  }

  /** Shows the whole bucket as of some time ago. */
  asOf(agoMs: number): BucketView {
    const get = (key: string) => this.getAsOf(key, agoMs);
    const known = new Set([...this.#keys.all, ...this.#history.keys()]);
    const keys = [...known].filter((key) => get(key) !== undefined).sort(compareUtf8);
    return { keys, get };
  }
}
