import type { SimClient } from "../client.js";
import type { Habits } from "../plan.js";

/** One turn of a client. Each does something that a user would do, through the public API. */
type Turn = (client: SimClient, lock: string) => Promise<void>;

const handle: Turn = async (client, name) => {
  const askedAtMs = client.process.world.nowMs;
  const { random } = client;
  const abort = new AbortController();
  if (random.chance(0.1)) client.process.world.after(random.between(1, 3000), () => abort.abort());
  const options = { timeoutMs: random.pick([100, 3000, 30_000]), priority: random.integer(0, 2), signal: abort.signal };
  const lock = await client.expecting(client.mutex.acquire(name, options));
  if (lock === undefined) return;
  await client.use(lock, askedAtMs);
  await client.expecting(lock.release());
};

const attempt: Turn = async (client, name) => {
  const askedAtMs = client.process.world.nowMs;
  const lock = await client.expecting(client.mutex.tryAcquire(name));
  if (lock === undefined || lock === null) return;
  await client.use(lock, askedAtMs);
  await client.expecting(lock.release());
};

const withLock: Turn = async (client, name) => {
  const askedAtMs = client.process.world.nowMs;
  await client.expecting(client.mutex.withLock(name, (lock) => client.use(lock, askedAtMs), { timeoutMs: 20_000 }));
};

/** By name there is no handle to ask: what it believes ends with its lease, so it does not dawdle. */
const named: Turn = async (client, name) => {
  if (!(await client.expecting(client.mutex.acquireLock(name, 5000, client.random.integer(-1, 1))))) return;
  await client.pause(client.random.between(1, 200));
  if (client.random.chance(0.3)) await client.expecting(client.mutex.refreshLock(name));
  await client.expecting(client.mutex.releaseLock(name));
};

/** Two locks in any order: real deadlocks. */
const nested: Turn = async (client, outer) => {
  const { locks } = client.scene.plan;
  const inner = client.random.pick(locks);
  if (inner === outer) return handle(client, outer);
  const askedAtMs = client.process.world.nowMs;
  const priority = client.random.integer(0, 3);
  const inside = async () => {
    const askedInnerAtMs = client.process.world.nowMs;
    const work = client.mutex.withLock(inner, (lock) => client.use(lock, askedInnerAtMs), {
      timeoutMs: 60_000,
      priority,
    });
    await client.expecting(work);
  };
  const outerWork = client.mutex.withLock(outer, (lock) => client.use(lock, askedAtMs, inside), {
    timeoutMs: 30_000,
    priority,
  });
  await client.expecting(outerWork);
};

const all: Turn = async (client) => {
  const askedAtMs = client.process.world.nowMs;
  const set = await client.expecting(client.mutex.acquireAll(client.scene.plan.locks, { timeoutMs: 30_000 }));
  if (set === undefined) return;
  const useFrom = async (index: number): Promise<void> => {
    const lock = set.locks[index];
    if (lock !== undefined) await client.use(lock, askedAtMs, () => useFrom(index + 1));
    else for (const held of set.locks) await client.work(held);
  };
  await useFrom(0);
  await client.expecting(set.release());
};

/** Whoever holds it goes on believing until its next renewal, as documented. */
const forceRelease: Turn = async (client, name) => {
  client.scene.beliefs.excuse(name);
  await client.expecting(client.mutex.releaseLock(name, true));
  client.scene.beliefs.excuse(name);
};

const remove: Turn = async (client, name) => {
  client.scene.beliefs.excuse(name);
  await client.expecting(client.mutex.deleteLock(name, true));
  client.scene.beliefs.excuse(name);
};

const cleanup: Turn = async (client) => {
  await client.expecting(client.mutex.cleanupStaleLocks({ includeReleased: client.random.chance(0.5) }));
};

const TURNS: Readonly<Record<Exclude<keyof Habits, "freezes" | "crashes" | "clockSteps">, Turn>> = {
  handle,
  attempt,
  named,
  withLock,
  nested,
  all,
  forceRelease,
  cleanup,
  remove,
};

/** Spends turns until the run is over or the process is dead. */
export async function spendTurns(client: SimClient): Promise<void> {
  const { random, scene } = client;
  while (!scene.isOver() && client.isAlive) {
    await client.mutex.scope(() => nextTurn(client)(client, random.pick(scene.plan.locks)));
    await client.pause(random.between(1, 200));
  }
}

function nextTurn({ plan, random }: SimClient): Turn {
  const weights = Object.entries(TURNS).map(([kind, turn]) => [plan.habits[kind as keyof typeof TURNS], turn] as const);
  let drawn = random.number() * weights.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, turn] of weights) {
    drawn -= weight;
    if (drawn < 0) return turn;
  }
  return handle;
}
