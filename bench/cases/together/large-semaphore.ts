import { setTimeout as sleep } from "node:timers/promises";
import { type BenchCase, freshName } from "../../case.js";
import { newMutex } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import { warmUp } from "./readers.js";

const LATENCY_MS = 20;
const PLAN = { permits: 1000, clients: 20, leaseMs: 60_000, arrivingWithinMs: 10_000 };
/** A third of the lease, and what the renewals take. */
const WATCH_MS = 21_000;

export const largeSemaphore: BenchCase = {
  name: "large-semaphore",
  issue: 6,
  title: "1,000 holders of one semaphore in 20 instances that come within 10 s, leases of 60 s, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const random = bench.random("arrivals");
    const mutexes = Array.from({ length: PLAN.clients }, () => newMutex(server, { lockTimeoutMs: PLAN.leaseMs }));
    await warmUp(mutexes);
    await server.call.reset();
    const name = freshName("pool");
    const waitsMs: number[] = [];
    const calls = Array.from({ length: PLAN.permits }, async (_, index) => {
      await sleep(random.between(0, PLAN.arrivingWithinMs));
      const askedAtMs = performance.now();
      const mutex = mutexes[index % mutexes.length];
      const permit = await mutex?.semaphore(name, { permits: PLAN.permits }).acquire();
      waitsMs.push(performance.now() - askedAtMs);
      return permit;
    });
    const held = await Promise.all(calls);
    const taking = await server.requests();
    await server.call.reset();
    await sleep(WATCH_MS);
    const renewing = await server.requests();
    const inside = held.filter((permit) => permit?.held).length;
    await Promise.all(mutexes.map((mutex) => mutex.close()));
    waitsMs.sort((one, other) => one - other);
    bench.say(`${inside} inside, ${taking.length} requests to get there`);
    return [
      figure({
        name: "still held after their renewals",
        unit: `of ${PLAN.permits}`,
        measured: inside,
        target: exactly(PLAN.permits),
      }),
      figure({ name: "requests a permit", unit: "", measured: taking.length / PLAN.permits }),
      figure({ name: "wait, median", unit: "ms", measured: waitsMs[Math.floor(waitsMs.length / 2)] ?? 0 }),
      figure({ name: "slowest wait", unit: "ms", measured: waitsMs.at(-1) ?? 0, target: atMost(5000) }),
      figure({
        name: "requests a second for renewals",
        unit: "",
        measured: (renewing.length * 1000) / WATCH_MS,
        target: atMost(50, "at most one for each permit every third of a lease (50)"),
      }),
    ];
  },
};
