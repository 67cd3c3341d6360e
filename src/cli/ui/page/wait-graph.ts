import type { HolderView, LockView, PartyView, WaiterView } from "../wire.js";

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

/** From a party to what it waits for, or from a lock to who holds it. */
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
}

/** Who waits for whom, over all locks that anybody waits for. Who has let a lease end keeps nobody waiting for long. */
export function waitGraphOf(locks: ReadonlyMap<string, LockView>, nowMs: number): WaitGraph {
  const contended = [...locks.values()].filter((lock) => lock.queue.length > 0);
  const draft = draftOf(
    contended.map((lock) => ({ ...lock, holders: lock.holders.filter((holder) => holder.expiresAtMs > nowMs) })),
  );
  const stuck = stuckParties(draft);
  const edges = edgesOf(draft);
  const rings = ringsOf(edges, stuck, draft);
  const fate = (id: string, isStuck: boolean) => (rings.has(id) ? "cycle" : isStuck ? "behind" : "moving");
  const nodes: GraphNode[] = [...draft.parties.values()].map(({ id, view, count }) => ({
    id,
    kind: "party",
    party: view,
    fate: fate(id, stuck.has(id)),
    ...(count === 1 ? {} : { count }),
  }));
  for (const lockName of draft.locks.keys()) {
    const id = lockId(lockName);
    const isStuck = !canBecomeFree(lockName, draft, stuck);
    nodes.push({ id, kind: "lock", lockName, fate: fate(id, isStuck) });
  }
  return { nodes, edges: edges.map((edge) => ({ ...edge, isInCycle: isOfRing(rings, edge) })) };
}

function draftOf(contended: readonly LockView[]): Draft {
  const draft: Draft = { parties: new Map(), locks: new Map(), heldBy: new Map() };
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

/** Whoever cannot go on, whatever those who can do: what is left when these, and what they free, are taken away. */
function stuckParties(draft: Draft): ReadonlySet<string> {
  const stuck = new Set([...draft.parties.values()].flatMap(({ id, waitsFor }) => (waitsFor.size > 0 ? [id] : [])));
  for (let before = -1; before !== stuck.size; ) {
    before = stuck.size;
    for (const id of stuck) {
      const waitsFor = draft.parties.get(id)?.waitsFor ?? [];
      if ([...waitsFor].every((lockName) => canBecomeFree(lockName, draft, stuck))) stuck.delete(id);
    }
  }
  return stuck;
}

/** One permit is enough for the next; readers must all be gone. */
function canBecomeFree(lockName: string, { locks, heldBy }: Draft, stuck: ReadonlySet<string>): boolean {
  const holders = [...(heldBy.get(lockName) ?? [])];
  const lock = locks.get(lockName);
  if (lock === undefined || holders.length === 0) return true;
  const areReaders = lock.holders.some((holder) => holder.mode === "shared");
  if (!areReaders && holders.length < lock.limit) return true;
  return areReaders ? holders.every((id) => !stuck.has(id)) : holders.some((id) => !stuck.has(id));
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

/** Of those who are stuck: each that can be reached from itself, with the ring that it belongs to. */
function ringsOf(
  edges: readonly Omit<GraphEdge, "isInCycle">[],
  stuck: ReadonlySet<string>,
  draft: Draft,
): ReadonlyMap<string, string> {
  const isStuck = (id: string) =>
    stuck.has(id) || (id.startsWith(LOCK) && !canBecomeFree(id.slice(LOCK.length), draft, stuck));
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (isStuck(from) && isStuck(to)) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const reach = new Map([...next.keys()].map((id) => [id, reachableFrom(id, next)]));
  const rings = new Map<string, string>();
  for (const [id, reached] of reach) {
    if (!reached.has(id)) continue;
    const members = [...reached].filter((other) => reach.get(other)?.has(id));
    rings.set(id, members.sort()[0] ?? id);
  }
  return rings;
}

function isOfRing(
  rings: ReadonlyMap<string, string>,
  { from, to }: { readonly from: string; readonly to: string },
): boolean {
  return rings.has(from) && rings.get(from) === rings.get(to);
}

function reachableFrom(start: string, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...(next.get(id) ?? []));
  }
  return reached;
}

const LOCK = "lock ";

function lockId(lockName: string): string {
  return `${LOCK}${lockName}`;
}

function holdKey(lockName: string, token: number): string {
  return `${token} ${lockName}`;
}
