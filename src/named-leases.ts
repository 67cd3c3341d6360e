import type { Lease } from "./runtime/lease.js";
import type { Scope } from "./runtime/scope.js";

/**
 * What was taken by name and not released yet, and which line of work took it. A call by name is about what its own line of work
 * took, even when that is over: it never ends what another one has taken since. Who has taken nothing means whoever has.
 */
export class NamedLeases {
  readonly #latest = new Map<string, Lease>();
  readonly #byScope = new WeakMap<Scope, Map<string, Lease>>();

  add(key: string, lease: Lease, scope: Scope): void {
    const own = this.#byScope.get(scope) ?? new Map<string, Lease>();
    this.#byScope.set(scope, own);
    for (const leases of [own, this.#latest]) {
      leases.set(key, lease);
      if (leases.size > MAX_REMEMBERED) forgetOldest(leases);
    }
  }

  /** The lease that a call made in this line of work is about, over or not. */
  find(key: string, scope: Scope | undefined): Lease | undefined {
    return this.#ownOf(scope)?.get(key) ?? this.#latest.get(key);
  }

  forget(key: string, lease: Lease, scope?: Scope): void {
    for (const leases of [this.#ownOf(scope), this.#latest]) if (leases?.get(key) === lease) leases.delete(key);
  }

  #ownOf(scope: Scope | undefined): Map<string, Lease> | undefined {
    return scope === undefined ? undefined : this.#byScope.get(scope);
  }
}

/** Leases that ran out are remembered, so that a late release does not end a successor's turn; but not without end. */
const MAX_REMEMBERED = 10_000;

function forgetOldest(leases: Map<string, Lease>): void {
  for (const [key, lease] of leases) {
    if (lease.isHeld) continue;
    leases.delete(key);
    return;
  }
}
