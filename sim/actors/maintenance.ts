import { LATEST_MS } from "../plan/faults.js";
import type { Task } from "../task.js";
import type { Turn } from "./turn.js";

/** Longer than a request can live here, which is what makes a removal safe. */
export const REST_MS = LATEST_MS + 5000;

/** Ends holds by force. The holder goes on believing until its next renewal, as documented: the checkers excuse whom the record names. */
async function forceRelease(task: Task, name: string): Promise<void> {
  task.scene.deadlocks.disturb();
  await task.expecting(task.client.mutex.releaseLock(name, true));
  task.scene.deadlocks.disturb();
}

async function remove(task: Task, name: string): Promise<void> {
  task.scene.deadlocks.disturb();
  await task.expecting(task.client.mutex.deleteLock(name, true));
  task.scene.deadlocks.disturb();
}

async function cleanup(task: Task): Promise<void> {
  const { random, client } = task;
  const options = { includeReleased: random.chance(0.5), dryRun: random.chance(0.2), restMs: REST_MS };
  await task.expecting(client.mutex.cleanupStaleLocks(options));
}

/**
 * Plays when the others have gone home: a lock that is left to expire is swept free. Used again and at rest for long enough, it is swept
 * away, and used once more.
 */
export async function evening(task: Task): Promise<void> {
  const { mutex } = task.client;
  const name = "errand";
  await task.expecting(mutex.acquireLock(name, 0));
  await task.pause(task.scene.plan.leaseMs + CLOCKS_MS);
  await task.expecting(mutex.cleanupStaleLocks());
  await task.use(name, { timeoutMs: 10_000 }, () => task.pause(10));
  await task.pause(REST_MS + CLOCKS_MS);
  await task.expecting(mutex.cleanupStaleLocks({ includeReleased: true, restMs: REST_MS }));
  await task.use(name, { timeoutMs: 10_000 }, () => task.pause(10));
}

/** What one answer leaves open about the store's clock. */
const CLOCKS_MS = 2500;

export const MAINTENANCE: readonly Turn[] = [
  { name: "forceRelease", chance: 0.1, weight: 0.2, steps: ["force"], run: forceRelease },
  { name: "remove", chance: 0.1, weight: 0.2, steps: ["tombstone"], run: remove },
  { name: "cleanup", chance: 0.2, weight: 0.2, steps: ["list", "sweep", "remove"], run: cleanup },
];
