import type { Proof } from "./proof.js";

/**
 * A semaphore with more permits than one record has room for holders consists of several records. Each has a share of the number as
 * its own limit, and is a semaphore of its own to core. The first is the anchor, under the key that the semaphore has anyway: it says
 * how many there are and whose share is how large.
 *
 * Shares change by versions. The next is decided, by a write of the anchor, only when all records have that of before, and it is
 * either nowhere smaller or nowhere larger than that. So whatever mixture of the two there is at an instant, all limits together are
 * never more than the larger of both numbers.
 */
export interface Shares {
  /** When they were decided, in store time, so that those of a semaphore that is made anew are later, too. */
  readonly version: number;
  /** By record, the anchor first; it always has one at least. */
  readonly permits: readonly number[];
}

/**
 * The lock record: what the one object of a lock says. All times are epoch milliseconds of store time.
 *
 * Fields that this version does not know survive a rewrite: parsed objects are spread, never rebuilt.
 */
export interface LockRecord {
  readonly schema: typeof SCHEMA;
  /** Unique to the write that made this version; undefined where 1.x wrote last, whose bodies may repeat (and so their ETags). */
  readonly writeId: string | undefined;
  readonly createdAtMs: number;
  /** When it was last written. An object is removed only after it has been at rest for longer than a request can live. */
  readonly touchedAtMs: number;
  /** The highest fencing token ever granted. */
  readonly token: number;
  /** How many permits there are: 1 for a mutex, more for a semaphore. Of several records of one semaphore, the share of this one. */
  readonly limit: number;
  /** Of the first of several records of one semaphore: the shares of all. */
  readonly shares?: Shares;
  /** Of the others: which version of the shares the limit is from. */
  readonly sharesVersion?: number;
  readonly holders: readonly Holder[];
  readonly queue: readonly Waiter[];
  /** The last few turns, newest first. */
  readonly recent: readonly Turn[];
  /** Holds that were ended from outside, for as long as their holders may believe in them. */
  readonly cutShort?: CutShort;
  /** Since when the first in the queue could have come in; absent while it cannot. From then on waiters that do not come are passed over. */
  readonly freeSinceMs?: number;
  /** The lock is not granted before this: a cleanup freed a lease that had ended less than the tolerance ago. */
  readonly notBeforeMs?: number;
  /** Deleted on purpose, but too young to be removed: lists and reads as absent. */
  readonly deleted?: true;
  /** Its last writer had no store time: `touchedAtMs` is a bare wall clock's, and says nothing about how long it has been at rest. */
  readonly undated?: true;
  /** Who has seen the store honour conditions, and when: at most one for each way to the store. */
  readonly proofs?: readonly Proof[];
}

export const SCHEMA = 3;
/** Room for more grants than there will be, below what numbers can count. A record with a higher one cannot be read. */
export const MAX_TOKEN = 2 ** 52;
/** More waiters than this poll without an entry, slowly: the record has to stay small, and each read of it is paid for. */
export const MAX_QUEUE = 64;
/**
 * How many turns a record remembers, at some 230 bytes each. With 4, the slowest of eight clients that take turns waits 15 % longer; with
 * 16, they have 4 % fewer turns a second (`npm run bench -- --virtual`).
 */
export const RECENT_TURNS = 8;

/** Whether a lock is held by one alone, or by all who share it. */
export type Mode = "exclusive" | "shared";

/** What a holder has, or a waiter wants: all of a lock, a share in it, or permits of a semaphore. */
export interface Claim {
  readonly mode: Mode;
  /** How many permits; 1 where it does not say. */
  readonly permits?: number;
}

/** Which client an acquisition belongs to, for people: never used in a decision. */
export interface Identity {
  readonly host?: string;
  readonly pid?: number;
  readonly label?: string;
}

/** Picks only who it is, of an entry or a turn; what is not known is left out. */
export function identityOf({ host, pid, label }: Identity): Identity {
  return {
    ...(host === undefined ? {} : { host }),
    ...(pid === undefined ? {} : { pid }),
    ...(label === undefined ? {} : { label }),
  };
}

export interface Holder extends Identity, Claim {
  /** The acquisition's own id: what makes every command about it idempotent. */
  readonly id: string;
  readonly owner: string;
  /** `name`: taken by `acquireLock`, so it may be released by name; `handle`: only its `Lock` may. */
  readonly via: "name" | "handle";
  readonly token: number;
  readonly priority: number;
  readonly leaseMs: number;
  readonly acquiredAtMs: number;
  readonly renewedAtMs: number;
  readonly expiresAtMs: number;
  /**
   * The times are those of a wall clock that no answer of the store had bounded. A client that knows store time and writes the
   * record counts the lease from then: it was there, and has begun before.
   */
  readonly undated?: true;
  /** The id of the write that granted or last renewed this hold: its holder's deadline counts from that attempt. */
  readonly leaseWriteId: string;
  /** For how long it is held at least, from when it was acquired, however soon the work under it ends; 0 where it does not say. */
  readonly holdAtLeastMs?: number;
  /** When the work under it had ended and it was given back: it is not renewed, and it stays until `expiresAtMs` all the same. */
  readonly releasedAtMs?: number;
}

