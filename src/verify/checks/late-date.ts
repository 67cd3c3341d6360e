import { haveOneCore } from "../../store/s3/answers/etag-shape.js";
import { type Examination, NoAnswer } from "../examination/examination.js";
import { isDone } from "../examination/probe-answer.js";

/** Longer than a second, so that a write soon after the turn of one is among them. */
const SAMPLING_MS = 1300;
const STEP_MS = 40;

/**
 * Measures how late a `Date` was at least. A clock that is behind and a header that is late look the same, until `Last-Modified` is looked
 * at, which a store writes by its clock: an object that was modified at a second was written in it, so the clock has shown that second when
 * the answer to the PUT came. From then on the local clock tells what time it is there.
 */
export async function sampleLateness(exam: Examination): Promise<void> {
  try {
    await sample(exam);
  } catch (error) {
    // One answer that was lost on its way says nothing about times.
    if (!(error instanceof NoAnswer)) throw error;
  }
}

async function sample(exam: Examination): Promise<void> {
  const { effects, observations } = exam;
  if (exam.form === undefined || exam.isThrottled) return;
  const key = exam.newKey("dated");
  const endMs = effects.monotonicMs() + SAMPLING_MS;
  let etag: string | undefined;
  let offsetMs = Number.NEGATIVE_INFINITY;
  let behindMs = Number.NEGATIVE_INFINITY;
  while (effects.monotonicMs() < endMs) {
    const put = await exam.put(key, exam.newBody(), etag === undefined ? { IfNoneMatch: "*" } : exam.ifMatch(etag));
    const got = await exam.read(key);
    if (!isDone(put) || !haveOneCore(got.etag ?? "", put.etag ?? "")) return;
    etag = put.etag;
    if (got.modifiedMs !== undefined) offsetMs = Math.max(offsetMs, got.modifiedMs - put.timing.receivedAtMs);
    for (const { dateMs, sentAtMs } of [put.timing, got.timing]) {
      if (dateMs !== undefined) behindMs = Math.max(behindMs, sentAtMs - dateMs);
    }
    await exam.pause(STEP_MS);
  }
  if (offsetMs + behindMs > Number.NEGATIVE_INFINITY) observations.lateDateMs = Math.round(offsetMs + behindMs);
}
