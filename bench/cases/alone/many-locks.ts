import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type BenchCase, freshName } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { mostInFlight } from "../../server/request-rate.js";
import { warmUp } from "../../turns.js";
import { warningsDuring } from "../../warnings.js";

const LATENCY_MS = 20;
const LOCKS = 500;

interface Run {
  readonly requestsALock: number;
  readonly elapsedMs: number;
  readonly warnings: number;
  readonly inFlight: number;
}

export const manyLocks: BenchCase = {
  name: "many-locks",
  issue: 2,
  title: "500 different locks at once from one process, taken and released, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, server, libraryOn(server), bench.rounds(3));
    const theirs = await measure(bench, server, ancestorOn(server), 1);
    const all = (of: (run: Run) => number) => ({ measured: ours.map(of), ancestor: theirs.map(of) });
    const shared = await warningsWithOneSignal(libraryOn(server));
    const requestsALock = all((run) => run.requestsALock);
    return [
      figure({
        name: "requests a lock",
        unit: "",
        better: "lower",
        ...requestsALock,
        limit: 2,
        target: atMost(3),
        strict: true,
      }),
      figure({
        name: "socket and listener warnings",
        unit: "",
        ...all(({ warnings }) => warnings),
        target: atMost(0),
        strict: true,
      }),
      figure({
        name: "the same when one signal is given to all",
        unit: "",
        measured: shared.length,
        target: atMost(0),
        ...(shared[0] === undefined ? {} : { note: shared[0] }),
      }),
      figure({ name: "time for all", unit: "ms", better: "lower", ...all(({ elapsedMs }) => elapsedMs) }),
      figure({ name: "most requests in flight", unit: "", ...all(({ inFlight }) => inFlight) }),
    ];
  },
};

async function measure(bench: Bench, server: BenchServer, contestant: Contestant, rounds: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const contender = contestant.contender();
    // What the check of the store costs, once a client and partly after its first lock, is what free-lock shows.
    await warmUp([contender]);
    await sleep(10 * LATENCY_MS);
    await contestant.reset();
    const startedAtMs = performance.now();
    const warnings = await warningsDuring(async () => {
      const all = await Promise.all(
        Array.from({ length: LOCKS }, () => contender.acquire(freshName("many"), new AbortController().signal)),
      );
      await Promise.all(all.map((held) => held.release()));
    });
    const elapsedMs = performance.now() - startedAtMs;
    const requests = await server.requests();
    for (const warning of new Set(warnings)) bench.say(`${contestant.name}: ${warning.split("\n")[0]}`);
    const requestsALock = requests.length / LOCKS;
    runs.push({ requestsALock, elapsedMs, warnings: warnings.length, inFlight: mostInFlight(requests) });
    await contender.close();
  }
  return runs;
}

/** Gathers the warnings when one signal is given to all locks, as by a program that shuts down by one. */
async function warningsWithOneSignal(contestant: Contestant): Promise<string[]> {
  const contender = contestant.contender();
  const { signal } = new AbortController();
  const warnings = await warningsDuring(async () => {
    const all = await Promise.all(Array.from({ length: LOCKS }, () => contender.acquire(freshName("many"), signal)));
    await Promise.all(all.map((held) => held.release()));
  });
  await contender.close();
  return warnings;
}
