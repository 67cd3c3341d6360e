import type { HolderReport, LockReport, WaiterReport } from "../../index.js";

/** Somebody who waits for a lock, those whom it waits for, and whether that can end by itself. */
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

interface Node {
  readonly lockName: string;
  readonly waiter: WaiterReport;
  readonly holders: readonly HolderReport[];
  /** For each holder: the waits that it is stuck in itself; none where it is at work. */
  readonly behind: readonly (readonly Node[])[];
  /** Whether all of the holders have to leave; otherwise one will do. */
  readonly needsAll: boolean;
}

/**
 * Built from one look at all locks. Whether two waits belong together is known from what a waiter holds, by lock and token:
 * so what is acquired outside of `withLock` and `mutex.scope` is not seen to belong to anything.
 */
export function waitGraphOf(reports: readonly LockReport[]): WaitGraph {
  const nodes = nodesOf(reports);
  const stuck = stuckAmong(nodes);
  const cycles = cyclesAmong(stuck);
  const waits = new Map(nodes.map((node) => [node, waitOf(node, stuck, cycles)]));
  return {
    waits: [...waits.values()],
    cycles: cycles.map((cycle) => cycle.map((node) => waits.get(node) as Wait)),
  };
}

function waitOf(node: Node, stuck: ReadonlySet<Node>, cycles: readonly (readonly Node[])[]): Wait {
  const { lockName, waiter, holders } = node;
  const cycle = cycles.findIndex((members) => members.includes(node));
  return {
    lockName,
    waiter,
    holders,
    cycle: cycle === -1 ? undefined : cycle,
    isBehindCycle: cycle === -1 && stuck.has(node),
  };
}

function nodesOf(reports: readonly LockReport[]): Node[] {
  const byHold = new Map<string, Node[]>();
  const nodes = reports.flatMap((report) => {
    const holders = report.holders.filter(({ leaseLeftMs }) => leaseLeftMs > 0);
    return report.waiters.map((waiter) => {
      // Readers keep a writer out each by itself; of several permits, one that comes back will do.
      const needsAll = holders.some(({ mode }) => mode === "shared") || waiter.mode === "shared";
      const node = { lockName: report.lockName, waiter, holders, behind: [] as Node[][], needsAll };
      for (const hold of waiter.holds) {
        const key = keyOf(hold.lockName, hold.fencingToken);
        byHold.set(key, [...(byHold.get(key) ?? []), node]);
      }
      return node;
    });
  });
  for (const node of nodes) {
    for (const holder of node.holders) node.behind.push(byHold.get(keyOf(node.lockName, holder.fencingToken)) ?? []);
  }
  return nodes;
}

function keyOf(lockName: string, fencingToken: number): string {
  return `${fencingToken} ${lockName}`;
}

/** Those who cannot go on unless somebody gives way: what is left when all who can are taken out, again and again. */
function stuckAmong(nodes: readonly Node[]): ReadonlySet<Node> {
  const stuck = new Set(nodes);
  for (let size = -1; size !== stuck.size; ) {
    size = stuck.size;
    for (const node of stuck) {
      const isStuck = (waits: readonly Node[]) => waits.some((other) => stuck.has(other));
      const cannot = node.needsAll ? node.behind.some(isStuck) : node.behind.length > 0 && node.behind.every(isStuck);
      if (!cannot) stuck.delete(node);
    }
  }
  return stuck;
}

/** Walks on from each until it meets itself, or somebody whom an earlier walk has met. */
function cyclesAmong(stuck: ReadonlySet<Node>): readonly (readonly Node[])[] {
  const cycles: (readonly Node[])[] = [];
  const visited = new Set<Node>();
  for (const start of stuck) {
    const path: Node[] = [];
    let node: Node | undefined = start;
    while (node !== undefined && !visited.has(node)) {
      visited.add(node);
      path.push(node);
      node = node.behind.flat().find((other) => stuck.has(other));
    }
    const from = node === undefined ? -1 : path.indexOf(node);
    if (from !== -1) cycles.push(path.slice(from));
  }
  return cycles;
}
