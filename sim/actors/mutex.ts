import type { Task } from "../task.js";
import type { Turn } from "./turn.js";

/** Waits for a handle: by priority, with a time-out, sometimes aborted while it waits. */
async function handle(task: Task, name: string): Promise<void> {
  const { random, client } = task;
  const abort = new AbortController();
  if (random.chance(0.1)) client.process.world.after(random.between(1, 3000), () => abort.abort());
  const timeoutMs = random.pick([100, 3000, 30_000, Number.POSITIVE_INFINITY]);
  await task.use(name, { timeoutMs, priority: random.integer(0, 2), signal: abort.signal });
}

/** One attempt, no waiting. */
async function attempt(task: Task, name: string): Promise<void> {
  const ask = task.ask([name]);
  const lock = await task.expecting(task.client.mutex.tryAcquire(name, { label: task.name }));
  ask.done(lock !== undefined && lock !== null);
  if (lock === undefined || lock === null) return;
  await task.hold(lock, ask);
  await task.expecting(lock.release());
}

/** The lock around a function; sometimes the function asks for the same one again. */
async function withLock(task: Task, name: string): Promise<void> {
  const { mutex } = task.client;
  const ask = task.ask([name]);
  const again = () => mutex.withLock(name, (lock) => task.work(lock), { reentrant: true, label: task.name });
  const isReentrant = task.random.chance(0.2);
  const work = mutex.withLock(
    name,
    (lock) => {
      ask.done(true);
      return task.hold(lock, ask, isReentrant ? async () => void (await again()) : undefined);
    },
    { timeoutMs: 20_000, label: task.name },
  );
  await task.expecting(work);
  ask.done(false);
}

export const MUTEX: readonly Turn[] = [
  { name: "handle", chance: 1, weight: 1, run: handle },
  { name: "attempt", chance: 0.5, weight: 0.5, run: attempt },
  { name: "withLock", chance: 0.5, weight: 1, run: withLock },
];
