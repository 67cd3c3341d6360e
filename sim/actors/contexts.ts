import type { Lock } from "../../src/index.js";
import { S3MutexError } from "../../src/index.js";
import type { Insider } from "../checkers/inside.js";
import { Task } from "../task.js";
import { around } from "./around.js";
import type { Turn } from "./turn.js";

const PATIENCE_MS = 20_000;

/** Makes a call that may nest, and is in nothing that it could nest in: it waits like any other. */
async function bareReentrant(task: Task, name: string): Promise<void> {
  await task.use(name, { timeoutMs: PATIENCE_MS, reentrant: true });
}

/** Takes two locks in any order by bare calls, of which it cannot be told for sure that they belong together. */
async function bareNested(task: Task, outer: string): Promise<void> {
  const inner = task.random.pick(task.scene.plan.locks);
  if (inner === outer) return task.use(outer, { timeoutMs: PATIENCE_MS });
  await task.use(outer, { timeoutMs: PATIENCE_MS }, async () => {
    await task.think();
    await task.use(inner, { timeoutMs: PATIENCE_MS });
  });
}

/** Asks for what it holds itself: one attempt is told that it is taken, and two who nest take turns. */
async function again(task: Task, name: string): Promise<void> {
  const { mutex } = task.client;
  const nest = (within: Insider) => {
    const inside = (lock: Lock) => task.inside(name, lock, () => task.think(), { kind: "callback", within });
    return task.expecting(mutex.withLock(name, inside, { reentrant: true, label: task.name }));
  };
  await around(task, name, { timeoutMs: PATIENCE_MS }, async (_, insider) => {
    await Promise.all([nest(insider), nest(insider)]);
    const attempt = await mutex.tryAcquire(name, { label: task.name }).catch((error) => {
      if (S3MutexError.is(error, "deadlock"))
        task.scene.findings.report("victim", `${task.name} tries once what it holds, and is told of a deadlock`);
      return null;
    });
    await attempt?.release();
  });
}

/** Starts work under a lock, and does not wait for it: it goes on in that context when the lock has been given back. */
async function fireAndForget(task: Task, name: string): Promise<void> {
  const { random, scene } = task;
  const other = random.pick(scene.plan.locks);
  await around(task, name, { timeoutMs: PATIENCE_MS }, async (lock, insider) => {
    const started = new Task(task.client, `${task.name}+${Math.round(task.nowMs)}`, random.fork(), task);
    task.client.started.push(started);
    task.started.add(started);
    const working = startedWork(started, other, {
      delayMs: random.between(0, 600),
      isReentrant: random.chance(0.5),
      insider,
      name,
    });
    task.client.forgotten.push(working);
    await task.work(lock);
    task.started.delete(started);
    // Until now it could be taken for one that is waited for.
    if (started.wants !== undefined) scene.deadlocks.disturb();
  });
}

async function startedWork(
  task: Task,
  other: string,
  { delayMs, isReentrant: reentrant, insider, name }: StartedWork,
): Promise<void> {
  await task.pause(delayMs);
  if (task.client.isClosing) return;
  const options = { timeoutMs: PATIENCE_MS, label: task.name, reentrant };
  // The same lock is asked for by a callback, whose end says when it is over.
  if (other !== name) return task.use(other, options);
  if (!reentrant) return;
  const inside = (lock: Lock) => task.inside(name, lock, () => task.think(), { kind: "callback", within: insider });
  await task.expecting(task.client.mutex.withLock(name, inside, options));
}

interface StartedWork {
  readonly delayMs: number;
  readonly isReentrant: boolean;
  /** In whose code it was started, under which lock. */
  readonly insider: Insider;
  readonly name: string;
}

/** Nests by the handle, which needs no context; the inner handle ends with the outer one at the latest. */
async function within(task: Task, name: string): Promise<void> {
  const { mutex } = task.client;
  await task.use(name, { timeoutMs: PATIENCE_MS }, async (outer) => {
    const inner = await task.expecting(
      mutex.acquire(name, { within: outer, timeoutMs: PATIENCE_MS, label: task.name }),
    );
    await task.think();
    await inner?.release();
    if (!outer.held && inner?.held)
      task.scene.findings.report("inside", `${task.name}: an inner handle outlives its own`);
  });
}

/** Starts work that belongs to no scope: it leaves all of them, and waits like any other. */
async function detached(task: Task, name: string): Promise<void> {
  const { client, random } = task;
  await around(task, random.pick(task.scene.plan.locks), { timeoutMs: PATIENCE_MS }, async (lock) => {
    const started = new Task(client, `${task.name}-${Math.round(task.nowMs)}`, random.fork());
    client.started.push(started);
    const use = () => started.use(name, { timeoutMs: PATIENCE_MS, reentrant: true });
    client.forgotten.push(client.mutex.detached(use));
    await task.work(lock);
  });
}

/** Works for longer than its lease, and then gives back by name what may be another task's by now. */
async function overrun(task: Task, name: string): Promise<void> {
  const { mutex } = task.client;
  if (!(await task.takeByName(name, PATIENCE_MS))) return;
  await task.pause(task.scene.plan.leaseMs * task.random.between(0.8, 2) + task.scene.plan.toleranceMs);
  await task.expecting(task.random.chance(0.3) ? mutex.refreshLock(name) : mutex.releaseLock(name));
}

export const CONTEXTS: readonly Turn[] = [
  { name: "bareReentrant", chance: 0.3, weight: 0.6, run: bareReentrant },
  { name: "bareNested", chance: 0.2, weight: 0.5, run: bareNested },
  { name: "again", chance: 0.2, weight: 0.3, run: again },
  { name: "fireAndForget", chance: 0.2, weight: 0.4, run: fireAndForget },
  { name: "within", chance: 0.15, weight: 0.3, run: within },
  { name: "detached", chance: 0.1, weight: 0.2, run: detached },
  { name: "overrun", chance: 0.1, weight: 0.2, run: overrun },
];
