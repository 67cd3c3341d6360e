import { AsyncLocalStorage } from "node:async_hooks";
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
  readonly #leases = new Map<string, { readonly name: string; readonly lease: Lease }>();
  #waits = 0;

  constructor(parent: Scope | undefined, isExplicit: boolean) {
    this.#parent = parent;
    this.isExplicit = isExplicit;
  }

  add(name: string, key: string, lease: Lease): void {
    this.#leases.set(key, { name, lease });
    lease.onEnd(() => {
      if (this.#leases.get(key)?.lease === lease) this.#leases.delete(key);
    });
  }

  /** The hold of this lock by this line of work; with `explicitly`, only where asking again could never succeed. */
  find(key: string, explicitly: boolean): Lease | undefined {
    const lease = this.#leases.get(key)?.lease;
    if (lease?.isHeld && (this.isExplicit || !explicitly)) return lease;
    return this.#parent?.find(key, explicitly);
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

  /** What a wait for this lock holds up meanwhile. */
  holdsBesides(key: string): readonly Hold[] {
    const own =
      this.#waits > 1 && !this.isExplicit
        ? []
        : [...this.#leases].filter(([other, { lease }]) => other !== key && lease.isHeld);
    const inherited = this.#parent?.inheritedHolds(key) ?? [];
    return [...inherited, ...own.map(([, { name, lease }]) => ({ name, token: lease.holder.token }))];
  }

  /** Whoever waits inside keeps all that was acquired outside: it is given back only afterwards. */
  private inheritedHolds(key: string): readonly Hold[] {
    const own = [...this.#leases].filter(([other, { lease }]) => other !== key && lease.isHeld);
    const inherited = this.#parent?.inheritedHolds(key) ?? [];
    return [...inherited, ...own.map(([, { name, lease }]) => ({ name, token: lease.holder.token }))];
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
