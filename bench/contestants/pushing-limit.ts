import { setTimeout as sleep } from "node:timers/promises";
import type { Arrival } from "../server/request-rate.js";
import type { Contestant, Held } from "./contestant.js";

/** How the limit comes about; printed with the results. */
export const LIMIT_FORMULA =
  "limit: measured with an in-memory store of the same latency that pushes each change to its waiters: a release takes " +
  "half a round trip to arrive and half a one to be pushed, the next holder's conditional write a whole one; so a turn is " +
  "hold + 2 round trips, and no poll is in vain";

interface Waiter {
  readonly wake: () => void;
}

/**
 * Simulates a store with conditional writes that tells waiters of every change, and a queue that is always in order. Its latencies
 * are timers like those of the embedded server, so that both suffer alike from a busy machine.
 */
export function pushingLimit(latencyMs: number): Contestant {
  const queues = new Map<string, Waiter[]>();
  const held = new Set<string>();
  let arrivals: Arrival[] = [];
  const half = () => sleep(latencyMs / 2);
  const request = async (apply: () => void) => {
    await half();
    arrivals.push({ at: Date.now() });
    apply();
    await half();
  };

  async function acquire(lockName: string): Promise<Held> {
    const queue = queues.get(lockName) ?? [];
    queues.set(lockName, queue);
    let pushed: Promise<void> | undefined;
    await request(() => {
      if (!held.has(lockName) && queue.length === 0) held.add(lockName);
      else pushed = new Promise((resolve) => queue.push({ wake: resolve }));
    });
    if (pushed !== undefined) {
      await pushed;
      await request(() => held.add(lockName));
    }
    return { renew: () => request(() => {}), release: () => release(lockName, queue) };
  }

  function release(lockName: string, queue: Waiter[]): Promise<void> {
    return request(() => {
      held.delete(lockName);
      const next = queue.shift();
      if (next === undefined) return;
      // Kept for the first in the queue, as no newcomer overtakes it.
      held.add(lockName);
      void half().then(next.wake);
    });
  }

  return {
    name: "limit",
    contender: () => ({ acquire, async close() {} }),
    async reset() {
      arrivals = [];
    },
    requests: async () => arrivals,
  };
}
