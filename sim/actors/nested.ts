import type { Task } from "../task.js";
import type { Turn } from "./turn.js";

/** Longer than any deadlock may last: a time-out is not to hide one that nobody breaks. */
const INNER_PATIENCE_MS = 600_000;
/** Unless the store sends no `Date` and wall clocks are hours apart: they drop each other's entries, and see no cycle. */
const BLIND_PATIENCE_MS = 30_000;

/** Two locks in any order: real deadlocks. */
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

async function around(
  task: Task,
  name: string,
  options: { readonly timeoutMs: number; readonly priority: number },
  inside?: () => Promise<void>,
): Promise<void> {
  const ask = task.ask([name]);
  const work = task.client.mutex.withLock(
    name,
    (lock) => {
      ask.done(true);
      return task.hold(lock, ask, inside);
    },
    { ...options, label: task.name },
  );
  await task.expecting(work);
  ask.done(false);
}

/** All of them at once, in the one order that everybody takes them in. */
async function all(task: Task): Promise<void> {
  const names = task.scene.plan.locks;
  const ask = task.ask(names);
  const options = { timeoutMs: 30_000, label: task.name, priority: task.random.integer(0, 2) };
  const set = await task.expecting(task.client.mutex.acquireAll(names, options));
  ask.done(set !== undefined);
  if (set === undefined) return;
  const holdFrom = async (index: number): Promise<void> => {
    const lock = set.locks[index];
    if (lock !== undefined) return task.hold(lock, ask, () => holdFrom(index + 1));
    for (const held of set.locks) await task.work(held);
  };
  await holdFrom(0);
  await task.expecting(set.release());
}

export const NESTED: readonly Turn[] = [
  { name: "nested", chance: 0.5, weight: 1.5, run: nested },
  { name: "all", chance: 0.3, weight: 0.7, run: all },
];
