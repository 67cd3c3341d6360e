import { areCompatible, type Claim, type Hold, refKey } from "../record.js";

/** What it takes to know of a hold. */
export interface HoldingParty extends Claim {
  readonly token: number;
}

/** What it takes to know of a wait: what is wanted, and what is held meanwhile. */
export interface WaitingParty extends Claim {
  readonly holds: readonly Hold[];
}

/** A lock, or a semaphore: who has it, and who waits for it, in the order in which they are served. */
export interface Crowd<Holding extends HoldingParty, Waiting extends WaitingParty> {
  readonly holders: readonly Holding[];
  readonly waiters: readonly Waiting[];
  readonly limit: number;
}

/**
 * Finds the waiters that cannot be served before these holders have gone: each that does not fit beside them,
 * beside what it has of the same semaphore already, or beside waiters ahead of it that cannot be served either.
 */
export function keptWaiting<Holding extends HoldingParty, Waiting extends WaitingParty>(
  staying: readonly Holding[],
  key: string,
  { holders, waiters, limit }: Crowd<Holding, Waiting>,
): readonly Waiting[] {
  const kept: Waiting[] = [];
  for (const waiter of waiters) {
    const ownTokens = waiter.holds.filter((hold) => refKey(hold) === key).map(({ token }) => token);
    const ahead = holders.filter((holder) => staying.includes(holder) || ownTokens.includes(holder.token));
    if (!areCompatible([...ahead, ...kept, waiter], limit)) kept.push(waiter);
  }
  return kept;
}

/** Who waits for whom, over all locks. */
export interface WaitGraph<Waiting> {
  /** The waits that cannot end unless a party gives way: those of cycles, and those behind one. */
  readonly stuck: ReadonlySet<Waiting>;
  /** Each waits for a lock that a party of the next one's holds, and the last for one of the first's. */
  readonly cycles: readonly (readonly Waiting[])[];
}

/**
 * Looks at all locks at once, as people do: for each, by its `refKey`, who holds it with a lease that lasts, and who waits. Whether a
 * holder and a waiter are one party is known by what the waiter holds. A waiter that searches for itself reads no more than its way
 * takes: see `searchCycle`.
 */
export function waitGraphOf<Holding extends HoldingParty, Waiting extends WaitingParty>(
  locks: ReadonlyMap<string, Crowd<Holding, Waiting>>,
): WaitGraph<Waiting> {
  const stuck = stuckIn(locks);
  const waitsByHold = byHold(stuck);
  const next = new Map<Waiting, readonly Waiting[]>();
  for (const [key, { holders, waiters }] of locks) {
    const waits = holders.flatMap(({ token }) => waitsByHold.get(holdKey(key, token)) ?? []);
    for (const waiter of waiters) next.set(waiter, waits);
  }
  const cycles: (readonly Waiting[])[] = [];
  for (const waiter of stuck) {
    const isKnown = cycles.some((cycle) => cycle.includes(waiter));
    const cycle = isKnown ? undefined : shortestCycle(waiter, next);
    if (cycle !== undefined) cycles.push(cycle);
  }
  return { stuck, cycles };
}

/** Finds what is left when all that can be served are taken out, again and again. */
function stuckIn<Holding extends HoldingParty, Waiting extends WaitingParty>(
  locks: ReadonlyMap<string, Crowd<Holding, Waiting>>,
): ReadonlySet<Waiting> {
  let stuck = [...locks.values()].flatMap(({ waiters }) => waiters);
  for (let before = -1; before !== stuck.length; ) {
    before = stuck.length;
    const waits = byHold(stuck);
    const kept = new Set(
      [...locks].flatMap(([key, lock]) => {
        const staying = lock.holders.filter(({ token }) => waits.has(holdKey(key, token)));
        return keptWaiting(staying, key, lock);
      }),
    );
    stuck = stuck.filter((waiter) => kept.has(waiter));
  }
  return new Set(stuck);
}

/** Walks along who waits for whom, one step further from all that it has met, until it meets the first again. */
function shortestCycle<Waiting>(
  start: Waiting,
  next: ReadonlyMap<Waiting, readonly Waiting[]>,
): readonly Waiting[] | undefined {
  const paths = new Map<Waiting, readonly Waiting[]>([[start, [start]]]);
  for (const [at, path] of paths) {
    for (const other of next.get(at) as readonly Waiting[]) {
      if (other === start) return path;
      if (!paths.has(other)) paths.set(other, [...path, other]);
    }
  }
  return undefined;
}

function byHold<Waiting extends WaitingParty>(waiting: Iterable<Waiting>): ReadonlyMap<string, readonly Waiting[]> {
  const waits = new Map<string, Waiting[]>();
  for (const waiter of waiting) {
    for (const hold of waiter.holds) {
      const key = holdKey(refKey(hold), hold.token);
      waits.set(key, [...(waits.get(key) ?? []), waiter]);
    }
  }
  return waits;
}

function holdKey(key: string, token: number): string {
  return `${token} ${key}`;
}
