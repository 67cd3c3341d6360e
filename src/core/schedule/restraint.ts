import { needsDates } from "../dating.js";
import { type Attempt, ENTRY_LIFE_MS } from "../expiry.js";
import { areCompatible, type Claim, type LockRecord } from "../record.js";
import { isReturnLikely, mayJoin, mayPutOff, REFRESH_RESERVE_MS, type Setback, stepBackMs } from "./enqueue.js";
import { paceOf, servedInMs } from "./polling.js";

/** What a waiter remembers of its tries, each of which it begins with what the one before has returned. */
export interface Restraint {
  /** What it wanted to write last. */
  readonly wanted: "grant" | "entry";
  /** How often it lost a race or found the record better left alone. */
  readonly setbacks: number;
  /** How many entries in a row it has lost. */
  readonly losses: number;
  /** The version on which it let the last holder go first. */
  readonly deferredTo: string | undefined;
  /** Set while it leaves the record alone: when to poll again at the latest, if there is such a time. */
  readonly heldBack: { readonly withinMs: number | undefined } | undefined;
}

/** That of a waiter that has not tried yet. */
export const UNTRIED: Restraint = {
  wanted: "grant",
  setbacks: 0,
  losses: 0,
  deferredTo: undefined,
  heldBack: undefined,
};

/** A write that a waiter could send now. */
export interface PossibleWrite {
  readonly wanted: Restraint["wanted"];
  /** How many turns are ahead of it; 0 of a grant. */
  readonly turnsAhead: number;
  readonly record: LockRecord;
  readonly attempt: Attempt;
  /** The acquisition's. */
  readonly id: string;
  /** The instance's. */
  readonly ownerId: string;
  readonly roundTripMs: number;
  /** A number in [0, 1), which counts only where {@link hasChoice}. */
  readonly random: number;
}

/** Says whether it is for the waiter to choose, by chance too, when to write: what keeps all waiters waiting is not left alone. */
export function hasChoice({ wanted, record, attempt }: Pick<PossibleWrite, "wanted" | "record" | "attempt">): boolean {
  return wanted === "entry" && !needsDates(record, attempt);
}

/** Decides whether to send the write: where `heldBack` is set, it would only be in the way, and the record is left as it is. */
export function weighed(before: Restraint, write: PossibleWrite): Restraint {
  const { wanted, record } = write;
  const sent: Restraint = { ...before, wanted, heldBack: undefined };
  if (wanted === "grant") {
    const isFirst = isReturnLikely(record) && before.deferredTo !== record.writeId;
    return isFirst ? { ...sent, deferredTo: record.writeId, heldBack: { withinMs: 1 } } : sent;
  }
  return hasChoice(write) && isEntryPutOff(before, write)
    ? { ...sent, heldBack: { withinMs: refreshDueMs(write) } }
    : sent;
}

function isEntryPutOff(before: Restraint, write: PossibleWrite): boolean {
  const { record, attempt, roundTripMs, ownerId, random } = write;
  const own = ownEntry(write);
  const nowMs = attempt.now.latestMs;
  const setbacks = own === undefined ? before.setbacks : 0;
  const mayWrite = mayJoin(record, { nowMs, roundTripMs, ownerId, setbacks, random });
  if (own === undefined) return !mayWrite;
  return mayPutOff(own, { servedInMs: servedInMs(paceOf(record), write.turnsAhead, roundTripMs), mayWrite, nowMs });
}

/** Says in how many milliseconds its entry has to be refreshed; undefined where it has none. */
function refreshDueMs(write: PossibleWrite): number | undefined {
  const own = ownEntry(write);
  return own && Math.max(1, own.expiresAtMs - write.attempt.now.latestMs - REFRESH_RESERVE_MS);
}

/** Finds the waiter's own entry in the queue. */
export function ownEntry({ record, id }: Pick<PossibleWrite, "record" | "id">) {
  return record.queue.find((waiter) => waiter.id === id);
}

/** What a waiter that steps back sees. */
export interface StepBackSight
  extends Pick<Setback, "record" | "isEnqueued" | "waitedMs" | "holdAgeMs" | "roundTripMs" | "random"> {
  /** Why: another client's write came first, or it has left the record alone by itself. */
  readonly cause: "race" | "restraint";
  readonly claim: Claim;
}

/** Works out how long it steps back, and what it remembers of that. */
export function steppedBack(
  before: Restraint,
  { cause, claim, ...sight }: StepBackSight,
): { readonly restraint: Restraint; readonly delayMs: number } {
  const setbacks = before.setbacks + 1;
  const losses = before.losses + (cause === "race" && before.wanted === "entry" ? 1 : 0);
  const delayMs = stepBackMs({
    ...sight,
    lost: cause === "race" ? before.wanted : "nothing",
    setbacks,
    losses,
    isOpen: isOpenBeside(sight.record, claim),
    entryLifeMs: ENTRY_LIFE_MS,
  });
  const isForgotten = cause === "restraint" && delayMs > FORGOTTEN_AFTER_TRIPS * sight.roundTripMs;
  return { restraint: { ...before, setbacks, losses: isForgotten ? 0 : losses }, delayMs };
}

/** Says whether there was room beside the winner, too: permits, or readers among readers. */
function isOpenBeside(record: LockRecord | undefined, claim: Claim): boolean {
  return record !== undefined && areCompatible([...record.holders, claim, claim], record.limit);
}

/** A pause of more than this, a read and a write, ends a row of losses: who was in the race then has had its turn in it since. */
const FORGOTTEN_AFTER_TRIPS = 2;
