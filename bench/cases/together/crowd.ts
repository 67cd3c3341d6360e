import type { Bench, BenchCase } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { pushingLimit } from "../../contestants/pushing-limit.js";
import { atLeast, atMost, figure } from "../../figures.js";
import { between, busiestSecond } from "../../server/request-rate.js";
import { requestsByKind, type Turns, takeTurns } from "../../turns.js";

const LATENCY_MS = 60;
const CLIENTS = 60;
const HOLD_MS = 100;
/** A turn is what it is at the limit: the hold (which includes a renewal here) and two round trips. */
const TURN_MS = HOLD_MS + LATENCY_MS + 2 * LATENCY_MS;
const TARGET_MS = CLIENTS * TURN_MS + 10_000;

export const crowd: BenchCase = {
  name: "crowd",
  issue: 3,
  title: "60 waiters in separate instances at once, 100 ms hold with a renewal in it, 60 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, libraryOn(server), bench.rounds(3));
    const theirs = await measure(bench, ancestorOn(server), 1);
    const limit = await measure(bench, pushingLimit(LATENCY_MS), 1);
    return figuresOf(ours, theirs, limit);
  },
};

async function measure(bench: Bench, contestant: Contestant, rounds: number): Promise<Turns[]> {
  const plan = {
    clients: CLIENTS,
    turnsEach: 1,
    holdMs: HOLD_MS,
    renews: true,
    limitMs: bench.quick ? 45_000 : 120_000,
  };
  const runs: Turns[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turns = await takeTurns(contestant, plan, bench.random(`crowd ${round}`));
    bench.say(`${contestant.name}: ${turns.done} of ${CLIENTS} served in ${(turns.elapsedMs / 1000).toFixed(1)} s`);
    runs.push(turns);
  }
  return runs;
}

function figuresOf(ours: readonly Turns[], theirs: readonly Turns[], limit: readonly Turns[]) {
  const all = (of: (turns: Turns) => number) => ({
    measured: ours.map(of),
    ancestor: theirs.map(of),
    limit: limit.map(of),
  });
  const threeRoundTrips = atMost(3 * LATENCY_MS, "at most 3 round trips (180 ms)");
  const inTime = atMost(TARGET_MS, `at most 60 turns + 10 s (${TARGET_MS} ms)`);
  return [
    figure({ name: "served", unit: "of 60", ...all(({ done }) => done), target: atLeast(CLIENTS), strict: true }),
    figure({ name: "until all are served", unit: "ms", better: "lower", ...all(untilAll), target: inTime }),
    figure({ name: "slowest release", unit: "ms", better: "lower", ...all(slowestRelease), target: threeRoundTrips }),
    figure({ name: "slowest renewal", unit: "ms", better: "lower", ...all(slowestRenewal), target: threeRoundTrips }),
    figure({
      name: "busiest second",
      unit: "requests",
      better: "lower",
      ...all(busiest),
      target: atMost(60),
      strict: true,
    }),
    figure({
      name: "busiest second after the first",
      unit: "requests",
      better: "lower",
      ...all(busiestLater),
      note: "60 arrivals make 60 requests by themselves: this is what comes after that",
    }),
    figure({ name: "requests a turn", unit: "", better: "lower", ...all(requestsATurn), note: requestsByKind(ours) }),
  ];
}

/** A run that was ended before all were served took at least as long as all would have at its pace. */
const untilAll = ({ done, elapsedMs }: Turns) => (elapsedMs * CLIENTS) / Math.max(1, done);
const slowestRelease = ({ releasesMs }: Turns) => Math.max(0, ...releasesMs);
const slowestRenewal = ({ renewalsMs }: Turns) => Math.max(0, ...renewalsMs);
const busiest = ({ requests }: Turns) => busiestSecond(requests);
const busiestLater = ({ requests }: Turns) => {
  const firstAtMs = Math.min(...requests.map(({ at }) => at));
  return busiestSecond(between(requests, firstAtMs + 1000, Number.POSITIVE_INFINITY));
};
const requestsATurn = ({ requests, done }: Turns) => requests.length / Math.max(1, done);
