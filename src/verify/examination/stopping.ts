import { unlessAborted } from "../../runtime/base/abort.js";
import {
  CLEANED,
  cannotBeSeen,
  mayStillLand,
  notCleaned,
  objectsAreLeft,
  removeAll,
  removeLateWrites,
  whatIsLeft,
} from "./clean-up.js";
import type { Examination } from "./examination.js";
import type { ProbeRequests } from "./probe-requests.js";
import type { Finding } from "./report.js";

interface Asking {
  readonly lanes: readonly ProbeRequests[];
  readonly asking: Promise<void>;
  readonly signal: AbortSignal | undefined;
  readonly tidied: (finding: Finding) => void;
}

/** Awaits what was asked, or its being given up, and removes what was written, as far as the store answers; nothing is sent afterwards. */
export async function askThenTidyUp(exam: Examination, { lanes, asking, signal, tidied }: Asking): Promise<void> {
  let quietMs = QUIET_IN_CLEAN_UP_MS;
  try {
    const asked = await whileAnswered(exam, { work: asking, signal, quietMs: QUIET_MS });
    if (asked !== undefined) return;
    quietMs = SILENT_MS;
    exam.throwIfAborted();
  } finally {
    // Where one of several that race fails, the others go on for a while.
    for (const lane of lanes) lane.endWrites();
    const finding = await tidyUp(exam, { lanes, signal, quietMs });
    for (const lane of lanes) lane.end();
    tidied(finding);
  }
}

interface TidyingUp extends Pick<Asking, "lanes" | "signal"> {
  readonly quietMs: number;
}

/** Removes all that was written, whatever happened; what cannot be removed is named. */
async function tidyUp(exam: Examination, { lanes, signal, quietMs }: TidyingUp): Promise<Finding> {
  const { writes, told } = exam.observations;
  // Nothing has come of an address where no store is, and nothing is waited for there.
  if (told === 0 && !mayHoldAny(exam)) return CLEANED;
  const look = async (keys: readonly string[]): Promise<Finding> => {
    const seen = await whileAnswered(exam, { work: whatIsLeft(exam, lanes[0], keys), signal, quietMs });
    if (seen === undefined) return mayHoldAny(exam) ? notCleaned(exam) : CLEANED;
    if (seen.result === "some") return objectsAreLeft(exam);
    return seen.result === "none" ? CLEANED : cannotBeSeen(exam);
  };
  const late = writes.pending;
  const removed = await whileAnswered(exam, { work: removeAll(exam, lanes), signal, quietMs });
  if (removed === undefined) return mayHoldAny(exam) ? notCleaned(exam) : CLEANED;
  const found = removed.result.length > 0 ? await look(removed.result) : CLEANED;
  if (found !== CLEANED) return found;
  const { open, left } = await removeLateWrites(exam, lanes, late);
  return open.length > 0 ? mayStillLand(exam, open) : await look(left);
}

function mayHoldAny({ keys, observations }: Examination): boolean {
  return observations.writes.mayHold(keys).length > 0;
}

/** A store that has not answered for so long to what was asked before the examination was stopped is silent. */
const QUIET_MS = 1000;
/** For one that was silent before. */
const SILENT_MS = 500;
/** So much later than its timer: this process had no time to hear an answer. */
const OVERSLEPT_MS = 100;
/** Longer than the pause that a store gets which takes one write a second. */
const QUIET_IN_CLEAN_UP_MS = 1500;

/**
 * Waits for what the work comes to. Once the examination is stopped, it may go on for as long as the store goes on answering; of one that
 * is silent, or says 503 only, nothing is expected, and the user who has pressed Ctrl-C is waiting.
 * @returns undefined where it was given up
 */
async function whileAnswered<Result>(
  exam: Examination,
  { work, signal, quietMs }: { work: Promise<Result>; signal: AbortSignal | undefined; quietMs: number },
): Promise<{ readonly result: Result } | undefined> {
  const done = work.then((result) => ({ result }));
  if (signal === undefined) return await done;
  const early = await unlessAborted(done, signal);
  if (early !== undefined) return early;
  const { observations } = exam;
  for (let { told } = observations; ; { told } = observations) {
    const untilMs = exam.effects.monotonicMs() + quietMs;
    if (await exam.settledWithin(done, quietMs)) return await done;
    const hasOverslept = exam.effects.monotonicMs() > untilMs + OVERSLEPT_MS;
    if (observations.told === told && !hasOverslept) return undefined;
  }
}
