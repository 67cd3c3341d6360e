import { type LossReason, S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import type { S3MutexEvents } from "../base/events.js";

/** How a loss is told to people and to programs. */

/** Why a lock was lost: all reasons but those of a lock that its holder has released, or may have yet. */
export type Loss = S3MutexEvents["lost"][0]["reason"];

/** Why a lock is known not to be held. */
type GoneForGood = Loss | "released";

const SENTENCES: Readonly<Record<GoneForGood, string>> = {
  expired: "its lease ran out before it could be renewed",
  "taken-over": "another holder took it over",
  "force-released": "it was released by force",
  deleted: "it was deleted",
  "store-unavailable": "the store could not be reached until the lease was over",
  closed: "its mutex was closed while work went on, and nothing renewed it any more",
  resigned: "its holder resigned",
  cloned: "a copy of the process that held it goes on with it",
  "outer-released": "what it nested in was released",
  released: "it was released",
};

/** Why a holder is asked to stop although the lock is its own until it has ended. */
export type StopReason = Extract<LossReason, "closed" | "resigned">;

const REQUESTS: Readonly<Record<StopReason, string>> = {
  closed: "its mutex is being closed",
  resigned: "its holder resigns",
};

/** Gives the reason of a signal that asks to stop: nothing is lost yet. */
export function stopError(lockName: string, reason: StopReason): S3MutexError {
  const message = `End the work under the lock ${JSON.stringify(lockName)}: ${REQUESTS[reason]}. It is held until the work has ended.`;
  return new S3MutexError("lost", message, { lockName, reason });
}

/** What became of the renewals since the last one that was made. */
export interface FailedRenewals {
  /** Why the last one failed. */
  readonly last?: unknown;
  /** What was answered last in place of one. */
  readonly answer?: S3MutexError;
}

/** Remembers them. */
export class RenewalFailures {
  #failed: FailedRenewals = {};

  get soFar(): FailedRenewals {
    return this.#failed;
  }

  /** `isAnswered`: the error tells what the store has said. */
  readonly note = (error: unknown, isAnswered = true): void => {
    const answer = isAnswered && S3MutexError.is(error) ? { answer: error } : {};
    this.#failed = { ...this.#failed, last: error, ...answer };
  };

  forget(): void {
    this.#failed = {};
  }
}

/** So much later than its lease was over, a process that notices it has stood still. */
const STOOD_STILL_MS = 1000;

/** Says why a lease has ended: a renewal was tried in vain up to its end, or none was made in time. */
export function reasonOfEnd(
  { last }: FailedRenewals,
  { isRenewing, lateMs }: { readonly isRenewing: boolean; readonly lateMs: number },
): Loss {
  const isInVain = last !== undefined || (isRenewing && lateMs < STOOD_STILL_MS);
  return isInVain ? "store-unavailable" : "expired";
}

/** What is known besides of how a lock was lost. */
export interface Circumstances extends Pick<FailedRenewals, "answer"> {
  readonly cause?: unknown;
  /** By how much the wall clock had gone further than the monotonic one, where that put the lease in doubt. */
  readonly steppedByMs?: number | undefined;
}

export function lossError(lockName: string, reason: GoneForGood, circumstances: Circumstances = {}): S3MutexError {
  const { cause } = circumstances;
  const sentence = sentenceOf(reason, circumstances);
  const message = `The lock ${JSON.stringify(lockName)} is not held any more: ${sentence}.${clocksOf(reason, circumstances)}`;
  return new S3MutexError("lost", message, { lockName, reason, ...(cause === undefined ? {} : { cause }) });
}

/** Says how it was lost. What answers was reached, be it the store or a proxy before it: the holder learns what it said. */
function sentenceOf(reason: GoneForGood, { cause, answer }: Circumstances): string {
  if (reason !== "store-unavailable") return SENTENCES[reason];
  if (S3MutexError.is(cause) && cause.code !== "store-unavailable") {
    return `the store refused to renew it until the lease was over: ${clauseOf(cause)}`;
  }
  if (answer === undefined) return SENTENCES[reason];
  return `no renewal got through until the lease was over; the last answer: ${clauseOf(answer)}`;
}

/** Says what the clocks did: they took it away only where no caller has ended it on purpose. */
function clocksOf(reason: GoneForGood, { steppedByMs }: Circumstances): string {
  if (steppedByMs === undefined || !BY_TIME.has(reason)) return "";
  const seconds = Math.round(steppedByMs / 1000);
  return ` It was over by the wall clock, which went ${seconds} s further than the monotonic clock since the last renewal: it was set, or the machine slept. Let the time service slew that clock rather than set it, and keep the machine awake while it holds locks.`;
}

const BY_TIME: ReadonlySet<GoneForGood> = new Set<GoneForGood>(["expired", "taken-over", "store-unavailable"]);

function clauseOf({ message }: S3MutexError): string {
  return message.replace(/\.$/, "");
}

/** Says that it was released: not a loss, but not held either. */
export function releasedError(lockName: string): S3MutexError {
  return lossError(lockName, "released");
}

/** Says the same of a handle that has given its lock to another one by `serialize()`. */
export function handedOverError(lockName: string): S3MutexError {
  const message = `The lock ${JSON.stringify(lockName)} is not held by this handle any more: it was handed over by serialize(), and goes on where restore() is called.`;
  return new S3MutexError("lost", message, { lockName, reason: "released" });
}

/** Says that it is not known: the clocks of this machine disagree about whether the lease is over. */
export function doubtError(lockName: string): S3MutexError {
  const why = "the wall clock was set, or the machine slept; the store is being asked whether it still is";
  const message = `The lock ${JSON.stringify(lockName)} is not known to be held at this moment: ${why}.`;
  return new S3MutexError("lost", message, { lockName, reason: "in-doubt" });
}

/** Tells the operator of the process that a renewal failed, and that nothing is lost yet. */
export function tellRetry({ logger }: Context, lockName: string, error: unknown): void {
  logger.warn(`renewing ${JSON.stringify(lockName)} failed and is tried again`, { err: error });
}

/** Tells the operator of the process, and the listeners of the mutex. */
export function tellLoss({ logger, emit }: Context, loss: S3MutexEvents["lost"][0]): void {
  const { error, ...fields } = loss;
  logger.warn("a lock was lost", { err: error, ...fields });
  emit("lost", loss);
}
