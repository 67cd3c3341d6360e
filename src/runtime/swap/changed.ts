import type { AnswerTiming, UnknownOutcome } from "../../store/object-store.js";
import type { Snapshot } from "./snapshot.js";

/** What became of a change that was sent. */
export type Changed =
  | { readonly kind: "done"; readonly snapshot: Snapshot }
  | Conflict
  /** Nothing was removed, since the bucket keeps versions: a tombstone is to be written instead. */
  | { readonly kind: "versioned" }
  | UnknownOutcome;

export type Conflict = { readonly kind: "conflict" };

/** A removal that was made, in the form of a write's outcome. */
export interface RemovedOutcome {
  readonly kind: "ok";
  readonly etag: undefined;
  readonly timing: AnswerTiming;
}

/** The store does not honour conditional deletes, or does not let this client delete, so the object has to stay. Never leaves this library. */
export class RemoveUnsupported extends Error {}
