import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type BenchCase, freshName } from "../../case.js";
import { newMutex } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { warmUp } from "./readers.js";

const LATENCY_MS = 20;
const PLAN = { permits: 10, clients: 30, turnsEach: 2, holdMs: 20 };

export const semaphore: BenchCase = {
  name: "semaphore",
  issue: 6,
  title: "Semaphore of 10 permits, 30 clients in separate instances, 2 turns each, 20 ms hold, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const runs: Run[] = [];
    for (let round = 0; round < bench.rounds(3); round += 1) runs.push(await takeTurns(bench, server));
    return [
      figure({
        name: "most inside at once",
        unit: "",
        measured: runs.map(({ mostInside }) => mostInside),
        target: atMost(PLAN.permits),
        strict: true,
      }),
      figure({ name: "turns", unit: "/s", measured: runs.map(({ perSecond }) => perSecond) }),
      figure({ name: "requests a turn", unit: "", measured: runs.map(({ requestsATurn }) => requestsATurn) }),
      figure({ name: "slowest wait", unit: "ms", measured: runs.map(({ slowestMs }) => slowestMs) }),
    ];
  },
};

interface Run {
  readonly mostInside: number;
  readonly perSecond: number;
  readonly requestsATurn: number;
  readonly slowestMs: number;
}

async function takeTurns(bench: Bench, server: BenchServer): Promise<Run> {
  const mutexes = Array.from({ length: PLAN.clients }, () => newMutex(server));
  await warmUp(mutexes);
  await server.call.reset();
  const name = freshName("pool");
  const waitsMs: number[] = [];
  let inside = 0;
  let mostInside = 0;
  const startedAtMs = performance.now();
  const clients = mutexes.map(async (mutex) => {
    const pool = mutex.semaphore(name, { permits: PLAN.permits });
    for (let turn = 0; turn < PLAN.turnsEach; turn += 1) {
      const askedAtMs = performance.now();
      const permit = await pool.acquire();
      waitsMs.push(performance.now() - askedAtMs);
      inside += 1;
      mostInside = Math.max(mostInside, inside);
      await sleep(PLAN.holdMs);
      inside -= 1;
      await permit.release();
    }
  });
  await Promise.all(clients);
  const elapsedMs = performance.now() - startedAtMs;
  const turns = PLAN.clients * PLAN.turnsEach;
  const { length } = await server.requests();
  await Promise.all(mutexes.map((mutex) => mutex.close()));
  const perSecond = (turns * 1000) / elapsedMs;
  bench.say(`${perSecond.toFixed(1)} turns a second, at most ${mostInside} inside`);
  return { mostInside, perSecond, requestsATurn: length / turns, slowestMs: Math.max(...waitsMs) };
}
