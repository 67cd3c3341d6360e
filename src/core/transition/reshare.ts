import type { Attempt } from "../expiry.js";
import { type LockRecord, permitsOf, type Shares } from "../record.js";
import { type Capacity, hasOtherShares, numberIn, type Share, sharesOf, type Use, withShare } from "../shares.js";
import { type Decision, nextVersion, recordOrNew } from "./decision.js";
import { resize } from "./resize.js";

export interface ReshareCommand {
  readonly number: number;
  readonly capacity: Capacity;
  /** The shares that all records are known to have, and what of them is out in the others than the anchor. Undefined: it has none. */
  readonly seen: { readonly version: number; readonly others: readonly Use[] } | undefined;
}

export type ReshareReply =
  /** The number is what it is to be, once all records have their shares. */
  | { readonly kind: "reshared"; readonly from: number | undefined }
  /** The shares are others than those that were seen. */
  | { readonly kind: "other-shares" };

/** Changes how many permits there are, of a semaphore that has several records or needs them from now on: the anchor's part of it. */
export function reshare(
  record: LockRecord | undefined,
  { number, capacity, seen }: ReshareCommand,
  attempt: Attempt,
): Decision<ReshareReply> {
  if (record?.shares?.version !== seen?.version) return { reply: { kind: "other-shares" } };
  const from = numberBefore(record);
  if (record?.shares === undefined && (number <= capacity.inOne || number <= (from ?? 0))) {
    const { change } = resize(record, number, attempt);
    return { reply: { kind: "reshared", from }, change };
  }
  const reply = { kind: "reshared", from } as const;
  if (from === number) return { reply };
  const own =
    from === undefined || record === undefined ? [] : [{ limit: record.limit, inUse: permitsOf(record.holders) }];
  const permits = sharesOf([...own, ...(seen?.others ?? [])], number, capacity);
  return { reply, change: { kind: "write", record: anchorWith(record, permits, attempt) } };
}

/** Makes a semaphore of several records where it was not used yet; what its record says stays as it is otherwise. */
export function found(
  record: LockRecord | undefined,
  { number, capacity }: Pick<ReshareCommand, "number" | "capacity">,
  attempt: Attempt,
): Decision<{ readonly kind: "found" }> {
  const reply = { kind: "found" } as const;
  if (numberBefore(record) !== undefined) return { reply };
  const permits = sharesOf([], number, capacity);
  return { reply, change: { kind: "write", record: anchorWith(record, permits, attempt) } };
}

/** Says how many permits there were. One that was deleted keeps its number where it has several records: the others are still there. */
function numberBefore(record: LockRecord | undefined): number | undefined {
  if (record?.shares !== undefined) return numberIn(record.shares);
  return record === undefined || record.deleted ? undefined : record.limit;
}

function anchorWith(record: LockRecord | undefined, permits: readonly number[], attempt: Attempt): LockRecord {
  const version = Math.max((record?.shares?.version ?? 0) + 1, attempt.now.latestMs);
  const shares: Shares = { version, permits };
  return nextVersion(recordOrNew(record, attempt), attempt, { limit: permits[0] ?? 1, shares });
}

export type LevelReply =
  /** It has its share. */
  { readonly kind: "levelled"; readonly use: Use } | { readonly kind: "other-shares" };

/** Gives one of the records its share, whether it is there or not: no caller creates it with an earlier one then. */
export function level(record: LockRecord | undefined, share: Share, attempt: Attempt): Decision<LevelReply> {
  if (hasOtherShares(record, share)) return { reply: { kind: "other-shares" } };
  const reply = { kind: "levelled", use: { limit: share.limit, inUse: permitsOf(record?.holders ?? []) } } as const;
  if (record?.sharesVersion === share.version) return { reply };
  const next = nextVersion(withShare(recordOrNew(record, attempt), share), attempt, {});
  return { reply, change: { kind: "write", record: next } };
}
