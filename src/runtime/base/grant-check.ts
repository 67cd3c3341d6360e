import type { LockRecord } from "../../core/record.js";
import type { S3MutexError } from "../../errors.js";
import type { ReadOutcome, UnknownOutcome, Versioned } from "../../store/object-store.js";

/** What everything that takes or gives a grant asks of the check of its store: whether it is known to honour conditions. */
export interface GrantCheck {
  /** Whether a grant may be handed out. */
  readonly isPassed: boolean;
  /** Why nothing may be written at this moment. */
  readonly refusal: S3MutexError | undefined;
  /** What the check that runs, or has run last without a verdict, was answered last that did not help. */
  readonly lastFailure: UnknownOutcome | undefined;
  /** The key of the object that it is asked on. */
  readonly object: string;
  /** Begins to find out, unless that is known or under way. */
  begin(timeoutMs: number): void;
  /**
   * Resolves when a grant may be handed out.
   * @throws `store-unsafe` where the store ignores conditions; `access-denied` where it cannot be asked; `store-unavailable`
   */
  passed(
    budget: { afterFailure(outcome: UnknownOutcome): Promise<void> },
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * Resolves when a check that has passed has also seen that what is refused is not done.
   * @throws `store-unsafe` where it is; `store-unavailable` where that is not known by then
   */
  looked(patience: { readonly untilMs: number; readonly signal: AbortSignal }): Promise<void>;
  /** Hears of a record that was read: it may say that the store was checked. */
  saw(key: string, outcome: ReadOutcome, record: LockRecord | undefined): Promise<void>;
  /**
   * Hears of a write that was done: what its answer says of versions may make void what is known.
   * `replaced`: the ETag of the version that it was written over.
   * @throws `store-unsafe` where both versions have one ETag: no condition holds then
   */
  wrote(outcome: Versioned & { readonly kind: "ok"; readonly etag: string }, replaced: string | undefined): void;
  /** Adds to the record the word of a client that has checked, as far as that is of use to others. */
  stamped(key: string, record: LockRecord): LockRecord;
}

/** `verify: "never"`, and `"once"`, which asks before anything else is sent. Proofs of others are carried along all the same. */
export const NO_CHECK: GrantCheck = {
  isPassed: true,
  refusal: undefined,
  lastFailure: undefined,
  object: "",
  begin() {},
  async passed() {},
  async looked() {},
  async saw() {},
  wrote() {},
  stamped: (_: string, record: LockRecord) => record,
};
