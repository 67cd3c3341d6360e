import type { Examination } from "../examination/examination.js";
import { isDone } from "../examination/probe-answer.js";
import { type Finding, fail, pass, REPEATED, skipped, UNDELETABLE, UNSAFE, warn } from "../examination/report.js";
import { knownToLose } from "./known.js";
import { bothWinByLateBody } from "./late-body.js";
import { contest, created, newTally, type RaceTally, type Round, repeat, violation } from "./rounds.js";

/** Of so many rounds, one at least should have a winner that is told so, however often requests are repeated on the way. */
const ENOUGH_ROUNDS = 4;

/** Without the right to delete, each round leaves an object behind. */
const UNDELETABLE_ROUNDS = 6;

/** Lets many create one key at once: a new one, and one that was deleted a moment ago. */
export async function createRace(exam: Examination): Promise<Finding> {
  const tally = newTally();
  const { contenders } = exam.thoroughness;
  const last: (string | undefined)[] = [];
  const fault = await repeat(exam, tally, 0.33, async (index, track) => {
    if (!exam.mayDelete && index > UNDELETABLE_ROUNDS) return undefined;
    const reused = last[track];
    const key = reused ?? exam.newKey("race");
    const round = await contest(exam, contenders, (lane, body, start) =>
      lane.put(key, body, { IfNoneMatch: "*" }, start),
    );
    await note(exam, tally, round);
    const found = await violation(exam, key, round, tally, "created it");
    // A key whose last round has no known end would spoil the next one.
    const mayReuse = exam.mayDelete && !(await exam.refusesOverMarkers);
    const isClean = round.uncertain.length === 0 && mayReuse && reused === undefined;
    last[track] = isClean && found === undefined && (await exam.delete(key)) ? key : undefined;
    return found;
  });
  return conclusion(exam, tally, fault, "created a key");
}

/** Lets many replace the same version at once. */
export async function replaceRace(exam: Examination): Promise<Finding> {
  if (exam.form === undefined) return skipped("If-Match does not work here");
  if (await bothWinByLateBody(exam)) {
    return fail("two replaced one version: the body of one came late, and both were told that they had", UNSAFE);
  }
  const tally = newTally();
  const { contenders } = exam.thoroughness;
  const places: { key: string; etag: string | undefined }[] = [];
  const fault = await repeat(exam, tally, 0.45, async (_, track) => {
    const known = places[track];
    const place = known ?? { key: exam.newKey("race"), etag: undefined };
    if (place.etag === undefined) {
      place.etag = await created(exam, place.key, tally);
      if (place.etag === undefined) return undefined;
    }
    await exam.pauseIfThrottled();
    const condition = exam.ifMatch(place.etag);
    const round = await contest(exam, contenders, (lane, body, start) => lane.put(place.key, body, condition, start));
    await note(exam, tally, round);
    const found = await violation(exam, place.key, round, tally, "replaced it");
    if (round.etag === undefined) delete places[track];
    else places[track] = { key: place.key, etag: round.etag };
    return found;
  });
  return conclusion(exam, tally, fault, "replaced a version");
}

/** Lets half of them replace a version, and half delete it: what is held again must not be deleted. */
export async function deleteRace(exam: Examination): Promise<Finding> {
  if (exam.versions !== undefined)
    return skipped("the bucket keeps versions, or has kept them: s3-mutex deletes nothing there");
  if (!exam.mayDelete) return UNDELETABLE;
  if (!exam.honoursDeletes)
    return skipped("DELETE with If-Match does not hold here, or not in races, so s3-mutex does not use it");
  const tally = newTally();
  const { contenders } = exam.thoroughness;
  const fault = await repeat(exam, tally, 0.4, async () => {
    const key = exam.newKey("race");
    const etag = await created(exam, key, tally);
    if (etag === undefined) return undefined;
    await exam.pauseIfThrottled();
    const { IfMatch } = exam.ifMatch(etag);
    let deletes = 0;
    let turn = 0;
    const round = await contest(exam, contenders, async (lane, body, start) => {
      turn += 1;
      if (turn % 2 === 0) return lane.put(key, body, { IfMatch }, start);
      const outcome = await lane.delete(key, IfMatch, start);
      if (outcome.kind !== "answer" || !isDone(outcome)) return outcome;
      deletes += 1;
      return { ...outcome, status: 404 };
    });
    await note(exam, tally, round);
    if (deletes === 0) return await violation(exam, key, round, tally, "replaced it");
    if (round.winners.length > 0)
      return "one was told that it had replaced a version, and another that it had deleted it";
    const lateMs =
      round.uncertain.length > 0 ? 0 : await exam.settles(async () => (await exam.read(key)).status === 404);
    return lateMs === 0 ? undefined : "what was deleted is still there";
  });
  if (fault === undefined)
    return pass(`${tally.rounds} rounds of ${contenders}: a version was replaced or deleted, never both`);
  return fail(`DELETE races with PUT: ${fault}`, UNSAFE);
}

async function note(exam: Examination, tally: RaceTally, round: Round): Promise<void> {
  tally.rounds += 1;
  tally.uncertain += round.uncertain.length;
  if (round.winners.length === 0) tally.withoutWinner += 1;
  if (!round.throttled) return;
  tally.throttled += 1;
  await exam.pauseIfThrottled();
}

function conclusion(exam: Examination, tally: RaceTally, fault: string | undefined, deed: string): Finding {
  const { contenders } = exam.thoroughness;
  const measured = { rounds: tally.rounds, contenders };
  if (fault !== undefined) return fail(`${contenders} at once ${deed}: ${fault}`, UNSAFE, measured);
  const detail = `${tally.rounds} rounds of ${contenders}: one of them ${deed} each time`;
  const loser = knownToLose(exam);
  if (loser !== undefined) {
    return fail(
      `${detail}, but ${loser} is known to check and then write, so that two may, once in a while`,
      UNSAFE,
      measured,
    );
  }
  if (tally.refusedAndDone >= ENOUGH_ROUNDS && tally.refusedAndDone === tally.rounds) {
    const each = `all of them were refused in each of ${tally.rounds} rounds, and one of them has ${deed} all the same`;
    return fail(`${contenders} at once: ${each}`, UNSAFE, measured);
  }
  if (tally.refusedAndDone > 0) {
    const doubly = `in ${tally.refusedAndDone} of ${tally.rounds} rounds, the one that had ${deed} was answered as refused`;
    return warn(doubly, REPEATED, measured);
  }
  if (tally.withoutWinner > tally.rounds / 10) {
    const remedy =
      "Locks stay safe, and slow where many want the same one. Ask the store's operator about the answers to races.";
    return warn(`in ${tally.withoutWinner} of ${tally.rounds} rounds, none of ${contenders} ${deed}`, remedy, measured);
  }
  if (tally.throttled > 0) {
    const remedy = "Nothing to do for safety; see the write ceiling.";
    return warn(`${detail}; in ${tally.throttled} of them some were turned away (429 or 503)`, remedy, measured);
  }
  if (tally.uncertain > 0) {
    const remedy =
      "Nothing to do: s3-mutex reads what became of such a write. It costs requests where many want the same lock.";
    return warn(`${detail}; ${tally.uncertain} losers got an error in place of 412`, remedy, measured);
  }
  return pass(detail, measured);
}
