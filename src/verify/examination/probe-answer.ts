import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
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

/** Says whether a write was refused; 304 is how some proxies say it of a creation, and no other write is answered so. */
export function isRefusal({ status }: ProbeAnswer): boolean {
  return status === 412 || status === 409 || status === 304;
}

export function isDone({ status }: ProbeAnswer): boolean {
  return status >= 200 && status < 300;
}
