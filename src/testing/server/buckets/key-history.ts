import type { StoredObject } from "./stored-object.js";

/** Keys beyond this many are forgotten, oldest change first, so that a long run does not fill the memory. */
const REMEMBERED_KEYS_MAX = 10_000;

interface Version {
  /** On the monotonic clock. */
  readonly sinceMs: number;
  readonly object: StoredObject | undefined;
}

/** What keys held before their last change: stale reads and listings are answered from it. */
export class KeyHistory {
  readonly #versions = new Map<string, Version[]>();

  /** Keeps the version before this one, and all that were current within the last `keepMs`. */
  record(
    key: string,
    before: StoredObject | undefined,
    after: StoredObject | undefined,
    nowMs: number,
    keepMs: number,
  ) {
    const versions = this.#versions.get(key) ?? [{ sinceMs: Number.NEGATIVE_INFINITY, object: before }];
    versions.push({ sinceMs: nowMs, object: after });
    while (versions.length > 2 && (versions[1]?.sinceMs ?? nowMs) <= nowMs - keepMs) versions.shift();
    this.#versions.delete(key);
    this.#versions.set(key, versions);
    if (this.#versions.size > REMEMBERED_KEYS_MAX) {
      for (const oldest of this.#versions.keys()) {
        this.#versions.delete(oldest);
        break;
      }
    }
  }

  keys(): Iterable<string> {
    return this.#versions.keys();
  }

  /** Says when the key last changed; minus infinity if that is not remembered. */
  lastChangeMs(key: string): number {
    return this.#versions.get(key)?.at(-1)?.sinceMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Finds the version before the current one; the current one if no other is remembered. */
  previous(key: string, current: StoredObject | undefined): StoredObject | undefined {
    const versions = this.#versions.get(key);
    return versions === undefined ? current : versions.at(-2)?.object;
  }

  /** Finds what the key held at a moment. */
  at(key: string, momentMs: number, current: StoredObject | undefined): StoredObject | undefined {
    const versions = this.#versions.get(key);
    if (versions === undefined) return current;
    return (versions.findLast((version) => version.sinceMs <= momentMs) ?? versions[0])?.object;
  }
}
