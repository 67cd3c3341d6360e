import { isExpired, isWaiting } from "./expiry.js";
import { proofsIn, type Versions } from "./proof.js";
import { compareRank } from "./queue.js";
import {
  type Hold,
  type Holder,
  type Identity,
  identityOf,
  isReleased,
  type LockRecord,
  type Mode,
  type Turn,
  type TurnEnd,
  type Waiter,
} from "./record.js";
import type { StoreTime } from "./store-time.js";

/**
 * What one lock's object says, for people: never a reason to believe that one has the lock. Times are epoch milliseconds of
 * the store's clock. By its `state`, what is unreadable has a `problem`, and everything else a `writtenAt`.
 */
export type LockReport = ReadableLockReport | UnreadableLockReport;

/** What reports of all states have. */
export interface LockReportBase {
  readonly lockName: string;
  /** The object in the bucket. */
  readonly key: string;
  /** When this was so. */
  readonly reportedAt: number;
  /** The highest fencing token that was granted so far. */
  readonly fencingToken: number;
  /** How many exclusive holders there may be: 1 for a mutex. */
  readonly limit: number;
  readonly holders: readonly HolderReport[];
  /** Who waits, in the order in which they are served. */
  readonly waiters: readonly WaiterReport[];
  /** The last few turns, newest first. */
  readonly recentTurns: readonly TurnReport[];
}

/** What a lock's record says. */
export interface ReadableLockReport extends LockReportBase {
  /** `expired`: there are holders, and the leases of all of them have ended; the next caller that asks may have the lock. */
  readonly state: "held" | "expired" | "free";
  /** When the object was last written. */
  readonly writtenAt: number;
  /** When the store was seen to honour conditions (`verify: "auto"`), once for each way to it; missing where the record says nothing of it. */
  readonly storeProofs?: readonly StoreProofReport[];
  readonly problem?: undefined;
}

/** That a process has seen the store honour conditions. Whether another one goes by it depends on how it reaches the store. */
export interface StoreProofReport {
  readonly checkedAt: number;
  /** Whether the bucket kept versions then. */
  readonly versioning: Versions;
}

/** That an object could not be read as a lock: it has no holders, no waiters, no turns, and token 0. */
export interface UnreadableLockReport extends LockReportBase {
  readonly state: "unreadable";
  readonly writtenAt?: undefined;
  /** Why. */
  readonly problem: LockProblem;
}

/** Why an object is not read as a lock, or could not be read at all. */
export interface LockProblem {
  readonly code: string;
  readonly message: string;
}

/** A holder or a waiter, as far as the record says. */
export interface PartyReport {
  /** The id of the acquisition, as in the events of a mutex. */
  readonly acquisitionId: string;
  readonly owner: string;
  readonly host?: string;
  readonly pid?: number;
  readonly label?: string;
}

/** A holder of the lock, or one whose lease has ended and that was not replaced. */
export interface HolderReport extends PartyReport {
  /** `name`: by `acquireLock`; `handle`: with a `Lock`. */
  readonly via: "name" | "handle";
  readonly mode: Mode;
  /** How many permits of a semaphore; 1 for locks. */
  readonly permits: number;
  readonly fencingToken: number;
  readonly priority: number;
  readonly leaseMs: number;
  readonly acquiredAt: number;
  readonly renewedAt: number;
  readonly expiresAt: number;
  /** When it was given back: no work goes on under it, and it stays held until `expiresAt` because of its `holdAtLeastMs`. */
  readonly releasedAt?: number;
  /** Up to now, or to the end of its lease where that is over: the record cannot tell whether it lives. */
  readonly heldMs: number;
  /** What is left of the lease; zero or less when it has ended. */
  readonly leaseLeftMs: number;
}

/** A waiter. */
export interface WaiterReport extends PartyReport {
  /** How many are served before. */
  readonly position: number;
  readonly mode: Mode;
  /** How many permits of a semaphore it waits for; 1 for locks. */
  readonly permits: number;
  readonly priority: number;
  readonly waitingSince: number;
  readonly waitedMs: number;
  /** The locks and permits that it holds meanwhile, as far as they belong to the same line of work. */
  readonly holds: readonly HoldReport[];
}

/** A lock that a waiter holds, or a semaphore that it holds permits of: `lockName` is the name of either. */
export interface HoldReport {
  readonly lockName: string;
  readonly fencingToken: number;
}

/** A turn that has ended. */
export interface TurnReport extends PartyReport {
  readonly fencingToken: number;
  readonly acquiredAt: number;
  readonly endedAt: number;
  readonly heldMs: number;
  readonly ended: TurnEnd;
}

