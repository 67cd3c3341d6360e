import { type Attempt, isExpired, isWaiting } from "../expiry.js";
import { compareRank, type Rank } from "../queue.js";
import { type Hold, type Holder, type LockRecord, type LockRef, refKey, type Waiter } from "../record.js";
import { describeParty } from "../report.js";
import { isOneOfSeveral } from "../shares.js";
import { keptWaiting } from "./wait-graph.js";

/** One edge of a cycle: a lock that a party of the cycle waits for, and the party that holds it. */
export interface CycleEdge {
  readonly lockName: string;
  readonly holder: Holder;
  /** The wait that this holder's scope is stuck in. */
  readonly waiter: Waiter;
}

export type Search =
  | { readonly kind: "none" }
  /** The search cannot go on without these records. */
  | { readonly kind: "read"; readonly refs: readonly LockRef[] }
  | { readonly kind: "cycle"; readonly edges: readonly CycleEdge[] };

/** A step of the walk: a waiter for a lock that the previous step's scope holds. */
interface Step {
  readonly waiter: Waiter;
  /** What it waits for, and by whom in the cycle that is held. */
  readonly lockName: string;
  readonly holder: Holder;
  readonly previous: Step | undefined;
}

/**
 * Looks for a cycle in which this waiter is the victim. It walks backwards: who waits for what I hold, what do they hold, who
 * waits for that, until it meets the lock that I want. It only goes through waiters that come before me when a victim is
 * chosen, so whatever it finds has me as its victim; and as every cycle has exactly one, each cycle is found by one.
 *
 * Where several hold, those that the walk has met may not be enough to keep a waiter waiting: one that wants a permit waits for
 * whichever holder is first.
 */
export function searchCycle(
  wanted: LockRef,
  me: Waiter,
  records: ReadonlyMap<string, LockRecord | undefined>,
  attempt: Attempt,
): Search {
  const missing = new Map<string, LockRef>();
  /** By lock, the holders who cannot go on before I do. */
  const stuck = new Map<string, readonly Holder[]>();
  const seen = new Set<string>();
  let steps: readonly (Step | undefined)[] = [undefined];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next: Step[] = [];
    for (const { hold, step } of steps.flatMap((step) => (step?.waiter ?? me).holds.map((hold) => ({ hold, step })))) {
      const key = refKey(hold);
      const record = records.get(key);
      if (!records.has(key)) missing.set(key, refOf(hold));
      const holder = liveHolder(record, hold, attempt);
      const known = stuck.get(key) ?? [];
      if (record === undefined || holder === undefined || known.includes(holder)) continue;
      stuck.set(key, [...known, holder]);
      const behind = keptWaiting([...known, holder], key, inOrder(record, attempt));
      // The holder of what I want waits for me in the end: the cycle is closed.
      const isClosed = key === refKey(wanted) && step !== undefined && behind.some(({ id }) => id === me.id);
      if (isClosed) return { kind: "cycle", edges: edgesOf(holder, step, me, wanted.name) };
      for (const waiter of behind.filter((one) => compareVictims(me, one) < 0 && !seen.has(one.id))) {
        seen.add(waiter.id);
        next.push({ waiter, lockName: hold.name, holder, previous: step });
      }
    }
    steps = next;
  }
  return missing.size > 0 ? { kind: "read", refs: [...missing.values()] } : { kind: "none" };
}

/** Sorts parties that still wait into the order in which they are served. */
function inOrder({ holders, queue, limit }: LockRecord, attempt: Attempt) {
  return { holders, waiters: queue.filter((one) => isWaiting(one, attempt)).sort(compareRank), limit };
}

function refOf({ kind, name }: Hold): LockRef {
  return kind === undefined ? { name } : { kind, name };
}

/** Longer rings than this are not looked for: each step costs a read, and `npm run bench -- deadlock` has rings of two to five. */
const MAX_DEPTH = 32;

/** Compares two waits: negative when `one` is the victim rather than `other`: the lowest priority, then the youngest wait, then the id. */
export function compareVictims(one: Rank, other: Rank): number {
  return -compareRank(one, other);
}

function liveHolder(record: LockRecord | undefined, hold: Hold, attempt: Attempt): Holder | undefined {
  // A waiter at one of several records of a semaphore takes a permit out of any: no single holder keeps it waiting.
  if (record === undefined || isOneOfSeveral(record)) return undefined;
  return record.holders.find((holder) => holder.token === hold.token && !isExpired(holder, attempt));
}

/** Follows the edges from the lock that I want, along who waits for what, back to a lock that I hold. */
function edgesOf(holderOfWanted: Holder, last: Step, me: Waiter, wanted: string): CycleEdge[] {
  const edges: CycleEdge[] = [{ lockName: wanted, holder: holderOfWanted, waiter: last.waiter }];
  for (let step: Step | undefined = last; step !== undefined; step = step.previous) {
    edges.push({ lockName: step.lockName, holder: step.holder, waiter: step.previous?.waiter ?? me });
  }
  return edges;
}

/** Says whether two searches saw the same: the same waits for the same holds. */
export function isSameCycle(one: readonly CycleEdge[], other: readonly CycleEdge[]): boolean {
  const identity = (edges: readonly CycleEdge[]) =>
    JSON.stringify(edges.map(({ lockName, holder, waiter }) => [waiter.id, holder.id, holder.token, lockName]));
  return identity(one) === identity(other);
}

/** Describes a cycle: `orders (held by web-1:4711) -> invoices (held by job-7:99) -> orders` */
export function describeCycle(edges: readonly CycleEdge[]): string {
  const parts = edges.map(({ lockName, holder }) => `${lockName} (held by ${describeParty(holder)})`);
  return [...parts, edges[0]?.lockName].join(" -> ");
}
