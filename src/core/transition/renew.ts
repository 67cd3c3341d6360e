import type { Attempt } from "../attempt.js";
import { findHolder, type Holder, type LockRecord } from "../record.js";
import { type Decision, nextVersion } from "./decision.js";

/** Keep a lock for another lease. Needs membership, not a record expiry in the future of one's own clock. */
export interface RenewCommand {
  readonly id: string;
  readonly token: number;
  readonly leaseMs: number;
  /** The writes that were sent for this very renewal: if one of them has landed, it is done. */
  readonly attempted?: ReadonlySet<string>;
  /** For `refreshLock`: a lease that has ended stays ended, even if nobody has taken it over. */
  readonly onlyUnexpired: boolean;
}

export type GoneReason = "expired" | "taken-over" | "force-released" | "deleted" | "released";

export type RenewReply =
  | { readonly kind: "renewed"; readonly holder: Holder }
  | { readonly kind: "gone"; readonly reason: GoneReason };

export function renew(record: LockRecord | undefined, command: RenewCommand, attempt: Attempt): Decision<RenewReply> {
  const held = findHolder(record, command.id);
  if (record === undefined || held === undefined) {
    return { reply: { kind: "gone", reason: reasonOfLoss(record, command.token) } };
  }
  if (command.attempted?.has(held.renewal)) return { reply: { kind: "renewed", holder: held } };
  if (command.onlyUnexpired && attempt.now.latestMs >= held.expiresAtMs) {
    return { reply: { kind: "gone", reason: "expired" } };
  }
  const nowMs = attempt.now.latestMs;
  const holder: Holder = {
    ...held,
    leaseMs: command.leaseMs,
    renewedAtMs: nowMs,
    expiresAtMs: nowMs + command.leaseMs,
    renewal: attempt.writeId,
  };
  const holders = record.holders.map((other) => (other.id === command.id ? holder : other));
  return {
    reply: { kind: "renewed", holder },
    change: { kind: "write", record: nextVersion(record, attempt, { holders }) },
  };
}

/** Why an acquisition with this token is no longer among the holders. An object that is gone was deleted. */
export function reasonOfLoss(record: LockRecord | undefined, token: number): GoneReason {
  if (record === undefined || record.deleted) return "deleted";
  const turn = record.recent.find((candidate) => candidate.token === token);
  if (turn === undefined) return "taken-over";
  const reasons = {
    released: "released",
    expired: "taken-over",
    forced: "force-released",
    deleted: "deleted",
  } as const;
  return reasons[turn.ended];
}
