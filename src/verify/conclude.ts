import { S3MutexError } from "../errors.js";
import type { UnknownOutcome } from "../store/object-store.js";
import { type Examination, NoAnswer, UnexpectedRefusal } from "./examination/examination.js";
import { type Finding, fail, type StoreCheckId, skipped, warn } from "./examination/report.js";

export type Check = readonly [id: StoreCheckId, title: string, run: (exam: Examination) => Promise<Finding> | Finding];

/** A check whose requests get no answer that helps is made again. */
const TRIES = 8;
/** Where the store says each time that it is busy, two of these tries are seven seconds, and locks would wait no longer. */
const BUSY_TRIES = 2;
/** One that locks do not rest on, and whose requests run into their time-outs, is not made again after that: the others are to have time, too. */
const CHECK_MS = 15_000;

const BESIDE_LOCKS: ReadonlySet<StoreCheckId> = new Set([
  "stale-delete",
  "head",
  "keys",
  "list-after-write",
  "list-pages",
]);
const BESIDE = "Locks do not rest on this. `ls`, cleanup and other software may.";
const REFUSED = "Locks cannot work without this. Use another store, or have this one repaired.";

/**
 * Makes a check, and gives what it comes to.
 * @param mustKnow no verdict at all rather than one about a store that gave no usable answer
 * @throws what the store refuses with, where locks rest on the check; what else runs at the same time asks nothing more then
 */
export async function conclude(exam: Examination, check: Check, mustKnow: boolean): Promise<Finding> {
  try {
    return await madeUntilAnswered(exam, check, mustKnow);
  } catch (error) {
    exam.giveUp(error);
    throw error;
  }
}

async function madeUntilAnswered(exam: Examination, check: Check, mustKnow: boolean): Promise<Finding> {
  const endMs = BESIDE_LOCKS.has(check[0]) ? exam.effects.monotonicMs() + CHECK_MS : Number.POSITIVE_INFINITY;
  for (let tries = 1; ; tries += 1) {
    const result = await madeOnce(exam, check);
    if ("verdict" in result) return result;
    const { outcome, isAlwaysBusy } = result;
    const most = isAlwaysBusy ? BUSY_TRIES : TRIES;
    const isLast = tries >= most || exam.effects.monotonicMs() > endMs;
    if (!isLast) await exam.stepBack(outcome, tries);
    else if (mustKnow) throw outcome.error;
    else return useless(check, `no usable answer in ${tries} of ${most} tries: ${outcome.error.message}`);
  }
}

interface Unanswered {
  readonly outcome: UnknownOutcome;
  readonly isAlwaysBusy: boolean;
}

/** Makes the check once, and gives its finding, or the answer that kept it from being made. */
async function madeOnce(exam: Examination, check: Check): Promise<Finding | Unanswered> {
  try {
    return await check[2](exam);
  } catch (error) {
    if (error instanceof UnexpectedRefusal) return fail(error.message, REFUSED);
    if (!(error instanceof NoAnswer)) throw error;
    const { outcome } = error;
    if (outcome.kind === "unknown") return { outcome, isAlwaysBusy: error.isAlwaysBusy };
    const { code, message } = outcome.error;
    if (code === "store-unsafe") return useless(check, message);
    // The permissions were there at first: what was not examined is not safe for that.
    if (!BESIDE_LOCKS.has(check[0]) && !exam.hidesAbsence) throw noVerdict(check, outcome.error);
    return code === "access-denied" ? skipped(message) : useless(check, message);
  }
}

function noVerdict([, title]: Check, error: S3MutexError): S3MutexError {
  const { code, message } = error;
  // No answer of a store is one of the latter.
  if (code === "lost" || code === "deadlock") return error;
  const text = `The store has refused a request during its examination (${title}), so there is no verdict: ${message}`;
  return new S3MutexError(code, text, { cause: error });
}

function useless([id]: Check, detail: string): Finding {
  return BESIDE_LOCKS.has(id) ? warn(detail, BESIDE) : fail(detail, REFUSED);
}
