import { type Lock, S3MutexError } from "../../src/index.js";
import { semaphoreOf } from "../scene.js";
import type { Task } from "../task.js";
import { separately } from "./separately.js";
import type { Turn } from "./turn.js";

/** Reads together with others who read, and with no writer. */
async function read(task: Task, name: string): Promise<void> {
  const options = { mode: "shared", timeoutMs: 20_000, priority: task.random.integer(0, 2) } as const;
  await task.use(name, options, () => task.think());
}

/** Writes, then lets readers in without letting go. */
async function downgrade(task: Task, name: string): Promise<void> {
  await task.use(name, { timeoutMs: 20_000 }, async (lock) => {
    await task.work(lock);
    await task.share(lock);
    await task.think();
  });
}

/** What callers say how many permits there are, of the one semaphore that all share, and what that is changed to. */
const NUMBERS = [3, 3, 3, 2, 4] as const;
const MOST = 4;
const NAME = "pool";
/** A process's permits are renewed in one write, and one lease has to leave time for all of them. */
const PERMIT_LEASE_MS = 8000;

/** Uses permits: at most so many at once; some want more than one. */
async function permits(task: Task): Promise<void> {
  const { random, client } = task;
  const wanted = random.pick([1, 1, 1, 2, 3]);
  const semaphore = client.mutex.semaphore(NAME, { permits: random.pick(NUMBERS) });
  if (random.chance(0.1)) return void (await task.expecting(semaphore.resize(random.pick(NUMBERS))));
  const options = { permits: wanted, priority: random.integer(0, 1), label: task.name, leaseMs: PERMIT_LEASE_MS };
  const use = (permit: Lock, kind: "callback" | "handle") =>
    task.believing(semaphoreOf(NAME), permit, () => task.think(), { permits: [wanted, MOST], kind });
  if (random.chance(0.4)) {
    const inside = (permit: Lock) => use(permit, "callback");
    const working = semaphore.withPermits(inside, { ...options, timeoutMs: 20_000 });
    return void (await task.expecting(working.catch(ignoreRefusals)));
  }
  const acquiring = random.chance(0.3)
    ? semaphore.tryAcquire(options)
    : semaphore.acquire({ ...options, timeoutMs: 20_000 });
  const permit = await task.expecting(acquiring.catch(ignoreRefusals));
  if (permit === undefined || permit === null) return;
  await use(permit, "handle");
  await task.expecting(permit.release());
}

/**
 * Ignores refusals: a process that stood still takes the store for slow, and its lease for too short for so many renewals; and some want
 * more than there are by now.
 */
function ignoreRefusals(error: unknown): null {
  if (S3MutexError.is(error, "permits-differ")) return null;
  if (S3MutexError.is(error, "invalid-argument") && /^(leaseMs|permits is)/.test(error.message)) return null;
  throw error;
}

/** Leads for a while, if it comes to that, and resigns. */
async function lead(task: Task): Promise<void> {
  const { mutex } = task.client;
  const { leaseMs } = task.scene.plan;
  const election = mutex.election("leader", { leaseMs: leaseMs * 2, priority: task.random.integer(0, 1) });
  const leading = await task.expecting(election.campaign({ timeoutMs: 20_000 }));
  if (leading === undefined) return;
  await task.believing("leader", leading, () => task.think());
  await task.expecting(task.random.chance(0.5) ? election.resign() : leading.release());
}

/** Asks who leads, as any client may. */
async function follow(task: Task): Promise<void> {
  await task.expecting(task.client.mutex.election("leader").leader());
}

/** Ends its handle, and another process goes on with the lock. */
async function handOver(task: Task, name: string): Promise<void> {
  const ask = task.ask([name]);
  const lock = await task.expecting(task.client.mutex.acquire(name, { timeoutMs: 20_000, label: task.name }));
  ask.done(lock !== undefined);
  if (lock === undefined) return;
  let text: string | undefined;
  await task.hold(lock, ask, async () => {
    await task.work(lock);
    text = await task.expecting(lock.serialize());
    if (text !== undefined) task.scene.leftovers.handOver(lock.fencingToken);
  });
  const others = task.scene.tasks().filter(({ isAwake, client }) => isAwake && !client.isClosing);
  // The task does not wait for it: the other process may die over it.
  const handedOver = text;
  // One that is gone, or in doubt: then it is still this one's to give back.
  if (handedOver === undefined) return task.giveBack(lock);
  if (others.length === 0) return;
  const other = task.random.pick(others);
  other.client.forgotten.push(separately(other.name, () => goOn(other, handedOver)));
}

async function goOn(task: Task, text: string): Promise<void> {
  const ask = { askedAtMs: task.nowMs, done: () => {} };
  const restored = await task.expecting(task.client.mutex.restore(text));
  if (restored === undefined) return;
  await task.hold(restored, ask);
  await task.expecting(restored.release());
}

export const SHARING: readonly Turn[] = [
  { name: "read", chance: 0.4, weight: 1, run: read },
  { name: "downgrade", chance: 0.15, weight: 0.4, run: downgrade },
  { name: "permits", chance: 0.25, weight: 0.6, run: permits },
  { name: "lead", chance: 0.2, weight: 0.4, run: lead },
  { name: "follow", chance: 0.1, weight: 0.2, run: follow },
  { name: "handOver", chance: 0.2, weight: 0.4, steps: ["restore"], run: handOver },
];
