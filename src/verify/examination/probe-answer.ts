import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
import { S3MutexError } from "../../errors.js";
import type { AnswerTiming, RefusedOutcome, UnknownOutcome } from "../../store/object-store.js";
import { isOnlyBusy } from "../../store/s3/answers/receipts.js";
import type { PutCondition } from "../../store/s3/learnt/key-requests.js";

export type ProbeOperation = "get" | "put" | "delete" | "list" | "head" | "config";

/** What an answer said, with nothing made of it: 2xx, 304, 404 about the key, 409 and 412. */
export interface ProbeAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly timing: AnswerTiming;
  /** S3's own code, of an answer that is not a success. */
  readonly code?: string;
  /** Of a write that was to create, so that an object which exists stands in its way. */
  readonly isCreation?: boolean;
  readonly etag?: string | undefined;
  readonly body?: string | undefined;
  /** Its `Last-Modified`, in epoch milliseconds: whole seconds. */
  readonly modifiedMs?: number;
  /** Of objects in a bucket that keeps versions; `null` where that was suspended. */
  readonly versionId?: string;
  readonly keys?: readonly string[];
  readonly continuation?: string | undefined;
  readonly versioning?: string | undefined;
  readonly rules?: readonly LifecycleRule[] | undefined;
  readonly replication?: readonly ReplicationRule[] | undefined;
}

export type ProbeOutcome = ProbeAnswer | UnknownOutcome | RefusedOutcome;

/** What becomes of a request that comes too late to be sent. */
export const OVER: UnknownOutcome = {
  kind: "unknown",
  error: new S3MutexError("store-unavailable", "The examination of the store is over"),
  throttled: false,
  sent: false,
};

/**
 * Says whether a write was refused for its condition; 304 is how some proxies say it of a creation, and no other write is answered so. 409
 * is said of another write that is under way, unless its code says what stood in the way.
 */
export function isRefusal({ status, code, isCreation = false }: ProbeAnswer): boolean {
  return status === 412 || status === 304 || (status === 409 && !isOnlyBusy(status, code, isCreation));
}

/** Names a write by its condition. */
export function nameOfPut({ IfMatch, IfNoneMatch }: PutCondition): string {
  if (IfMatch !== undefined) return "PUT with If-Match";
  return IfNoneMatch === undefined ? "PUT" : "PUT with If-None-Match: *";
}

/**
 * Takes a 409 to a write for what it says: another one of the key was under way, so that nothing was compared, and it is to be sent again.
 * @param what the write, in words
 */
export function unlessBusy(outcome: ProbeOutcome, what: string): ProbeOutcome {
  if (outcome.kind !== "answer" || !isOnlyBusy(outcome.status, outcome.code, outcome.isCreation === true))
    return outcome;
  const code = outcome.code === undefined ? "" : ` (${outcome.code})`;
  const message = `${what} is answered 409${code} each time, as while another write of the key is under way`;
  const error = new S3MutexError("store-unavailable", message);
  return { kind: "unknown", error, throttled: true, sent: true, timing: outcome.timing };
}

export function isDone({ status }: ProbeAnswer): boolean {
  return status >= 200 && status < 300;
}
