import { S3MutexError } from "../../errors.js";
import type { AnswerTiming, UnknownOutcome } from "../../store/object-store.js";

/** When the store answered: an error may come from a proxy on the way there, with another clock. */
export function timingByStore(outcome: {
  readonly kind: string;
  readonly timing?: AnswerTiming;
}): AnswerTiming | undefined {
  return outcome.kind === "unknown" || outcome.kind === "refused" ? undefined : outcome.timing;
}

/** Without a single answer of the store there is no store time, and what a cache kept is not such an answer. */
export function outOfCache(key: string, timing: AnswerTiming): UnknownOutcome {
  const what = "the answer came out of a cache (it has an Age), and none of the store has told the time yet";
  const error = new S3MutexError("store-unavailable", `${key}: ${what}. Let reads of locks pass the cache.`);
  return { kind: "unknown", error, throttled: false, sent: true, timing };
}

/** Whatever was answered came too late to be believed: the clocks parted while it was under way. */
export const CLOCKS_UNSTEADY: UnknownOutcome = {
  kind: "unknown",
  error: new S3MutexError("store-unavailable", "this process was suspended, or its clock was set, during each request"),
  throttled: false,
  sent: true,
};
