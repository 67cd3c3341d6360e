import { type Attempt, hasRunOut, isWaiting } from "./attempt.js";
import { compareRank, type Rank } from "./queue.js";
import type { Hold, Holder, LockRecord, Waiter } from "./record.js";

/** One edge of a cycle: a lock that somebody in it waits for, and who in it holds that lock. */
export interface CycleEdge {
  readonly lockName: string;
  readonly holder: Holder;
  /** The wait that this holder's scope is stuck in. */
  readonly waiter: Waiter;
}

export type Search =
  | { readonly kind: "none" }
  /** The search cannot go on without these records. */
  | { readonly kind: "read"; readonly names: readonly string[] }
  | { readonly kind: "cycle"; readonly edges: readonly CycleEdge[] };

/** A step of the walk: somebody who waits for a lock that the previous step's scope holds. */
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
 */
export function searchCycle(
  wanted: string,
  me: Waiter,
  records: ReadonlyMap<string, LockRecord | undefined>,
  attempt: Attempt,
): Search {
  const missing = new Set<string>();
  const seen = new Set<string>();
  let steps: readonly (Step | undefined)[] = [undefined];
  for (let depth = 0; depth < MAX_DEPTH && steps.length > 0; depth += 1) {
    const next: Step[] = [];
    for (const { hold, step } of steps.flatMap((step) => (step?.waiter ?? me).holds.map((hold) => ({ hold, step })))) {
      const record = records.get(hold.name);
      if (!records.has(hold.name)) missing.add(hold.name);
      const holder = liveHolder(record, hold, attempt);
      if (record === undefined || holder === undefined || seen.has(keyOf(hold))) continue;
      // The scope of this step holds what I want: the cycle is closed.
      if (hold.name === wanted && step !== undefined)
        return { kind: "cycle", edges: edgesOf(holder, step, me, wanted) };
      seen.add(keyOf(hold));
      for (const waiter of waitersBefore(me, record, attempt))
        next.push({ waiter, lockName: hold.name, holder, previous: step });
    }
    steps = next;
  }
  return missing.size > 0 ? { kind: "read", names: [...missing] } : { kind: "none" };
}

/** Who waits for this lock and would not be the victim rather than me. */
function waitersBefore(me: Waiter, record: LockRecord, attempt: Attempt): readonly Waiter[] {
  return record.queue.filter(
    (other) => other.id !== me.id && isWaiting(other, attempt) && compareVictims(me, other) < 0,
  );
}

/** Longer rings than this are not looked for. */
const MAX_DEPTH = 32;

/** Negative when `one` is the victim rather than `other`: the lowest priority, then the youngest wait, then the id. */
export function compareVictims(one: Rank, other: Rank): number {
  return -compareRank(one, other);
}

function liveHolder(record: LockRecord | undefined, hold: Hold, attempt: Attempt): Holder | undefined {
  return record?.holders.find((holder) => holder.token === hold.token && !hasRunOut(holder, attempt));
}

function keyOf({ name, token }: Hold): string {
  return `${token} ${name}`;
}

/** From the lock that I want, along who waits for what, back to a lock that I hold. */
function edgesOf(holderOfWanted: Holder, last: Step, me: Waiter, wanted: string): CycleEdge[] {
  const edges: CycleEdge[] = [{ lockName: wanted, holder: holderOfWanted, waiter: last.waiter }];
  for (let step: Step | undefined = last; step !== undefined; step = step.previous) {
    edges.push({ lockName: step.lockName, holder: step.holder, waiter: step.previous?.waiter ?? me });
  }
  return edges;
}

/** Whether two looks saw the same: the same waits for the same holds. */
export function isSameCycle(one: readonly CycleEdge[], other: readonly CycleEdge[]): boolean {
  const identity = (edges: readonly CycleEdge[]) =>
    edges.map(({ lockName, holder, waiter }) => `${waiter.id} ${holder.id} ${holder.token} ${lockName}`).join("\n");
  return identity(one) === identity(other);
}

/** `orders (held by web-1:4711) -> invoices (held by job-7:99) -> orders` */
export function describeCycle(edges: readonly CycleEdge[]): string {
  const parts = edges.map(({ lockName, holder }) => `${lockName} (held by ${describeHolder(holder)})`);
  return [...parts, edges[0]?.lockName].join(" -> ");
}

function describeHolder({ host, pid, label, owner }: Holder): string {
  const place = host === undefined ? owner : `${host}:${pid}`;
  return label === undefined ? place : `${label}, ${place}`;
}
