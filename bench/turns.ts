import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../src/testing/virtual/random.js";
import { sum } from "../testkit/statistics.js";
import { freshName, varied } from "./case.js";
import type { Contender, Contestant } from "./contestants/contestant.js";
import { type Arrival, breakdown } from "./server/request-rate.js";

/** A number of clients that take turns on one lock. */
export interface TurnsPlan {
  readonly clients: number;
  readonly turnsEach: number;
  readonly holdMs: number;
  /** All clients are one instance. */
  readonly oneInstance?: boolean;
  /** Each turn renews once, half way through. */
  readonly renews?: boolean;
  /** A run that takes longer is ended and reported as far as it got. */
  readonly limitMs: number;
}

export interface Turns {
  readonly done: number;
  readonly elapsedMs: number;
  readonly waitsMs: readonly number[];
  readonly holdsMs: readonly number[];
  readonly renewalsMs: readonly number[];
  readonly releasesMs: readonly number[];
  /** How often another one was inside already. */
  readonly overlaps: number;
  readonly requests: readonly Arrival[];
}

/** Mutable while it runs. */
class Tally {
  done = 0;
  overlaps = 0;
  inside = 0;
  lastDoneAtMs = performance.now();
  readonly waitsMs: number[] = [];
  readonly holdsMs: number[] = [];
  readonly renewalsMs: number[] = [];
  readonly releasesMs: number[] = [];
}

/** Lets all begin at once, on a lock that was not used yet, with clients that have spoken to the store before. */
export async function takeTurns(contestant: Contestant, plan: TurnsPlan, random: Random): Promise<Turns> {
  const contenders = Array.from({ length: plan.oneInstance ? 1 : plan.clients }, () => contestant.contender());
  await warmUp(contenders);
  await contestant.reset();
  const lockName = freshName("turns");
  const tally = new Tally();
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const timer = setTimeout(() => ending.abort(), plan.limitMs);
  const startedAtMs = performance.now();
  await Promise.all(
    Array.from({ length: plan.clients }, (_, client) => {
      const contender = contenders[client % contenders.length] as Contender;
      return oneClient(contender, { lockName, plan, random: random.fork(), tally, signal: ending.signal });
    }),
  );
  clearTimeout(timer);
  // A run that was ended has used up its time, however early its last turn was.
  const isComplete = tally.done === plan.clients * plan.turnsEach;
  const elapsedMs = (isComplete ? tally.lastDoneAtMs : performance.now()) - startedAtMs;
  const requests = await contestant.requests();
  await Promise.all(contenders.map((contender) => contender.close()));
  return { ...tally, elapsedMs, requests };
}

/** Makes connections, compiles code and learns the store's clock, as in processes that have run for a while. */
export async function warmUp(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(
    contenders.map(async (contender) => {
      const { signal } = new AbortController();
      const held = await contender.acquire(freshName("warm-up"), signal);
      await held.release();
    }),
  );
}

interface Work {
  readonly lockName: string;
  readonly plan: TurnsPlan;
  readonly random: Random;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

async function oneClient(contender: Contender, work: Work): Promise<void> {
  for (let turn = 0; turn < work.plan.turnsEach && !work.signal.aborted; turn += 1) {
    try {
      await oneTurn(contender, work);
    } catch (error) {
      // The run was ended: what is done is done.
      if (!work.signal.aborted) throw error;
    }
  }
}

async function oneTurn(contender: Contender, { lockName, plan, random, tally, signal }: Work): Promise<void> {
  const holdMs = varied(random, plan.holdMs);
  const askedAtMs = performance.now();
  const held = await contender.acquire(lockName, signal);
  const heldAtMs = performance.now();
  tally.waitsMs.push(heldAtMs - askedAtMs);
  if (tally.inside > 0) tally.overlaps += 1;
  tally.inside += 1;
  if (plan.renews) {
    await sleep(holdMs / 2);
    tally.renewalsMs.push(await timed(() => held.renew()));
    await sleep(holdMs / 2);
  } else {
    await sleep(holdMs);
  }
  tally.inside -= 1;
  tally.holdsMs.push(performance.now() - heldAtMs);
  tally.releasesMs.push(await timed(() => held.release()));
  tally.done += 1;
  tally.lastDoneAtMs = performance.now();
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** Tells what the requests of a turn were, over all rounds: where to look when there are too many. */
export function requestsByKind(runs: readonly Turns[]): string {
  const all = runs.flatMap(({ requests }) => requests);
  return breakdown(all, Math.max(1, sum(runs.map(({ done }) => done))));
}
