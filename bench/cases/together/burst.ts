import { type BenchCase, freshName } from "../../case.js";
import { newMutex } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import { mostInFlight } from "../../server/request-rate.js";

/**
 * Slow answers and a short lease: queueing for a socket takes longer than the time-out of a request, which is a sixth
 * of it.
 */
const LATENCY_MS = 200;
const LEASE_MS = 9000;
const BURST = 500;

export const burst: BenchCase = {
  name: "burst",
  issue: 2,
  title: "500 locks at once through few sockets, 200 ms round trip, requests time out after 1.5 s",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const mutex = newMutex(server, { lockTimeoutMs: LEASE_MS });
    await mutex.isLocked(freshName("warm-up"));
    await server.call.reset();
    const startedAtMs = performance.now();
    const results = await Promise.allSettled(
      Array.from({ length: BURST }, () => mutex.acquireLock(freshName("burst"), 60_000)),
    );
    const elapsedMs = performance.now() - startedAtMs;
    const requests = await server.requests();
    const acquired = results.filter((result) => result.status === "fulfilled" && result.value).length;
    const slowestMs = Math.max(...requests.map(({ durationMs }) => durationMs));
    await mutex.close();
    return [
      figure({ name: "acquired", unit: `of ${BURST}`, measured: acquired, target: exactly(BURST) }),
      figure({
        name: "requests beyond a read and a write each",
        unit: "",
        measured: requests.length - 2 * BURST,
        target: atMost(0),
        note: `one that times out is repeated; all took ${Math.round(elapsedMs)} ms, the slowest answer ${Math.round(slowestMs)} ms`,
      }),
      figure({ name: "most requests in flight", unit: "", measured: mostInFlight(requests) }),
    ];
  },
};
