import { AsyncLocalStorage } from "node:async_hooks";
import type { LockRef } from "../core/deadlock.js";
import type { Hold } from "../core/record.js";
import type { Lease } from "./lease.js";

/**
 * Who owns locks when deadlocks are looked for: not a process but a line of work. What is acquired inside `withLock` or
 * `mutex.scope(fn)` belongs together, explicitly. What is acquired outside of any belongs to the asynchronous context that it
 * was acquired in, implicitly: code that goes on after `await mutex.acquire(...)`.
 */
export class Scope {
  readonly #parent: Scope | undefined;
  readonly isExplicit: boolean;
  readonly #leases = new Map<Lease, LockRef & { readonly key: string }>();
  #waits = 0;

  constructor(parent: Scope | undefined, isExplicit: boolean) {
    this.#parent = parent;
    this.isExplicit = isExplicit;
  }

  add(ref: LockRef, key: string, lease: Lease): void {
    this.#leases.set(lease, { ...ref, key });
    lease.onEnd(() => this.#leases.delete(lease));
  }

  /** The holds of this lock by this line of work; with `explicitly`, only those that end no sooner than a wait for more. */
  find(key: string, explicitly: boolean): readonly Lease[] {
    const own = this.isExplicit || !explicitly ? this.#held().filter(([, hold]) => hold.key === key) : [];
    return [...own.map(([lease]) => lease), ...(this.#parent?.find(key, explicitly) ?? [])];
  }

  /** Runs a wait of this scope. Two at once show that the scope is not one line of work, after all. */
  async waiting<T>(wait: () => Promise<T>): Promise<T> {
    this.#waits += 1;
    try {
      return await wait();
    } finally {
      this.#waits -= 1;
    }
  }

  /** What a wait for this lock holds up meanwhile; of a semaphore that may be permits of its own. */
  holdsWaitingFor(key: string): readonly Hold[] {
    return this.holdsOf(key, this.#waits <= 1 || this.isExplicit);
  }

  /** Whoever waits inside keeps all that was acquired outside: it is given back only afterwards. */
  private holdsOf(key: string, isOneLine: boolean): readonly Hold[] {
    const own = this.#held().filter(([, hold]) => isOneLine && (hold.kind === "semaphore" || hold.key !== key));
    const holds = own.map(([lease, { key: _, ...ref }]) => ({ ...ref, token: lease.holder.token }));
    return [...(this.#parent?.holdsOf(key, true) ?? []), ...holds];
  }

  #held() {
    return [...this.#leases].filter(([lease]) => lease.isHeld);
  }
}

/** One store for all mutexes of the process: each further one would slow every promise down. */
const storage = new AsyncLocalStorage<ReadonlyMap<object, Scope>>();

/** The scopes of one mutex. */
export class Scopes {
  /** The scope that the code which is running now is in. */
  get current(): Scope | undefined {
    return storage.getStore()?.get(this);
  }

  /** The same; where there is none, the rest of the caller's asynchronous context becomes one. */
  enter(): Scope {
    const known = this.current;
    if (known !== undefined) return known;
    const scope = new Scope(undefined, false);
    storage.enterWith(this.#with(scope));
    return scope;
  }

  /** Runs a function in an explicit scope of its own, inside of the present one. */
  run<T>(scope: Scope, fn: () => T): T {
    return storage.run(this.#with(scope), fn);
  }

  #with(scope: Scope): ReadonlyMap<object, Scope> {
    return new Map(storage.getStore()).set(this, scope);
  }
}
