import { AsyncLocalStorage } from "node:async_hooks";
import type { Lease } from "./lease.js";

/** Functions that run under leases, one inside of the other. */
interface Guarded {
  readonly leases: readonly Lease[];
  readonly outer: Guarded | undefined;
}

/** Informs, and never grants: who asks for an end from within does not wait for itself. */
const guarded = new AsyncLocalStorage<Guarded>();

/** Runs a function under leases: until it has ended, they are in use by it. */
export async function guarding<T>(leases: readonly Lease[], fn: () => T | Promise<T>): Promise<T> {
  const ends = leases.map(({ standing }) => standing.guard());
  try {
    return await guarded.run({ leases, outer: guarded.getStore() }, fn);
  } finally {
    for (const end of ends) end();
  }
}

/** The leases that the code which runs now works under. */
export function guardsOfCaller(): ReadonlySet<Lease> {
  const leases = new Set<Lease>();
  for (let level = guarded.getStore(); level !== undefined; level = level.outer) {
    for (const lease of level.leases) leases.add(lease);
  }
  return leases;
}
