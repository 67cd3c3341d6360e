import { type Claim, type Hold, refKey } from "../../core/record.js";
import { waitGraphOf } from "../../core/waits/wait-graph.js";
import type { HolderReport, LockReport, WaiterReport } from "../../index.js";

/** A waiter for a lock, those whom it waits for, and whether that can end by itself. */
export interface Wait {
  readonly lockName: string;
  readonly waiter: WaiterReport;
  /** Who holds that lock, with leases that last. */
  readonly holders: readonly HolderReport[];
  /** The number of the cycle that it is part of, from 0; undefined where it is in none. */
  readonly cycle: number | undefined;
  /** In no cycle itself, but behind one. */
  readonly isBehindCycle: boolean;
}

/** Who waits for whom. */
export interface WaitGraph {
  /** In the order of the locks, then of service. */
  readonly waits: readonly Wait[];
  /** Who waits for the next one, and the last for the first. */
  readonly cycles: readonly (readonly Wait[])[];
}

/** A wait as core knows it. */
interface Waiting extends Claim, Pick<Wait, "lockName" | "waiter" | "holders"> {
  readonly holds: readonly Hold[];
}

/**
 * Builds the graph from one listing of all locks. Whether two waits belong together is known from what a waiter holds, by lock and
 * token: so what is acquired outside of `withLock` and `mutex.scope` is not seen to belong to anything.
 */
export function waitGraphOfReports(reports: readonly LockReport[]): WaitGraph {
  const locks = reports.map(({ lockName, holders, waiters, limit }) => {
    const live = holders.filter(({ leaseLeftMs }) => leaseLeftMs > 0);
    return { lockName, limit, holders: live, waiters: waiters.map((waiter) => waitingFor(lockName, live, waiter)) };
  });
  const crowds = locks.map(({ lockName, limit, holders, waiters }) => {
    const holding = holders.map(({ mode, fencingToken }) => ({ mode, token: fencingToken }));
    return [refKey({ name: lockName }), { holders: holding, waiters, limit }] as const;
  });
  const { stuck, cycles } = waitGraphOf(new Map(crowds));
  const waits = new Map(
    locks.flatMap(({ waiters }) => waiters).map((waiting) => [waiting, waitOf(waiting, stuck, cycles)]),
  );
  return {
    waits: [...waits.values()],
    cycles: cycles.map((cycle) => cycle.map((waiting) => waits.get(waiting) as Wait)),
  };
}

function waitingFor(lockName: string, holders: readonly HolderReport[], waiter: WaiterReport): Waiting {
  const holds = waiter.holds.map((hold) => ({ name: hold.lockName, token: hold.fencingToken }));
  return { lockName, waiter, holders, mode: waiter.mode, holds };
}

function waitOf(waiting: Waiting, stuck: ReadonlySet<Waiting>, cycles: readonly (readonly Waiting[])[]): Wait {
  const { lockName, waiter, holders } = waiting;
  const cycle = cycles.findIndex((members) => members.includes(waiting));
  const isInNone = cycle === -1;
  return {
    lockName,
    waiter,
    holders,
    cycle: isInNone ? undefined : cycle,
    isBehindCycle: isInNone && stuck.has(waiting),
  };
}
