import type { Attempt } from "../expiry.js";
import type { LockRecord } from "../record.js";
import { type Decision, nextVersion, recordOrNew } from "./decision.js";

export interface ResizeReply {
  readonly kind: "resized";
  /** What the number was; undefined where none was set. */
  readonly from: number | undefined;
}

/**
 * Changes how many permits there are. Each holder keeps its permits: where there are fewer now, no other caller comes in until
 * enough have been given back.
 */
export function resize(record: LockRecord | undefined, limit: number, attempt: Attempt): Decision<ResizeReply> {
  const from = record === undefined || record.deleted ? undefined : record.limit;
  const reply = { kind: "resized", from } as const;
  if (from === limit) return { reply };
  const next = nextVersion(recordOrNew(record, attempt, limit), attempt, { limit });
  return { reply, change: { kind: "write", record: next } };
}
