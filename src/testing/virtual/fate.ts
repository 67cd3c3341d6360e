import { S3MutexError } from "../../errors.js";

/** What happens to one request. */
export type Fate = Kind & Besides;

/** What may come on top. */
interface Besides {
  /** How much longer it takes there and back, in milliseconds. */
  readonly thereMs?: number;
  readonly backMs?: number;
  /** How far the `Date` of its answer is off, or that there is none. */
  readonly dateShiftMs?: number;
  readonly omitsDate?: boolean;
}

type Kind =
  | { readonly kind: "fine" }
  /** It never reaches the store. */
  | { readonly kind: "lost" }
  /** It is applied; its answer is lost. */
  | { readonly kind: "answer-lost" }
  /** The client hears nothing; it is applied this much later, out of order. */
  | { readonly kind: "late"; readonly byMs: number }
  /** It takes so much longer there and back. */
  | { readonly kind: "slow"; readonly thereMs: number; readonly backMs: number }
  /** It arrives twice, one after the other; the client hears the second answer: 412 after its own success. */
  | { readonly kind: "twice" }
  /** It is applied and answered, and a copy of it arrives so much later. */
  | { readonly kind: "copied"; readonly afterMs: number }
  /** A read that is answered by a cache with what was there so long ago. */
  | { readonly kind: "stale"; readonly byMs: number }
  /** Answered with an error, applied or not. */
  | { readonly kind: "error"; readonly status: 409 | 429 | 500 | 503; readonly applied: boolean }
  /** Answered with what is given, whatever was done; where it says so, it is applied once more, or at all, so much later. */
  | { readonly kind: "answered"; readonly outcome: object; readonly applied: boolean; readonly landsAfterMs?: number };

/** What the store says of a request, without the time. */
export type Answer = {
  readonly kind: string;
  readonly etag?: string;
  readonly body?: string;
  readonly keys?: string[];
};

/** Decides what the fate of a request makes of it; `apply` does it. */
export function outcomeOf(fate: Fate, apply: (staleByMs?: number) => Answer): { outcome: object; isHeard: boolean } {
  switch (fate.kind) {
    case "stale":
      return { outcome: apply(fate.byMs), isHeard: true };
    case "fine":
    case "slow":
    case "copied":
      return { outcome: apply(), isHeard: true };
    case "twice":
      apply();
      return { outcome: apply(), isHeard: true };
    case "answer-lost":
    case "late":
      return { outcome: apply(), isHeard: false };
    case "lost":
      return { outcome: {}, isHeard: false };
    case "answered":
      if (fate.applied) apply();
      return { outcome: fate.outcome, isHeard: true };
    case "error":
      if (fate.applied) apply();
      if (fate.status === 409) return { outcome: { kind: "conflict", busy: true }, isHeard: true };
      return { outcome: unknown(`status ${fate.status}`, fate.status !== 500), isHeard: true };
  }
}

/** Makes the outcome of a request when nothing is known about what it did. */
export function unknown(what: string, throttled: boolean): object {
  return { kind: "unknown", error: new S3MutexError("store-unavailable", what), throttled, sent: true };
}
