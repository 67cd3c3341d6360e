import { S3MutexError } from "../../errors.js";
import { type RefusedOutcome, THROTTLE_PAUSE_MS, type UnknownOutcome } from "../../store/object-store.js";
import type { Examination } from "./examination.js";
import type { ProbeRequests } from "./probe-requests.js";

/** What an endpoint that answers nothing says, or why the store takes nothing over it. */
type Silence = UnknownOutcome | RefusedOutcome;

const TRIES = 5;
const PAUSE_MS = 50;
/** One that lets each request run into its time-out is not asked five times. */
export const LONG_ENOUGH_MS = 10_000;

type When = "at first" | "still";

/**
 * Throws where an endpoint does not answer: a verdict about such a store would be chance, since it would depend on which requests went
 * there. Each of them has to show or to take an object at first; and where a question was not answered or was answered wrongly, to take one
 * without any condition: a store that is full, or closed for maintenance, says nothing about conditions.
 *
 * @throws what the endpoint says in place of the store: `store-unavailable`, `no-such-bucket`, `access-denied`, `invalid-argument`
 */
export async function eachMustAnswer(exam: Examination, lanes: readonly ProbeRequests[], when: When): Promise<void> {
  const silences = await Promise.all(lanes.map((lane) => silenceOf(exam, lane, when)));
  for (const [index, silence] of silences.entries()) {
    if (silence !== undefined) throw silentError(silence, lanes[index]?.gateway, when);
  }
}

/** Asks an endpoint until it answers or is given up; undefined for one that answers, however badly it does other things. */
async function silenceOf(exam: Examination, lane: ProbeRequests, when: When): Promise<Silence | undefined> {
  const { effects } = exam;
  const startedAtMs = effects.monotonicMs();
  for (let tries = 1; ; tries += 1) {
    const silence = await askedOnce(exam, lane, when);
    if (silence === undefined || silence.kind === "refused") return silence;
    if (tries === TRIES || effects.monotonicMs() - startedAtMs > LONG_ENOUGH_MS) return silence;
    await exam.pause(silence.throttled ? THROTTLE_PAUSE_MS : PAUSE_MS * tries);
  }
}

async function askedOnce(exam: Examination, lane: ProbeRequests, when: When): Promise<Silence | undefined> {
  exam.throwIfAborted();
  const read = await lane.get(exam.newStem("absent"));
  if (read.kind === "refused") return isExcused(read, exam.hidesAbsence || when === "at first") ? undefined : read;
  // A page is shown for every key that there is not.
  if (when === "at first" && read.kind === "answer" && read.status === 404) return undefined;
  // What kept it from leaving, such as credentials that do not come, keeps a write as well.
  if (read.kind === "unknown" && !read.sent) return read;
  const create = () => lane.put(exam.newKey("present"), exam.newBody(), { IfNoneMatch: "*" });
  let write = when === "at first" ? await create() : await lane.put(exam.newKey("present"), exam.newBody(), {});
  // A policy may deny writes without a condition.
  if (when === "still" && write.kind === "refused" && write.about === "permissions") write = await create();
  if (write.kind === "refused") return isExcused(write, when === "at first") ? undefined : write;
  return write.kind === "answer" ? undefined : write;
}

/** Says whether a refusal is the answer to another question: that of what is missing from the beginning. */
function isExcused({ about }: RefusedOutcome, mayBeMissing: boolean): boolean {
  return about === "permissions" && mayBeMissing;
}

export function silentError({ error, timing }: Silence, gateway: string | undefined, when: When): S3MutexError {
  const { code } = error;
  const isPlain = gateway === undefined && when === "at first";
  // No answer of a store is one of the latter.
  if (isPlain || code === "lost" || code === "deadlock") return error;
  const who = gateway === undefined ? "The store" : `The gateway ${gateway}`;
  if (code === "store-unavailable") {
    const words = timing === undefined ? SILENT : USELESS;
    return new S3MutexError(code, `${who} ${words[when]}, so there is no verdict: ${error.message}`, { cause: error });
  }
  return new S3MutexError(code, `${who} cannot be used: ${error.message}`, { cause: error });
}

const SILENT = { "at first": "does not answer", still: "has stopped answering during the examination" } as const;
/** Answered, with an error or by something on the way: what it was is said after it. */
const USELESS = { "at first": "gives no usable answer", still: "gives no usable answers any more" } as const;
