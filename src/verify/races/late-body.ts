import { type Examination, NoAnswer } from "../examination/examination.js";
import { isDone } from "../examination/probe-answer.js";
import { created } from "./rounds.js";

/** The slow PUT has to have arrived before the other one. */
const UNDER_WAY_MS = 150;
/** A store that holds the key for the slow one answers the other one after that. */
const WAITING_MS = 1500;
/** One that is denied shows nothing; a store that denies all that come slowly is judged by the race. */
const TRIES = 3;

/**
 * Finds out whether two that replace one version are both told that they have, where the last byte of the first comes after the second was
 * answered. A store that judges a condition before the body has come, and does not hold the key meanwhile, is met by that each time, by a
 * race now and then.
 */
export async function bothWinByLateBody(exam: Examination, tries = 1): Promise<boolean> {
  const key = exam.newKey("late");
  const etag = await created(exam, key);
  if (etag === undefined || exam.isThrottled) return false;
  const condition = exam.ifMatch(etag);
  const slow = exam.lane.putSlowly(key, exam.newBody(), condition);
  try {
    await exam.pause(UNDER_WAY_MS);
    const answering = exam.lane.put(key, exam.newBody(), condition);
    await exam.settledWithin(answering, WAITING_MS);
    const said = await slow.finish();
    const quick = await answering;
    if (quick.kind === "refused") throw new NoAnswer(quick);
    if (said === "denied" && tries < TRIES) return await bothWinByLateBody(exam, tries + 1);
    return said === "done" && quick.kind === "answer" && isDone(quick);
  } finally {
    await slow.cut();
  }
}
