import { ENTRY_LIFE_MS } from "../../core/expiry.js";
import type { Hold, LockRef } from "../../core/record.js";
import type { AcquireCommand, AcquireReply } from "../../core/transition/acquire.js";
import type { Context } from "../base/context.js";
import { leaseToWriteMs } from "../check/store-is-safe.js";
import type { LeaseTiming } from "../hold/lease-clock.js";
import type { LockObject } from "../swap/lock-object.js";

/** What one call asks for. */
export interface AcquireRequest
  extends Pick<Required<AcquireCommand>, "via" | "mode" | "permits" | "priority" | "leaseMs" | "holdAtLeastMs">,
    Pick<AcquireCommand, "limit" | "share"> {
  readonly label: string | undefined;
  /** How long to wait, in milliseconds; `Infinity` to wait forever. However short, one full attempt is made: see `patience.ts`. */
  readonly patienceMs: number;
  /** Told whether a grant may be under way: from the first request on, while no answer has said that it has to wait. */
  readonly onAsking?: ((isUnderWay: boolean) => void) | undefined;
  /** How long this caller has waited before, in another queue. @default 0 */
  readonly waitedBeforeMs?: number | undefined;
  /** One of several that have a time-out together: no attempt of theirs goes on past this monotonic time. */
  readonly attemptUntilMs?: number | undefined;
  /** How long a store that has stopped answering is waited for, in milliseconds. @default 60000 */
  readonly unreachableMs?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** When to renew and when to step down, where not as usual. */
  readonly timing?: LeaseTiming | undefined;
  /** However long the lock has been held, the first in the queue polls at least this often, in milliseconds. */
  readonly longestPollMs?: number | undefined;
  /** What is held up by this wait, after so many milliseconds of it: asked anew each time, since it changes meanwhile. */
  readonly holds: (waitedMs: number) => readonly Hold[];
  /** By which fencing tokens processes that this one is part of hold this very lock. @default none */
  readonly tokensOfParents?: readonly number[];
  /** Other locks of the same mutex, for the walk along who waits for whom. */
  readonly objectOf: (ref: LockRef) => LockObject;
}

/** What an acquisition needs of the local queue that it waits in. */
export interface WaitingQueue<Caller> {
  readonly object: LockObject;
  /** Says how long it may leave the store alone; 0: it has to ask. */
  restMs(acquisition: Caller): number;
  /** Asks: at once, or, of callers with one attempt each, one after the other. */
  inTurn<Result>(isLastChance: boolean, ask: () => Promise<Result>): Promise<Result>;
  /** Says whether callers of this process have so much of it, as far as is known here, that this is not to be had beside them. */
  isTakenHere(request: AcquireRequest): boolean;
  /** Judges what the reply to it would be by what was seen last. */
  glance(acquisition: Caller): AcquireReply["kind"] | undefined;
  /** Tells all of us that the store has answered one: another caller has the lock, or is before us. */
  reportAnswer(isTaken: boolean): void;
}

/** Whose turn it is to be, and since when. */
interface Caller {
  readonly id: string;
  readonly sinceMs: number;
  readonly waitedMs: number;
}

/** Says what to ask of the record for a caller. */
export function commandFor(context: Context, request: AcquireRequest, caller: Caller): AcquireCommand {
  const { label, leaseMs, patienceMs, holds } = request;
  const { ownerId, clock, identity } = context;
  const { id, sinceMs, waitedMs } = caller;
  const entry = { lifeMs: ENTRY_LIFE_MS, roundTripMs: Math.ceil(clock.roundTripMs), holds: holds(waitedMs) };
  return {
    id,
    owner: ownerId,
    ...claimOf(request),
    leaseMs: leaseToWriteMs(context, leaseMs),
    identity: label === undefined ? identity : { ...identity, label },
    sinceMs,
    entry: patienceMs > 0 ? entry : undefined,
  };
}

/** Picks what of it is asked of the record, as it is. */
export function claimOf({ via, mode, permits, limit, share, priority, leaseMs, holdAtLeastMs }: AcquireRequest) {
  return { via, mode, permits, limit, share, priority, leaseMs, holdAtLeastMs };
}

/** Says how many permits there are, as far as is known here; undefined where that has to be asked for first. One of a lock. */
export function knownLimit(
  { latest }: LockObject,
  { limit, share }: Pick<AcquireRequest, "limit" | "share">,
): number | undefined {
  if (limit === undefined) return 1;
  if (share !== undefined) return share.limit;
  const stored = latest?.record?.deleted ? undefined : latest?.record?.limit;
  return stored ?? (limit === "stored" ? undefined : limit);
}
