import type { Lock, S3Mutex } from "../../../src/index.js";
import { type Bench, type BenchCase, freshName } from "../../case.js";
import { newMutex } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";

const LATENCY_MS = 20;
const READERS = 20;
const WITHIN_MS = 1500;

export const readers: BenchCase = {
  name: "readers",
  issue: 6,
  title: `Shared locks: what one costs, and ${READERS} readers in separate instances at once, 20 ms round trip`,
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const costs = { shared: await requestsOf(server, "shared"), exclusive: await requestsOf(server, "exclusive") };
    const tookMs: number[] = [];
    const requests: number[] = [];
    for (let round = 0; round < bench.rounds(5); round += 1) {
      tookMs.push(await enterTogether(bench, server));
      requests.push((await server.requests()).length / READERS);
    }
    return [
      figure({
        name: "requests of a shared lock that this process used last",
        unit: "",
        measured: costs.shared,
        target: exactly(costs.exclusive, `as many as an exclusive one (${costs.exclusive})`),
      }),
      figure({ name: `${READERS} readers are in after`, unit: "ms", measured: tookMs, target: atMost(WITHIN_MS) }),
      figure({ name: "requests a reader", unit: "", measured: requests }),
    ];
  },
};

/** Counts the requests of acquire and release, the second time. */
async function requestsOf(server: BenchServer, mode: Lock["mode"]): Promise<number> {
  const mutex = newMutex(server);
  const lockName = freshName(mode);
  await (await mutex.acquire(lockName, { mode })).release();
  await server.call.reset();
  await (await mutex.acquire(lockName, { mode })).release();
  const { length } = await server.requests();
  await mutex.close();
  return length;
}

async function enterTogether(bench: Bench, server: BenchServer): Promise<number> {
  const mutexes = Array.from({ length: READERS }, () => newMutex(server));
  await warmUp(mutexes);
  await server.call.reset();
  const lockName = freshName("readers");
  const startedAtMs = performance.now();
  const locks = await Promise.all(mutexes.map((mutex) => mutex.acquire(lockName, { mode: "shared" })));
  const tookMs = performance.now() - startedAtMs;
  bench.say(`${locks.filter((lock) => lock.held).length} readers in after ${Math.round(tookMs)} ms`);
  await Promise.all(mutexes.map((mutex) => mutex.close()));
  return tookMs;
}

/** Lets clients speak to the store before, so that connections are not what is measured. */
export async function warmUp(mutexes: readonly S3Mutex[]): Promise<void> {
  await Promise.all(mutexes.map((mutex) => mutex.isLocked(freshName("warm"))));
}
