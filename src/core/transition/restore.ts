import type { Attempt } from "../expiry.js";
import { findHolder, type Holder, type Identity, isCopys, isReleased, type LockRecord, MAX_TOKEN } from "../record.js";
import { nextToken } from "../shares.js";
import { type Decision, nextVersion } from "./decision.js";
import { leaseOf, sinceFirstDated } from "./hold-at-least.js";
import { type GoneReason, reasonOfLoss } from "./renew.js";

/** Go on with a hold that another process has handed over. */
export interface RestoreCommand {
  /** The acquisition and token that were handed over. */
  readonly from: {
    readonly id: string;
    readonly token: number;
    /** By which that process may have held it last: a hold that was renewed by another write has been copied along with the process. */
    readonly writeIds: readonly string[];
  };
  /** Under which id it goes on: another process with the same text comes too late. */
  readonly id: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly identity: Identity;
}

export type RestoreReply =
  | { readonly kind: "granted"; readonly holder: Holder }
  | { readonly kind: "gone"; readonly reason: GoneReason }
  /** There is no higher fencing token to go on with: the hold stays as it was, with its old one. */
  | { readonly kind: "no-token-left" };

/** Restores a hold without a gap; its id, token and lease are new, so that the process that handed it over has no part in it any more. */
export function restore(
  record: LockRecord | undefined,
  command: RestoreCommand,
  attempt: Attempt,
): Decision<RestoreReply> {
  const { from, id, owner, leaseMs, identity } = command;
  const restored = findHolder(record, id);
  if (restored !== undefined) return { reply: { kind: "granted", holder: restored } };
  const held = findHolder(record, from.id);
  if (record === undefined || held === undefined || held.token !== from.token) {
    return { reply: { kind: "gone", reason: reasonOfLoss(record, from.token) } };
  }
  if (isReleased(held)) return { reply: { kind: "gone", reason: "released" } };
  const isOwn = (writeId: string) => from.writeIds.includes(writeId);
  if (isCopys(held, { id: from.id, isOwn })) return { reply: { kind: "gone", reason: "cloned" } };
  const nowMs = attempt.now.latestMs;
  const token = nextToken(record, nowMs);
  if (token > MAX_TOKEN) return { reply: { kind: "no-token-left" } };
  const { host: _host, pid: _pid, undated: _undated, ...kept } = held;
  const holder: Holder = {
    ...kept,
    ...identity,
    id,
    owner,
    token,
    ...sinceFirstDated(held, attempt),
    ...leaseOf(held, leaseMs, attempt),
  };
  const holders = record.holders.map((other) => (other === held ? holder : other));
  return {
    reply: { kind: "granted", holder },
    change: { kind: "write", record: nextVersion(record, attempt, { token, holders }) },
  };
}
