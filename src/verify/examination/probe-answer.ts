import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
import { S3MutexError } from "../../errors.js";
import type { AnswerTiming, RefusedOutcome, UnknownOutcome } from "../../store/object-store.js";

export type ProbeOperation = "get" | "put" | "delete" | "list" | "head" | "config";

/** What an answer said, with nothing made of it: 2xx, 304, 404 about the key, 409 and 412. */
export interface ProbeAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly timing: AnswerTiming;
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

/**
 * Says whether a write was refused for its condition; 304 is how some proxies say it of a creation, and no other write is answered so. 409
 * is said of another write that is under way.
 */
export function isRefusal({ status }: ProbeAnswer): boolean {
  return status === 412 || status === 304;
}

/** Takes a 409 to a write for what it says: another one of the key was under way, so that nothing was compared, and it is to be sent again. */
export function unlessBusy(outcome: ProbeOutcome): ProbeOutcome {
  if (outcome.kind !== "answer" || outcome.status !== 409) return outcome;
  const error = new S3MutexError("store-unavailable", "409: another write of the key was under way");
  return { kind: "unknown", error, throttled: true, sent: true, timing: outcome.timing };
}

export function isDone({ status }: ProbeAnswer): boolean {
  return status >= 200 && status < 300;
}
