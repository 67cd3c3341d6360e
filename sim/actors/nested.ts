import type { LockSet } from "../../src/index.js";
import type { Task } from "../task.js";
import { around } from "./around.js";
import type { Turn } from "./turn.js";

/** Longer than any deadlock may last: a time-out is not to hide one that is not broken. */
const INNER_PATIENCE_MS = 600_000;
/** Unless the store sends no `Date` and wall clocks are hours apart: they drop each other's entries, and see no cycle. */
const BLIND_PATIENCE_MS = 30_000;

/** Takes two locks in any order: real deadlocks. */
async function nested(task: Task, outer: string): Promise<void> {
  const { random } = task;
  const inner = random.pick(task.scene.plan.locks);
  const priority = random.integer(0, 3);
  const timeoutMs = task.scene.canSeeCycles ? INNER_PATIENCE_MS : BLIND_PATIENCE_MS;
  if (inner === outer) return task.use(outer, { timeoutMs: 30_000, priority });
  await around(task, outer, { timeoutMs: 30_000, priority }, async () => {
    await task.pause(random.between(1, 100));
    await around(task, inner, { timeoutMs, priority });
  });
}

/** Takes all of them at once, in the one order that all take them in. */
async function all(task: Task): Promise<void> {
  const names = task.scene.plan.locks;
  const { mutex } = task.client;
  const options = { timeoutMs: 30_000, label: task.name, priority: task.random.integer(0, 2) };
  const ask = task.ask(names, options.timeoutMs);
  const use = async ({ locks }: LockSet, kind: "callback" | "handle") => {
    ask.done(true);
    const holdFrom = async (index: number): Promise<void> => {
      const lock = locks[index];
      if (lock !== undefined) return task.hold(lock, ask, () => holdFrom(index + 1), { kind });
      for (const held of locks) await task.work(held);
    };
    await holdFrom(0);
  };
  if (task.random.chance(0.4)) {
    await task.expecting(mutex.withLocks(names, (set) => use(set, "callback"), options));
    return ask.done(false);
  }
  const set = await task.expecting(mutex.acquireAll(names, options));
  ask.done(set !== undefined);
  if (set === undefined) return;
  await use(set, "handle");
  await task.expecting(set.release());
}

export const NESTED: readonly Turn[] = [
  { name: "nested", chance: 0.5, weight: 1.5, run: nested },
  { name: "all", chance: 0.3, weight: 0.7, run: all },
];
