import { keyOfNameIn1x, nameOfKey } from "../core/names.js";
import type { Hold, LockRef } from "../core/record.js";
import { type ParentHold, textOfHolds } from "../options/held-by-parent.js";
import type { Settings } from "../options/mutex-options.js";
import type { Handle } from "./handles.js";

type Place = Pick<Settings, "bucketName" | "keyPrefix" | "semaphorePrefix" | "keyEncoding" | "heldByParent">;

/**
 * What the processes hold that this one is part of, as scopes tell it within a process. It informs and never grants: a hold that is
 * over is not found in the store any more, and counts for nothing.
 */
export class ParentHolds {
  readonly #place: Place;
  /** Those that this mutex can name: the others are of other stores or prefixes. */
  readonly #named: readonly { readonly key: string; readonly hold: Hold }[];

  constructor(place: Place) {
    this.#place = place;
    this.#named = place.heldByParent.flatMap((held) => {
      const ref = refIn(place, held);
      return ref === undefined ? [] : [{ key: held.key, hold: { ...ref, token: held.token } }];
    });
  }

  /** Lists what a wait for the lock under this key holds up there; of a semaphore that may be permits of its own. */
  heldUpBy(key: string): readonly Hold[] {
    return this.#named.filter((one) => one.key !== key || one.hold.kind === "semaphore").map(({ hold }) => hold);
  }

  /** Lists the fencing tokens by which they hold the very lock under this key. */
  tokensOf(key: string): readonly number[] {
    return this.#named.filter((one) => one.key === key).map(({ hold }) => hold.token);
  }

  /** Writes the text for a process that is part of the work under these handles, too. */
  textWith(handles: readonly Handle[]): string {
    const { bucketName, heldByParent } = this.#place;
    const own = handles.map(({ ref, key, hold }) => ({ bucketName, key, ...ref, token: hold.holder.token }));
    return textOfHolds([...heldByParent, ...own]);
  }
}

/** Names the lock under that key as this mutex does; undefined where it cannot have it. */
function refIn(place: Place, { bucketName, key, kind, name }: ParentHold): LockRef | undefined {
  if (bucketName !== place.bucketName) return undefined;
  if (kind === "semaphore") {
    const own = nameOfKey(place.semaphorePrefix, key);
    return own === undefined ? undefined : { kind, name: own };
  }
  if (place.keyEncoding === "one-to-one") {
    const own = nameOfKey(place.keyPrefix, key);
    return own === undefined ? undefined : { name: own };
  }
  const encoded = keyOfNameIn1x(place.keyPrefix, name);
  return encoded.ok && encoded.key === key ? { name } : undefined;
}
