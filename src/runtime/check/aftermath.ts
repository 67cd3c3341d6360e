import {
  isComparedAndRefused,
  type ObjectStore,
  type ReadOutcome,
  type RequestOptions,
  type WriteCondition,
} from "../../store/object-store.js";

/** What reads of the object that a check has asked with show of its writes. */
export class Aftermath {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #newBody: () => string;

  constructor(store: ObjectStore, key: string, newBody: () => string) {
    this.#store = store;
    this.#key = key;
    this.#newBody = newBody;
  }

  /** Reads what was just created; a read that does not show it is made again, since one answer may be a cache's. */
  async read(created: string | undefined, options: RequestOptions): Promise<ReadOutcome> {
    const first = await this.#store.read(this.#key, options);
    return first.kind === "absent" && created !== undefined ? await this.#store.read(this.#key, options) : first;
  }

  /**
   * Says whether it is there, though not shown. If the bucket was emptied meanwhile, the reads were right: it can be created again, or the
   * store shows what stands in the way, another client's marker or a delete marker. Some tell of that one only after several refusals.
   */
  async isStillThere(created: string, options: RequestOptions): Promise<boolean> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const again = await this.#store.write(this.#key, this.#newBody(), { kind: "if-absent" }, options);
      if (!isComparedAndRefused(again)) return false;
      const found = await this.#store.read(this.#key, options);
      if (isDeleted(found)) return false;
      if (found.kind === "ok" && found.body !== created) return false;
    }
    return true;
  }

  /**
   * Tries once more what was refused and seems to be done, since it may also have been done by a copy of the request: by one that came before
   * the copy that was answered, or late, over a bucket that was emptied meanwhile. Undefined where that shows nothing.
   */
  async isDoneThoughRefused(
    before: Found,
    condition: WriteCondition,
    options: RequestOptions,
  ): Promise<boolean | undefined> {
    let last = before.body;
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const body = this.#newBody();
      const written = await this.#store.write(this.#key, body, condition, options);
      if (!isComparedAndRefused(written)) return undefined;
      const found = await this.#store.read(this.#key, options);
      if (found.kind !== "ok" || found.timing.aged) return undefined;
      if (found.body === body) return true;
      if (found.body === last) return false;
      last = found.body;
    }
    return undefined;
  }
}

export type Found = ReadOutcome & { readonly kind: "ok" };

function isDeleted(found: ReadOutcome): boolean {
  return found.kind === "absent" && found.deleteMarker !== undefined && found.deleteMarker !== "none";
}

const TRIES = 4;