/** Which lock a report is about, and when it is made. */
export interface Occasion {
  readonly lockName: string;
  readonly key: string;
  readonly now: StoreTime;
  /** As for an attempt. */
  readonly lacksStoreTime?: boolean;
}

/** Makes the report about a record that was read. */
export function reportOf(record: LockRecord, occasion: Occasion): ReadableLockReport {
  const { lockName, key, now } = occasion;
  const waiters = record.queue.filter((waiter) => isWaiting(waiter, { now })).sort(compareRank);
  // What was given back in time is over when its time is, and its holder has not failed to renew it.
  const holders = record.holders.filter((holder) => !isReleased(holder) || !isExpired(holder, occasion));
  const isHeld = holders.some((holder) => !isExpired(holder, occasion));
  return {
    lockName,
    key,
    state: isHeld ? "held" : holders.length > 0 ? "expired" : "free",
    reportedAt: Math.floor(now.earliestMs),
    fencingToken: record.token,
    limit: record.limit,
    holders: holders.map((holder) => holderReport(holder, now.earliestMs)),
    waiters: waiters.map((waiter, position) => waiterReport(waiter, position, now.earliestMs)),
    recentTurns: record.recent.map(turnReport),
    writtenAt: record.touchedAtMs,
    ...storeProofsOf(record),
  };
}

/** Makes the report about an object that is not a record this version can read, or that could not be read. */
export function unreadableReport(
  { code, message }: LockProblem,
  { lockName, key, now }: Occasion,
): UnreadableLockReport {
  const nothing = { fencingToken: 0, limit: 1, holders: [], waiters: [], recentTurns: [] };
  return {
    lockName,
    key,
    state: "unreadable",
    reportedAt: Math.floor(now.earliestMs),
    ...nothing,
    problem: { code, message },
  };
}

function storeProofsOf({ proofs }: LockRecord): Pick<ReadableLockReport, "storeProofs"> {
  const storeProofs = proofsIn(proofs).map(({ atMs, versions }) => ({ checkedAt: atMs, versioning: versions }));
  return storeProofs.length === 0 ? {} : { storeProofs };
}

function partyReport(party: Identity & { readonly id: string; readonly owner: string }) {
  return { acquisitionId: party.id, owner: party.owner, ...identityOf(party) };
}

function holderReport(holder: Holder, nowMs: number): HolderReport {
  return {
    ...partyReport(holder),
    via: holder.via,
    mode: holder.mode,
    permits: holder.permits ?? 1,
    fencingToken: holder.token,
    priority: holder.priority,
    leaseMs: holder.leaseMs,
    acquiredAt: holder.acquiredAtMs,
    renewedAt: holder.renewedAtMs,
    expiresAt: holder.expiresAtMs,
    ...(holder.releasedAtMs === undefined ? {} : { releasedAt: holder.releasedAtMs }),
    // Store time is known to fractions of a millisecond.
    heldMs: Math.round(Math.max(0, Math.min(nowMs, holder.expiresAtMs) - holder.acquiredAtMs)),
    leaseLeftMs: Math.round(holder.expiresAtMs - nowMs),
  };
}

function waiterReport(waiter: Waiter, position: number, nowMs: number): WaiterReport {
  return {
    ...partyReport(waiter),
    position,
    mode: waiter.mode,
    permits: waiter.permits ?? 1,
    priority: waiter.priority,
    // Others count the time that they waited themselves, to fractions of a millisecond.
    waitingSince: Math.round(waiter.sinceMs),
    waitedMs: Math.max(0, Math.round(nowMs - waiter.sinceMs)),
    holds: waiter.holds.map(holdReport),
  };
}

function holdReport({ name, token }: Hold): HoldReport {
  return { lockName: name, fencingToken: token };
}

function turnReport(turn: Turn): TurnReport {
  return {
    ...partyReport(turn),
    fencingToken: turn.token,
    acquiredAt: turn.fromMs,
    endedAt: turn.toMs,
    heldMs: Math.round(Math.max(0, turn.toMs - turn.fromMs)),
    ended: turn.ended,
  };
}

/** Describes a party: `nightly, web-1:4711`, or the owner where the record does not say more. */
export function describeParty({ host, pid, label, owner }: Identity & Pick<Holder, "owner">): string {
  const place = host === undefined ? owner : `${host}:${pid}`;
  return label === undefined ? place : `${label}, ${place}`;
}
