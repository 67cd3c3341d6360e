import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Lock } from "../../../src/index.js";
import { type BenchCase, freshName } from "../../case.js";
import { newMutex } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import { mostInFlight } from "../../server/request-rate.js";

const LATENCY_MS = 20;
const LOCKS = 1000;
/** Renewed each third of it: 200 requests a second, four times what the default lease asks for. */
const LEASE_MS = 15_000;
const WATCH_MS = 16_000;
const QUICK_WATCH_MS = 6000;

export const thousandLocks: BenchCase = {
  name: "thousand-locks",
  issue: 2,
  title: "1,000 locks held and renewed by one process, leases of 15 s, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const idleDelayMs = await delayWhile(() => sleep(2000));
    const mutex = newMutex(server, { lockTimeoutMs: LEASE_MS });
    const before = heapUsed();
    const takingDelays = { locks: [] as Lock[] };
    const taking = await delayWhile(async () => {
      takingDelays.locks = await Promise.all(Array.from({ length: LOCKS }, () => mutex.acquire(freshName("held"))));
    });
    const { locks } = takingDelays;
    await server.call.reset();
    const watchMs = bench.quick ? QUICK_WATCH_MS : WATCH_MS;
    const holding = await delayWhile(() => sleep(watchMs));
    const requests = await server.requests();
    const bytes = heapUsed() - before;
    const held = locks.filter((lock) => lock.held).length;
    await mutex.close();
    const idleNote = `the timer itself accounts for ${idleDelayMs.p99.toFixed(1)} ms, its p99 in an idle process`;
    return [
      figure({ name: "still held", unit: `of ${LOCKS}`, measured: held, target: exactly(LOCKS) }),
      figure({ name: "event-loop delay p99 while renewing", unit: "ms", measured: holding.p99, note: idleNote }),
      figure({ name: "longest event-loop delay while renewing", unit: "ms", measured: holding.max }),
      figure({ name: "event-loop delay p99 while taking them", unit: "ms", measured: taking.p99 }),
      figure({ name: "memory a lock", unit: "KB", measured: bytes / LOCKS / 1024 }),
      figure({ name: "requests a second", unit: "", measured: (requests.length * 1000) / watchMs }),
      figure({
        name: "most requests in flight",
        unit: "",
        measured: mostInFlight(requests),
        target: atMost(50, "at most the SDK's 50 sockets"),
      }),
    ];
  },
};

async function delayWhile(work: () => Promise<unknown>): Promise<{ readonly p99: number; readonly max: number }> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 };
}

/** Measures after a collection, so that only what is in use counts; the flag is set here because the bench is started without it. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
