import { invalidArgument } from "../arguments/invalid-argument.js";
import type { LockRef } from "../core/record.js";
import type { Hold } from "../runtime/hold/hold.js";
import type { Scope } from "../runtime/scopes/scope.js";
import type { HeldLock } from "./lock.js";
import type { HeldLockSet } from "./lock-set.js";

/** What one mutex knows of a handle that it gave out. */
export interface Handle {
  readonly ref: LockRef;
  readonly key: string;
  readonly hold: Hold;
  readonly scope: Scope;
}

/** The handles of one mutex, for callers who name one, by `within` for one. */
export class Handles {
  readonly #handles = new WeakMap<object, readonly Handle[]>();

  add(lock: HeldLock, handle: Handle): void {
    this.#handles.set(lock, [handle]);
  }

  addSet(set: HeldLockSet): HeldLockSet {
    this.#handles.set(
      set,
      set.locks.flatMap((lock) => this.#handles.get(lock) ?? []),
    );
    return set;
  }

  /** Finds the handles that a caller names. @throws `invalid-argument` for what this mutex has not given out */
  get(argument: string, value: unknown): readonly Handle[] {
    const isObject = typeof value === "object" && value !== null;
    const handles = isObject ? this.#handles.get(value) : undefined;
    if (handles !== undefined) return handles;
    const remedy = isObject
      ? "pass a lock, or a set of locks, that this very mutex has returned, not one of another mutex"
      : "pass a lock, as acquire() returned it";
    throw invalidArgument(argument, isObject ? "another object" : value, remedy);
  }
}
