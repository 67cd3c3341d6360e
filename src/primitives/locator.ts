import { checkLockName, checkPart } from "../arguments/checks.js";
import { nameOfKey } from "../core/names.js";
import type { LockRef } from "../core/record.js";
import type { Settings } from "../options/mutex-options.js";
import { wasClosed } from "../runtime/base/closed.js";
import type { Context } from "../runtime/base/context.js";
import type { LockObject } from "../runtime/swap/lock-object.js";
import { LockObjects } from "../runtime/swap/lock-objects.js";

/** The objects of locks and semaphores by their names, for as long as their mutex may be asked for them. */
export class Locator {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #objects: LockObjects;
  readonly #hasBegunToClose: () => boolean;

  constructor(context: Context, settings: Settings, hasBegunToClose: () => boolean) {
    this.#context = context;
    this.#settings = settings;
    this.#objects = new LockObjects(context);
    this.#hasBegunToClose = hasBegunToClose;
  }

  /** @throws `closed` */
  checkOpen(): void {
    if (this.#hasBegunToClose()) throw wasClosed();
  }

  /** @throws `closed`, `invalid-argument` */
  lock(lockName: string): LockObject {
    this.checkOpen();
    return this.#lock(lockName);
  }

  /** Finds a lock that may be held: it can be asked for, refreshed and given back until a close is over. */
  heldLock(lockName: string): LockObject {
    if (this.#context.closed.aborted) throw wasClosed();
    return this.#lock(lockName);
  }

  objectOf(ref: LockRef): LockObject {
    if (ref.kind === undefined) return this.lock(ref.name);
    this.checkOpen();
    const { semaphorePrefix } = this.#settings;
    const key = checkLockName(semaphorePrefix, ref.name, "one-to-one");
    return this.#objects.get(ref, ref.part ? checkPart(key, ref.name, ref.part) : key);
  }

  /** Finds the lock under a key, without keeping it; undefined where the key is not that of a lock. */
  peek(key: string): LockObject | undefined {
    const name = nameOfKey(this.#settings.keyPrefix, key);
    return name === undefined ? undefined : this.#objects.peek({ name }, key);
  }

  #lock(lockName: string): LockObject {
    const { keyPrefix, keyEncoding } = this.#settings;
    return this.#objects.get({ name: lockName }, checkLockName(keyPrefix, lockName, keyEncoding));
  }
}
