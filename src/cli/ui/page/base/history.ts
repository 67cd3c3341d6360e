import type { Delta, HolderView, LockView, PartyView, Snapshot, TurnView } from "../../wire.js";

/** A hold that has ended or goes on. */
export interface Stint extends PartyView {
  readonly token: number;
  readonly fromMs: number;
  /** Absent while it goes on. */
  readonly toMs?: number;
  /** Until when it is held if it is not renewed; only while it goes on. */
  readonly expiresAtMs?: number;
  /** `unseen`: it was gone before the first look, and its record has forgotten it. */
  readonly ended?: string;
}

/** How long a party waited that this page saw both waiting and holding. */
export interface Wait {
  readonly lockName: string;
  readonly grantedAtMs: number;
  readonly waitedMs: number;
}

export interface Sample {
  readonly atMs: number;
  readonly waiting: number;
  readonly held: number;
}

const STINTS_OF_ONE_LOCK = 80;
/** Locks that are gone and still remembered: names are often made for one occasion. */
const MAX_GONE = 1000;
const MAX_WAITS = 2000;
/** An hour, at one a second. */
const MAX_SAMPLES = 3600;

/**
 * All that the page knows: the locks as they are, and what can be said about before from the records' own recent turns and
 * from what was seen since the page was opened.
 */
export class History {
  readonly locks = new Map<string, LockView>();
  readonly waits: Wait[] = [];
  readonly samples: Sample[] = [];
  readonly #stints = new Map<string, Map<string, Stint>>();

  /** Takes everything anew; what was learned about the past stays. */
  takeSnapshot({ locks, status }: Snapshot): void {
    const names = new Set(locks.map((lock) => lock.name));
    const removed = [...this.locks.keys()].filter((name) => !names.has(name));
    this.takeDelta({ changed: locks, removed, status });
  }

  takeDelta({ changed, removed, status }: Delta): void {
    for (const name of removed) this.#remove(name, status.nowMs);
    for (const lock of changed) this.#take(lock, status.nowMs);
    if (status.isRead && status.error === undefined) this.#sample(status.nowMs);
  }

  /** Lists what is known of a lock's holds, oldest first. */
  stintsOf(lockName: string): readonly Stint[] {
    return [...(this.#stints.get(lockName)?.values() ?? [])].sort((one, other) => one.fromMs - other.fromMs);
  }

  #take(lock: LockView, nowMs: number): void {
    const before = this.locks.get(lock.name);
    this.locks.set(lock.name, lock);
    const since = new Map(before?.queue.map((waiter) => [waiter.id, waiter.sinceMs]));
    for (const holder of lock.holders) {
      const waitingSinceMs = since.get(holder.id);
      if (waitingSinceMs !== undefined) this.#granted(lock.name, holder, waitingSinceMs);
    }
    this.#record(lock, nowMs);
  }

  #record(lock: LockView, nowMs: number): void {
    const stints = this.#stints.get(lock.name) ?? new Map<string, Stint>();
    this.#stints.set(lock.name, stints);
    for (const holder of lock.holders) stints.set(keyOf(holder), stintOf(holder));
    for (const turn of lock.turns) stints.set(keyOf(turn), turn);
    const holding = new Set(lock.holders.map(keyOf));
    for (const [key, stint] of stints) {
      if (stint.toMs !== undefined || holding.has(key)) continue;
      const { expiresAtMs: _, ...known } = stint;
      stints.set(key, { ...known, toMs: endOf(stint, nowMs), ended: "unseen" });
    }
    // A map keeps the order in which things were learned, so what goes first is what has been known longest.
    for (const key of stints.keys()) {
      if (stints.size <= STINTS_OF_ONE_LOCK) break;
      if (!holding.has(key)) stints.delete(key);
    }
  }

  #remove(name: string, nowMs: number): void {
    const lock = this.locks.get(name);
    if (lock !== undefined) this.#record({ ...lock, holders: [], turns: [] }, nowMs);
    this.locks.delete(name);
    if (this.#stints.size > this.locks.size + MAX_GONE) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const name of this.#stints.keys()) {
      if (this.locks.has(name)) continue;
      this.#stints.delete(name);
      return;
    }
  }

  #granted(lockName: string, { sinceMs }: HolderView, waitingSinceMs: number): void {
    this.waits.push({ lockName, grantedAtMs: sinceMs, waitedMs: Math.max(0, sinceMs - waitingSinceMs) });
    if (this.waits.length > MAX_WAITS) this.waits.splice(0, this.waits.length - MAX_WAITS);
  }

  #sample(atMs: number): void {
    let waiting = 0;
    let held = 0;
    for (const { queue, holders } of this.locks.values()) {
      waiting += queue.length;
      if (holders.some((holder) => holder.expiresAtMs > atMs)) held += 1;
    }
    this.samples.push({ atMs, waiting, held });
    if (this.samples.length > MAX_SAMPLES) this.samples.splice(0, this.samples.length - MAX_SAMPLES);
  }
}

/** Says when a hold ended, or up to when it is known to go on: the process may have died, and its lease ends all the same. */
export function endOf(
  { toMs, expiresAtMs = Number.POSITIVE_INFINITY }: Pick<Stint, "toMs" | "expiresAtMs">,
  nowMs: number,
): number {
  return toMs ?? Math.min(nowMs, expiresAtMs);
}

/** Measures a hold up to now, or to the end of its lease, as `heldMs` of a report. */
export function heldMsOf({ sinceMs, expiresAtMs }: HolderView, nowMs: number): number {
  return endOf({ expiresAtMs }, nowMs) - sinceMs;
}

function keyOf({ id, token }: HolderView | TurnView): string {
  return `${token} ${id}`;
}

function stintOf({ id, owner, host, pid, label, token, sinceMs, expiresAtMs }: HolderView): Stint {
  return {
    id,
    owner,
    token,
    fromMs: sinceMs,
    expiresAtMs,
    ...(host === undefined ? {} : { host }),
    ...(pid === undefined ? {} : { pid }),
    ...(label === undefined ? {} : { label }),
  };
}
