import type { LockRef } from "../../core/record.js";
import type { Context } from "../base/context.js";
import { LockObject } from "./lock-object.js";

/** The objects that this process knows, so that the one that used a lock last needs no read; the least recently used go first. */
export class LockObjects {
  readonly #context: Context;
  readonly #byKey = new Map<string, LockObject>();

  constructor(context: Context) {
    this.#context = context;
  }

  get(ref: LockRef, key: string): LockObject {
    const object = this.#byKey.get(key) ?? new LockObject(this.#context, ref, key);
    this.#byKey.delete(key);
    this.#byKey.set(key, object);
    if (this.#byKey.size > MAX_OBJECTS) this.#byKey.delete(this.#byKey.keys().next().value as string);
    return object;
  }

  /** Gives the same without keeping it: a sweep through thousands must not push out what is in use. */
  peek(ref: LockRef, key: string): LockObject {
    return this.#byKey.get(key) ?? new LockObject(this.#context, ref, key);
  }
}

/** A holder or a waiter has its object at hand anyway: one that is dropped here only costs its next user a read. */
const MAX_OBJECTS = 2000;
