import { cutOf } from "../cut-short.js";
import { type Attempt, type Clocked, isExpired, isUndated } from "../expiry.js";
import { findHolder, type Holder, isCopys, isReleased, type LockRecord, type Mode } from "../record.js";
import { type Decision, nextVersion } from "./decision.js";
import { leaseOf, sinceFirstDated } from "./hold-at-least.js";

/** Keep a lock for another lease. Needs membership, not a record expiry in the future of one's own clock. */
export interface RenewCommand {
  readonly id: string;
  readonly token: number;
  readonly leaseMs: number;
  /** The writes that were sent for this very renewal: if one of them has landed, it is done. */
  readonly attempted?: ReadonlySet<string>;
  /** For `refreshLock`: a lease that has ended stays ended, even if it was not taken over. */
  readonly onlyUnexpired: boolean;
  /** What its holder's own clocks say of the end of this lease; undefined: nothing, as where a twin has renewed it. The store's judges then. */
  readonly isOverHere?: (held: Holder, told: Clocked) => boolean | undefined;
  /** What to make of the hold; only an exclusive one can become a shared one. */
  readonly mode?: Mode;
  /** It was not handed out yet, and the time of its grant was wrong: it counts as held since this renewal. */
  readonly isHeldSinceNow?: boolean;
  /** Which writes this process has sent: a hold that was renewed by another one has been copied along with the process. */
  readonly isOwn?: (writeId: string) => boolean;
}

/** How to renew, and what for. */
export type RenewOptions = Pick<RenewCommand, "onlyUnexpired" | "mode">;

export type GoneReason = "expired" | "taken-over" | "force-released" | "deleted" | "released" | "cloned";

export type RenewReply =
  | { readonly kind: "renewed"; readonly holder: Holder }
  | { readonly kind: "gone"; readonly reason: GoneReason };

export function renew(record: LockRecord | undefined, command: RenewCommand, attempt: Attempt): Decision<RenewReply> {
  const held = findHolder(record, command.id);
  if (record === undefined || held === undefined) {
    return { reply: { kind: "gone", reason: reasonOfLoss(record, command.token) } };
  }
  if (isReleased(held)) return { reply: { kind: "gone", reason: "released" } };
  if (isCopys(held, command)) return { reply: { kind: "gone", reason: "cloned" } };
  if (command.attempted?.has(held.leaseWriteId)) return { reply: { kind: "renewed", holder: held } };
  if (command.onlyUnexpired && (command.isOverHere?.(held, attempt) ?? mayBeOver(held, attempt))) {
    return { reply: { kind: "gone", reason: "expired" } };
  }
  const { undated: _, ...kept } = held;
  const since = command.isHeldSinceNow ? { acquiredAtMs: attempt.now.latestMs } : sinceFirstDated(held, attempt);
  const lease = { ...since, ...leaseOf({ ...held, ...since }, command.leaseMs, attempt) };
  const holder: Holder = { ...kept, mode: command.mode ?? held.mode, ...lease };
  const holders = record.holders.map((other) => (other.id === command.id ? holder : other));
  return {
    reply: { kind: "renewed", holder },
    change: { kind: "write", record: nextVersion(record, attempt, { holders }) },
  };
}

/**
 * Says whether a lease may be over by the store's clock. Where that is doubted, only one that is over in any case: one wrong answer takes
 * no lock from its holder, and renewing one that is over takes nothing from others.
 */
function mayBeOver(held: Holder, attempt: Attempt): boolean {
  if (isUndated(held, attempt)) return false;
  return attempt.isTimeDoubted ? isExpired(held, attempt) : attempt.now.latestMs >= held.expiresAtMs;
}

/** Renews several holds of one object in one write: a semaphore with many permits would otherwise be written without a pause. */
export function renewAll(
  record: LockRecord | undefined,
  commands: readonly RenewCommand[],
  attempt: Attempt,
): Decision<ReadonlyMap<string, RenewReply>> {
  const replies = new Map<string, RenewReply>();
  let latest: Decision<RenewReply>["change"];
  for (const command of commands) {
    const { reply, change } = renew(latest?.kind === "write" ? latest.record : record, command, attempt);
    replies.set(command.id, reply);
    latest = change ?? latest;
  }
  return { reply: replies, change: latest };
}

/** Says why an acquisition with this token is no longer among the holders. An object that is gone was deleted. */
export function reasonOfLoss(record: LockRecord | undefined, token: number): GoneReason {
  if (record === undefined || record.deleted) return "deleted";
  const ended = record.recent.find((turn) => turn.token === token)?.ended ?? cutOf(record, token);
  if (ended === undefined) return "taken-over";
  const reasons = {
    released: "released",
    expired: "taken-over",
    forced: "force-released",
    deleted: "deleted",
  } as const;
  return reasons[ended];
}

/** What a record says of a hold that its holder has not given back. */
export type HolderLoss = Exclude<GoneReason, "released">;

/** Names what a record says to the holder: a hold that was released, and not by its holder, was ended by another client. */
export function holderLoss(reason: GoneReason): HolderLoss {
  return reason === "released" ? "force-released" : reason;
}
