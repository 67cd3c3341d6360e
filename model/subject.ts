import { remainingMs } from "../src/core/lease.js";
import type { LockRecord } from "../src/core/record.js";
import type { ClockReading } from "../src/core/store-time.js";
import { acquire } from "../src/core/transition/acquire.js";
import { cancel, forceRelease, release } from "../src/core/transition/release.js";
import { cleanup, deleteLock } from "../src/core/transition/remove.js";
import { renew } from "../src/core/transition/renew.js";
import { Attempts } from "../src/runtime/attempts.js";
import type { WriteCondition } from "../src/store/object-store.js";
import { ABSENT, type Operation, type SentWrite, writeId } from "./state.js";

/** The parts of the client's loop that mutants break; the values of {@link REAL} are what `src/runtime` does. */
export interface LoopRules {
  /** From when on a given-up acquisition may be a holder: once it has been told so, or once that is being confirmed. */
  readonly presentFrom: "granted" | "confirming";
  /** Whether a refused condition proves that the write did not land. */
  readonly conflictSettles: boolean;
  /** What a refused condition means: read again, or that somebody else has the lock and nothing is left to do. */
  readonly conflictMeans: "read-again" | "held-by-another";
  readonly cancelsOnGiveUp: boolean;
  readonly cancelsOnLoss: boolean;
  /** Whether the answer to a renewal counts after the lease was given back or lost. */
  readonly heedsLateRenewals: boolean;
  /** What is written without a condition. */
  readonly unconditional: readonly Operation[];
  /** Two equal bodies have equal ETags: bodies without a write id. */
  readonly etagsRepeat: boolean;
  /** The reading of the last attempt has to be remembered, whatever that attempt did. */
  readonly countsFromLastAttempt: boolean;
}

/** What is checked: the decisions and the bookkeeping of `src`, or a deliberately broken variant of them. */
export interface Subject {
  readonly acquire: typeof acquire;
  readonly renew: typeof renew;
  readonly release: typeof release;
  readonly cancel: typeof cancel;
  readonly forceRelease: typeof forceRelease;
  readonly deleteLock: typeof deleteLock;
  readonly cleanup: typeof cleanup;
  readonly remainingMs: typeof remainingMs;
  /** From which reading a lease counts that was granted or renewed by this write; undefined: nobody knows. */
  readonly leaseReading: (attempts: readonly SentWrite[], write: number, now: ClockReading) => ClockReading | undefined;
  /** Whether a write may still land, as `Attempts` sees it, after the object was seen like this. */
  readonly isUnresolvedAfter: (sent: SentWrite, etag: number, asked: number) => boolean;
  /** The body as it is sent. */
  readonly bodyOf: (record: LockRecord) => LockRecord;
  readonly rules: LoopRules;
}

export const REAL: Subject = {
  acquire,
  renew,
  release,
  cancel,
  forceRelease,
  deleteLock,
  cleanup,
  remainingMs,
  leaseReading: readingOf,
  isUnresolvedAfter,
  bodyOf: (record) => record,
  rules: {
    presentFrom: "granted",
    conflictSettles: false,
    conflictMeans: "read-again",
    cancelsOnGiveUp: true,
    cancelsOnLoss: true,
    heedsLateRenewals: false,
    unconditional: [],
    etagsRepeat: false,
    countsFromLastAttempt: false,
  },
};

/**
 * `Attempts` cannot be copied from state to state, so it is asked about one write at a time: what it answers for one does
 * not depend on the others.
 */
function isUnresolvedAfter(sent: SentWrite, etag: number, asked: number): boolean {
  const attempts = attemptsOf(sent);
  attempts.seen(etag === ABSENT ? undefined : String(etag), asked);
  return attempts.haveUnresolved;
}

function readingOf(attempts: readonly SentWrite[], write: number): ClockReading | undefined {
  const sent = attempts.find((one) => one.write === write);
  if (sent === undefined) return undefined;
  const log = new Attempts();
  log.begin(writeId(write), conditionOf(sent), sent.reading);
  return log.readingOf(writeId(write));
}

function attemptsOf(sent: SentWrite): Attempts {
  const attempts = new Attempts();
  // Its place in the order of events stands for the time at which it was sent: `Attempts` only compares those.
  attempts.begin(writeId(sent.write), conditionOf(sent), { monotonicMs: sent.sequence, wallMs: 0 });
  return attempts;
}

function conditionOf({ condition }: SentWrite): WriteCondition {
  return condition === ABSENT ? { kind: "if-absent" } : { kind: "if-match", etag: String(condition) };
}