export interface Waiter extends Identity, Claim {
  readonly id: string;
  readonly owner: string;
  readonly priority: number;
  /** When it began to wait; kept when it was passed over or dropped and comes back. */
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  /** Its longest recent round trip: how much patience those behind it need. */
  readonly roundTripMs: number;
  /** The locks that its scope holds: the edges of the wait-for graph. */
  readonly holds: readonly Hold[];
}

/** One hold of a scope, exactly: a later hold of the same lock has another token. */
export interface Hold {
  /** A semaphore's name is not a lock's. */
  readonly kind?: "semaphore";
  readonly name: string;
  readonly token: number;
}

/** Which lock, or which semaphore. */
export type LockRef = Pick<Hold, "kind" | "name"> & {
  /** Which of a semaphore's records, where it has several: 0 for the first. */
  readonly part?: number;
};

/** Makes a text that no two of them share. */
export function refKey({ kind, name }: LockRef): string {
  return `${kind ?? "lock"} ${name}`;
}

/** How a turn has ended. */
export type TurnEnd = "released" | "expired" | "forced" | "deleted";

export interface Turn extends Identity {
  readonly id: string;
  readonly owner: string;
  readonly token: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly ended: TurnEnd;
}

/** Whose holds were ended from outside, by fencing token, newest first, and until when (store time) that is remembered. */
export interface CutShort {
  readonly forced?: { readonly untilMs: number; readonly tokens: readonly number[] };
  readonly deleted?: { readonly untilMs: number; readonly tokens: readonly number[] };
}

/** What 1.x reads and writes at the top level: a lock that has holders reads as held there. */
export type Mirror =
  | { readonly locked: false }
  | {
      readonly locked: true;
      readonly owner: string;
      /** The last renewal, not the first acquisition: the cleanup of 1.x deletes by it, without a condition. */
      readonly acquiredAt: number;
      readonly expiresAt: number;
      readonly priority: number;
    };

/** Gives what 1.x is to see of these holders: the one that holds longest. */
export function mirrorOf(holders: readonly Holder[]): Mirror {
  const last = holders.reduce<Holder | undefined>(
    (latest, holder) => (latest === undefined || holder.expiresAtMs > latest.expiresAtMs ? holder : latest),
    undefined,
  );
  if (last === undefined) return { locked: false };
  return {
    locked: true,
    owner: last.owner,
    acquiredAt: last.renewedAtMs,
    expiresAt: last.expiresAtMs,
    priority: last.priority,
  };
}

/** Says whether these may hold at once: readers share with readers, all others count against the limit. */
export function areCompatible(claims: readonly Claim[], limit: number): boolean {
  if (claims.every(({ mode }) => mode === "shared")) return true;
  return claims.every(({ mode }) => mode === "exclusive") && permitsOf(claims) <= limit;
}

/** Counts the permits of these, taken together. */
export function permitsOf(claims: readonly Claim[]): number {
  return claims.reduce((sum, { permits = 1 }) => sum + permits, 0);
}

/** Says whether an acquisition is among the holders or waiters of a record. */
export function isListed(record: LockRecord | undefined, id: string): boolean {
  return record !== undefined && [...record.holders, ...record.queue].some((entry) => entry.id === id);
}

/** Whose hold is meant: the acquisition, and whether a write was sent by this caller. */
export interface Own {
  readonly id: string;
  /** Without it, every write is theirs. */
  isOwn?(writeId: string): boolean;
}

/**
 * Says whether a hold was last written by a copy of the process that asks (a virtual machine or container that was cloned): both go
 * on under one acquisition, and only the first to write keeps it. By name, other processes of the same owner may renew.
 */
export function isCopys(holder: Holder, { id, isOwn }: Own): boolean {
  return holder.id === id && holder.via === "handle" && isOwn?.(holder.leaseWriteId) === false;
}

/** Finds the hold of an acquisition, if it is among the holders. */
export function findHolder(record: LockRecord | undefined, id: string): Holder | undefined {
  return record?.holders.find((holder) => holder.id === id);
}

/** Says whether the work under it has ended: it only stays so that no other holder comes in before its time. */
export function isReleased({ releasedAtMs }: Holder): boolean {
  return releasedAtMs !== undefined;
}
