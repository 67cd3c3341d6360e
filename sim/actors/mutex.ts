import type { Lock } from "../../src/index.js";
import type { Insider } from "../checkers/inside.js";
import { keyOf } from "../scene.js";
import type { Task } from "../task.js";
import { around } from "./around.js";
import type { Turn } from "./turn.js";

/** Waits for a handle: by priority, with a time-out, sometimes aborted while it waits. */
async function handle(task: Task, name: string): Promise<void> {
  const { random, client } = task;
  const abort = new AbortController();
  if (random.chance(0.1)) client.process.world.after(random.between(1, 3000), () => abort.abort());
  const timeoutMs = random.pick([100, 3000, 30_000, Number.POSITIVE_INFINITY]);
  await task.use(name, { timeoutMs, priority: random.integer(0, 2), signal: abort.signal });
}

/** Makes one attempt, without waiting. */
async function attempt(task: Task, name: string): Promise<void> {
  const ask = task.ask([name], 0);
  const lock = await task.expecting(task.client.mutex.tryAcquire(name, { label: task.name }));
  ask.done(lock !== undefined && lock !== null);
  if (lock === undefined || lock === null) return;
  await task.hold(lock, ask);
  await task.giveBack(lock);
}

/** Holds the lock around a function; sometimes the function asks for the same one again. */
async function withLock(task: Task, name: string): Promise<void> {
  const again = async (_: Lock, within: Insider) => {
    const inside = (lock: Lock) => task.inside(name, lock, () => task.work(lock), { kind: "callback", within });
    await task.client.mutex.withLock(name, inside, { reentrant: true, label: task.name });
  };
  await around(task, name, { timeoutMs: 20_000 }, task.random.chance(0.2) ? again : undefined);
}

/** Does work that may be over long before the lock is to be free again, and may be lost or die before. */
async function atLeast(task: Task, name: string): Promise<void> {
  const { random, scene } = task;
  const holdAtLeastMs = random.integer(1, 2 * scene.plan.leaseMs);
  await task.use(name, { timeoutMs: 30_000, holdAtLeastMs }, async (lock) => {
    scene.atLeast.used(keyOf(name), lock.fencingToken, holdAtLeastMs);
    await task.work(lock);
  });
}

export const MUTEX: readonly Turn[] = [
  { name: "handle", chance: 1, weight: 1, run: handle },
  { name: "attempt", chance: 0.5, weight: 0.5, run: attempt },
  { name: "withLock", chance: 0.5, weight: 1, run: withLock },
  { name: "atLeast", chance: 0.2, weight: 0.5, run: atLeast },
];
