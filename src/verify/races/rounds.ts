import { type Examination, NoAnswer, UnexpectedRefusal } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { isDone } from "../examination/probe-answer.js";
import type { ProbeRequests } from "../examination/probe-requests.js";
import { StartingLine } from "../examination/starting-line.js";

/** What the contenders of one round were told, by the body that each wanted to write. */
export interface Round {
  readonly bodies: readonly string[];
  /** Told that it was done. */
  readonly winners: readonly string[];
  /** Told nothing certain: 5xx, 429, no answer. */
  readonly uncertain: readonly string[];
  readonly etag: string | undefined;
  readonly throttled: boolean;
}

export interface RaceTally {
  rounds: number;
  /** Rounds in which no contender was told that it had won. */
  withoutWinner: number;
  /** Losers that got something else than 412 or 409. */
  uncertain: number;
  throttled: number;
  /** Rounds in which all were refused, and one had done it: the winner's request was sent twice, or the store says so always. */
  refusedAndDone: number;
  /** What kept the last object from being made that was to be raced about. */
  unmade: NoAnswer | undefined;
}

/** One contender's request; it is held at the line until all are ready. */
export type Contend = (lane: ProbeRequests, body: string, start: StartingLine) => Promise<ProbeOutcome>;

/**
 * Makes a new object for a round to be about, and gives its ETag, or undefined where it is not known what became of it.
 * @throws NoAnswer where the store refuses such writes
 */
export async function created(
  exam: Examination,
  key: string,
  tally?: Pick<RaceTally, "unmade">,
): Promise<string | undefined> {
  const body = exam.newBody();
  const made = await exam.lane.put(key, body, { IfNoneMatch: "*" });
  if (made.kind === "unknown" && tally !== undefined) tally.unmade = new NoAnswer(made);
  if (made.kind === "unknown") return undefined;
  if (made.kind === "refused") throw new NoAnswer(made);
  if (isDone(made)) return made.etag;
  // It may have been sent twice, and the second one answered.
  const found = await exam.read(key);
  return found.body === body ? found.etag : undefined;
}

/** Starts all contenders at once, each over the next client in turn. */
export async function contest(exam: Examination, contenders: number, contend: Contend): Promise<Round> {
  const start = new StartingLine(exam.effects, contenders);
  const bodies = Array.from({ length: contenders }, () => exam.newBody());
  const outcomes = await Promise.all(bodies.map((body) => contend(exam.lane, body, start)));
  const winners: string[] = [];
  const uncertain: string[] = [];
  let etag: string | undefined;
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind === "refused") throw new NoAnswer(outcome);
    const body = bodies[index] as string;
    if (outcome.kind === "unknown") uncertain.push(body);
    else if (outcome.status >= 200 && outcome.status < 300) {
      winners.push(body);
      etag = outcome.etag;
    }
  }
  const throttled = outcomes.some((outcome) => outcome.kind === "unknown" && outcome.throttled);
  return { bodies, winners, uncertain, etag, throttled };
}

/**
 * Says what is wrong with a round, judged by what was answered and by what the key holds afterwards; undefined for nothing. No other client
 * writes to the key, so it has to hold what the one winner wrote.
 */
export async function violation(
  exam: Examination,
  key: string,
  round: Round,
  tally: RaceTally,
  deed: string,
): Promise<string | undefined> {
  const { bodies, winners, uncertain } = round;
  if (winners.length > 1) return `${winners.length} of them were told that they had ${deed}`;
  const [winner] = winners;
  // One of those that heard nothing may have won, and its write may still be on its way.
  if (winner === undefined && uncertain.length > 0) return undefined;
  if (winner === undefined) {
    const { body } = await exam.read(key);
    if (body === undefined || !bodies.includes(body)) return undefined;
    tally.refusedAndDone += 1;
    return undefined;
  }
  const lateMs = await exam.settles(async () => (await exam.read(key)).body === winner);
  if (lateMs === 0) return undefined;
  if (lateMs < Number.POSITIVE_INFINITY) return `the winner's object was read only ${lateMs} ms after its answer`;
  return "the object is not the one that the winner wrote: its write was lost";
}

/**
 * Repeats a round, as the time and the bounds allow; two at once, on different keys, so that a slow store gets enough of
 * them. Resolves with the first fault.
 */
export async function repeat(
  exam: Examination,
  tally: RaceTally,
  share: number,
  round: (index: number, track: number) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { rounds } = exam.thoroughness;
  const endMs = exam.endOfShareMs(share);
  let started = 0;
  let fault: string | undefined;
  let isBroken = false;
  const isOver = () =>
    isBroken ||
    started >= rounds.max ||
    // Where most rounds are turned away, their number says little.
    ((started >= rounds.min || exam.isThrottled) && exam.effects.monotonicMs() >= endMs);
  const run = async (track: number): Promise<void> => {
    while (fault === undefined && !isOver()) {
      started += 1;
      const found = await round(started, track).catch((error: unknown) => {
        isBroken = true;
        throw error;
      });
      if (found !== undefined) fault ??= `in round ${tally.rounds}, ${found}`;
    }
  };
  // Both are over before anything else begins, also when one fails.
  const ends = await Promise.allSettled([run(0), run(1)]);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined && fault === undefined) throw failed.reason;
  if (fault === undefined && tally.rounds === 0) throw noRound(tally);
  return fault;
}

/** Says why there was no round: what no contender has raced for was not examined. */
function noRound({ unmade }: RaceTally): Error {
  return unmade === undefined
    ? new UnexpectedRefusal("PUT with If-None-Match: * on a new key was refused each time")
    : unmade;
}

export function newTally(): RaceTally {
  return { rounds: 0, withoutWinner: 0, uncertain: 0, throttled: 0, refusedAndDone: 0, unmade: undefined };
}
