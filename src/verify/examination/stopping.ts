import { unlessAborted } from "../../runtime/base/abort.js";
import { cleanUp, cleanUpAfterLateWrites, notCleaned } from "./clean-up.js";
import type { Examination } from "./examination.js";
import type { ProbeRequests } from "./probe-requests.js";
import type { Finding } from "./report.js";

interface Asking {
  readonly lanes: readonly ProbeRequests[];
  readonly asking: Promise<void>;
  readonly signal: AbortSignal | undefined;
  readonly tidied: (finding: Finding) => void;
}

/** What was asked is answered, or given up, and what was written removed, as far as the store answers; nothing is sent afterwards. */
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
    const late = exam.observations.unanswered.pending;
    const cleaned = await whileAnswered(exam, { work: cleanUp(exam, lanes), signal, quietMs });
    const finding =
      cleaned === undefined
        ? notCleaned(exam)
        : await cleanUpAfterLateWrites(exam, lanes, { found: cleaned.result, late });
    for (const lane of lanes) lane.end();
    tidied(finding);
  }
}

/** A store that has not answered for so long to what was asked before the examination was stopped is silent. */
const QUIET_MS = 1000;
/** For one that was silent before. */
const SILENT_MS = 500;
/** Longer than the pause that a store gets which takes one write a second. */
const QUIET_IN_CLEAN_UP_MS = 1500;

/**
 * What the work comes to. Once the examination is stopped, it may go on for as long as the store goes on answering; of one that is silent, or says 503 only,
 * nothing is expected, and the user who has pressed Ctrl-C is waiting.
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
    if (await exam.settledWithin(done, quietMs)) return await done;
    if (observations.told === told) return undefined;
  }
}
