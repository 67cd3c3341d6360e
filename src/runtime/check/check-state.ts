import type { ClockReading } from "../../core/store-time.js";
import type { S3MutexError } from "../../errors.js";
import type { RefusedOutcome, UnknownOutcome, Versioning } from "../../store/object-store.js";
import type { Failing } from "./last-failure.js";

/** What is known of a store by all who use it through one client: by bucket and prefix. */
export interface CheckState extends Failing {
  passed?: Passed | undefined;
  refused?: { readonly error: S3MutexError; readonly atMs: number } | undefined;
  /** A check that runs. */
  running?: Promise<CheckVerdict> | undefined;
  /** One that has passed, until it has read back what came of its writes. */
  looking?: Promise<void> | undefined;
  /** What the last write said of versions. */
  versioning?: Versioning | undefined;
}

export interface Passed {
  /** When it was checked, in store time; undefined where the store tells none. */
  readonly atMs: number | undefined;
  readonly versioning: Versioning | undefined;
  /** When that was learnt here, and for how long it counts from then. */
  readonly from: ClockReading;
  readonly lifeMs: number;
  readonly look: FurtherLook;
}

/** What comes after the grant: until it has shown nothing against the store, no other client is told. */
export interface FurtherLook {
  isFine: boolean;
}

export type CheckVerdict = { readonly kind: "passed" } | UnknownOutcome | RefusedOutcome;
