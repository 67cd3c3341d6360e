import type { Believer } from "../checkers/beliefs.js";
import { mayLackTime } from "../plan/dates.js";
import type { Task } from "../task.js";
import type { Turn } from "./turn.js";

/**
 * Works by name, as in 1.x. There is no handle to ask, so its user believes for two fifths of a lease from the answer on: a lock is handed
 * out with half of its lease left. Now and then it is not released but left to expire.
 */
async function named(task: Task, name: string): Promise<void> {
  const { client, random, scene } = task;
  const { mutex } = client;
  if (!(await task.takeByName(name, random.pick([0, 5000, 20_000]), random.integer(-1, 1)))) return;
  const belief = beliefOf(task, mutex.ownerId);
  scene.beliefs.begin(name, belief);
  await task.pause(random.between(1, 200));
  if (random.chance(0.3) && (await task.expecting(mutex.refreshLock(name))) === false) belief.stop();
  if (random.chance(0.2)) await task.expecting(mutex.isOwnedByUs(name));
  belief.stop();
  scene.beliefs.end(name, belief);
  if (random.chance(0.1)) return;
  await task.expecting(random.chance(0.1) ? mutex.deleteLock(name) : mutex.releaseLock(name));
}

function beliefOf(task: Task, owner: string): Believer & { stop(): void } {
  const { effects } = task.client.process;
  const since = { monotonicMs: effects.monotonicMs(), wallMs: effects.wallMs() };
  let isOver = false;
  return {
    client: task.name,
    token: undefined,
    owner,
    believes: () => {
      const elapsedMs = Math.max(effects.monotonicMs() - since.monotonicMs, effects.wallMs() - since.wallMs);
      const { isAlive, hasGivenHandlesBack } = task.client;
      return !isOver && isAlive && !hasGivenHandlesBack && elapsedMs < task.scene.plan.leaseMs * 0.4;
    },
    stop: () => {
      isOver = true;
    },
  };
}

/** Asks whether the lock is held. */
async function question(task: Task, name: string): Promise<void> {
  const askedAtMs = task.nowMs;
  const { hasDate, isCached, dates, gatewaySpreadMs } = task.scene.plan;
  const before = task.scene.leaseEndsMs(name);
  const isLocked = await task.expecting(task.client.mutex.isLocked(name));
  // A lease that has ended may still be renewed while it was not taken over; meanwhile its holder does not believe in it either.
  const isOver = (endMs: number) => endMs < task.nowMs + gatewaySpreadMs;
  if (isLocked === false && [...before, ...task.scene.leaseEndsMs(name)].some(isOver)) return;
  // Without a `Date`, it is answered by the wall clock, which may be hours off; and nothing refuses what came out of a cache.
  if (isLocked === undefined || !hasDate || mayLackTime(dates) || isCached) return;
  task.scene.history.ask(name, { client: task.name, isLocked, askedAtMs, answeredAtMs: task.nowMs });
}

export const NAMED: readonly Turn[] = [
  { name: "named", chance: 0.5, weight: 1, steps: ["sweep"], run: named },
  { name: "question", chance: 0.3, weight: 0.2, run: question },
];
