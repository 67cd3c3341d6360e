import { AsyncLocalStorage } from "node:async_hooks";
import { processWide } from "../../process-wide.js";
import type { Held } from "../base/holdings.js";

/** The leases that functions run under, one inside of the other. It informs and never grants: who asks for an end from within does not wait for itself. */
const guarded = processWide("guarded", () => new AsyncLocalStorage<ReadonlySet<Held>>());

const NONE: ReadonlySet<Held> = new Set();

/** Runs a function under leases: until it has ended, they are in use by it. */
export async function guarding<T>(leases: readonly Held[], fn: () => T | Promise<T>): Promise<T> {
  const ends = leases.map(({ standing }) => standing.guard());
  const around = [...guardsOfCaller()].filter(({ standing }) => !standing.isOver);
  try {
    return await guarded.run(new Set([...around, ...leases]), fn);
  } finally {
    for (const end of ends) end();
  }
}

/** Gives the leases that the code which runs now works under. */
export function guardsOfCaller(): ReadonlySet<Held> {
  return guarded.getStore() ?? NONE;
}

/** Runs a function outside of these leases. */
export function withoutGuards<T>(leases: readonly Held[], fn: () => T): T {
  const left = new Set(leases);
  return guarded.run(new Set([...guardsOfCaller()].filter((lease) => !left.has(lease))), fn);
}
