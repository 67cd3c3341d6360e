import { type Claim, type Hold, refKey } from "../../../../core/record.js";
import { waitGraphOf } from "../../../../core/waits/wait-graph.js";
import type { HolderView, LockView, PartyView, WaiterView } from "../../wire.js";

/** A lock, or a party: one line of work, with the locks that it holds and those that it waits for. */
export interface GraphNode {
  readonly id: string;
  readonly kind: "lock" | "party";
  readonly lockName?: string;
  readonly party?: PartyView;
  /** A party that stands for this many, who all wait for one lock and hold nothing. */
  readonly count?: number;
  /** `cycle`: part of a deadlock; `behind`: waits for a part of one. */
  readonly fate: "moving" | "behind" | "cycle";
}

/** From a party to what it waits for, or from a lock to its holder. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: "waits" | "held";
  readonly isInCycle: boolean;
}

export interface WaitGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Waiters who hold nothing are drawn one by one up to here. */
const MAX_PLAIN_WAITERS = 3;

interface Party {
  readonly id: string;
  readonly view: PartyView;
  readonly count: number;
  readonly waitsFor: Set<string>;
}

interface Draft {
  readonly parties: Map<string, Party>;
  readonly locks: Map<string, LockView>;
  /** By lock: the parties that hold it. */
  readonly heldBy: Map<string, Set<string>>;
  /** By waiter that holds something: the party that it is part of. */
  readonly partyOf: Map<WaiterView, string>;
}

/** A wait as core knows it. */
interface Waiting extends Claim {
  readonly lockName: string;
  readonly waiter: WaiterView;
  readonly holds: readonly Hold[];
}

/** Finds out who waits for whom, over all locks that have waiters. A holder whose lease has ended keeps no waiter for long. */
export function waitGraphOfLocks(locks: ReadonlyMap<string, LockView>, nowMs: number): WaitGraph {
  const contended = [...locks.values()]
    .filter((lock) => lock.queue.length > 0)
    .map((lock) => ({ ...lock, holders: lock.holders.filter((holder) => holder.expiresAtMs > nowMs) }));
  const draft = draftOf(contended);
  const { stuck, cycles } = waitGraphOf(new Map(contended.map(crowdOf)));
  const ring = ringOf(cycles, draft);
  const stuckIds = new Set([...stuck].flatMap(({ lockName, waiter }) => [lockId(lockName), idOf(draft, waiter)]));
  const fate = (id: string) => (ring.nodes.has(id) ? "cycle" : stuckIds.has(id) ? "behind" : "moving");
  const parties: GraphNode[] = [...draft.parties.values()].map(({ id, view, count }) => ({
    id,
    kind: "party",
    party: view,
    fate: fate(id),
    ...(count === 1 ? {} : { count }),
  }));
  const drawn: GraphNode[] = [...draft.locks.keys()].map((lockName) => {
    const id = lockId(lockName);
    return { id, kind: "lock", lockName, fate: fate(id) };
  });
  const edges = edgesOf(draft).map((edge) => ({ ...edge, isInCycle: ring.edges.has(edgeKey(edge)) }));
  return { nodes: [...parties, ...drawn], edges };
}

function crowdOf({ name, limit, holders, queue }: LockView) {
  const waiters = queue.map((waiter): Waiting => {
    const holds = waiter.holds.map((hold) => ({ name: hold.lockName, token: hold.token }));
    return { lockName: name, waiter, mode: waiter.mode, holds };
  });
  return [refKey({ name }), { holders, waiters, limit }] as const;
}

/** Finds where in the picture the cycles lead: from a party to the lock that it waits for, and on to the next, which holds that. */
function ringOf(cycles: readonly (readonly Waiting[])[], draft: Draft) {
  const [nodes, edges] = [new Set<string>(), new Set<string>()];
  for (const cycle of cycles) {
    for (const [index, { lockName, waiter }] of cycle.entries()) {
      const next = cycle[(index + 1) % cycle.length] as Waiting;
      const [from, lock, to] = [idOf(draft, waiter), lockId(lockName), idOf(draft, next.waiter)];
      nodes.add(from).add(lock);
      edges.add(edgeKey({ from, to: lock })).add(edgeKey({ from: lock, to }));
    }
  }
  return { nodes, edges };
}

function idOf({ partyOf }: Draft, waiter: WaiterView): string {
  return partyOf.get(waiter) ?? waiter.id;
}

function draftOf(contended: readonly LockView[]): Draft {
  const draft: Draft = { parties: new Map(), locks: new Map(), heldBy: new Map(), partyOf: new Map() };
  // Waiters who hold something come first: a hold tells that a holder elsewhere is the same line of work.
  const partyByHold = new Map<string, string>();
  for (const lock of contended) {
    for (const waiter of lock.queue) if (waiter.holds.length > 0) addBusyWaiter(draft, partyByHold, lock, waiter);
  }
  for (const lock of contended) {
    const plain = lock.queue.filter((waiter) => waiter.holds.length === 0);
    const shown = plain.length > MAX_PLAIN_WAITERS + 1 ? plain.slice(0, MAX_PLAIN_WAITERS) : plain;
    for (const waiter of shown) addParty(draft, waiter.id, waiter, 1).waitsFor.add(lock.name);
    const [first] = plain.slice(shown.length);
    if (first !== undefined) addParty(draft, first.id, first, plain.length - shown.length).waitsFor.add(lock.name);
    draft.locks.set(lock.name, lock);
  }
  for (const lock of draft.locks.values()) addHolders(draft, partyByHold, lock);
  return draft;
}

function addBusyWaiter(draft: Draft, partyByHold: Map<string, string>, lock: LockView, waiter: WaiterView): void {
  const keys = waiter.holds.map(({ lockName, token }) => holdKey(lockName, token));
  const id = keys.map((key) => partyByHold.get(key)).find((known) => known !== undefined) ?? waiter.id;
  for (const key of keys) partyByHold.set(key, id);
  draft.partyOf.set(waiter, id);
  addParty(draft, id, waiter, 1).waitsFor.add(lock.name);
}

function addHolders(draft: Draft, partyByHold: ReadonlyMap<string, string>, lock: LockView): void {
  const holders = lock.holders.map((holder: HolderView) => {
    const id = partyByHold.get(holdKey(lock.name, holder.token)) ?? holder.id;
    return addParty(draft, id, holder, 1).id;
  });
  draft.heldBy.set(lock.name, new Set(holders));
}

function addParty(draft: Draft, id: string, view: PartyView, count: number): Party {
  const known = draft.parties.get(id);
  if (known !== undefined) return known;
  const party = { id, view, count, waitsFor: new Set<string>() };
  draft.parties.set(id, party);
  return party;
}

function edgesOf({ parties, heldBy }: Draft): Omit<GraphEdge, "isInCycle">[] {
  const waits = [...parties.values()].flatMap(({ id, waitsFor }) =>
    [...waitsFor].map((lockName) => ({ from: id, to: lockId(lockName), kind: "waits" as const })),
  );
  const held = [...heldBy].flatMap(([lockName, holders]) =>
    [...holders].map((id) => ({ from: lockId(lockName), to: id, kind: "held" as const })),
  );
  return [...waits, ...held];
}

function edgeKey({ from, to }: { readonly from: string; readonly to: string }): string {
  return JSON.stringify([from, to]);
}

function lockId(lockName: string): string {
  return `lock ${lockName}`;
}

function holdKey(lockName: string, token: number): string {
  return `${token} ${lockName}`;
}
