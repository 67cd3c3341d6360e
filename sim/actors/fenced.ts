import { type OnceRun, S3MutexError } from "../../src/index.js";
import type { Task } from "../task.js";
import type { Turn } from "./turn.js";

/** Adds its own id to a list in S3, while it holds the lock or thinks so: only the token stops it. */
async function fenced(task: Task, name: string): Promise<void> {
  const key = `objects/${name}.json`;
  const { chain, mayContradictItself } = task.scene;
  await task.use(name, { timeoutMs: 20_000 }, async (lock) => {
    // A client that reads out of a cache may find an older version there, as if it had been put back.
    const watched = <T>(promise: Promise<T>): Promise<T> => {
      promise.catch((error) => {
        if (S3MutexError.is(error, "fenced-out") && !mayContradictItself) chain.fencedOut(key, lock.fencingToken);
      });
      return promise;
    };
    const object = await task.expecting(watched(lock.fencedObject<readonly string[]>({ key })));
    if (object === undefined) return;
    for (let changes = task.random.integer(1, 2); changes > 0; changes -= 1) {
      const id = `${task.name}@${Math.round(task.nowMs)}#${changes}`;
      const tell = chain.change(key, id);
      const updating = object.update(async (list = []) => {
        if (task.random.chance(0.3)) await task.think();
        return [...list, id];
      });
      updating.then(
        () => tell("made"),
        (error) => S3MutexError.is(error) && error.maybeApplied !== true && tell("not made"),
      );
      await task.expecting(watched(updating));
    }
  });
}

/** Does something that is to be done once: it has a few keys, so that most find it done. */
async function once(task: Task): Promise<void> {
  const key = `job${task.random.integer(0, 3)}`;
  const name = `once/${key}`;
  const run = async ({ fencingToken }: OnceRun) => {
    task.scene.once.begun(key, task.name);
    // A caller that is granted a lock has at least half of a lease left, and about as much after each renewal.
    const run = { name, fencingToken, mode: "exclusive", remainingMs: task.scene.plan.leaseMs * 0.3 } as const;
    await task.inside(name, run, () => task.think(), { kind: "callback" });
    return `${task.name}@${Math.round(task.nowMs)}`;
  };
  const answer = await task.expecting(task.client.mutex.runOnce(key, run, { timeoutMs: 20_000 }));
  if (answer !== undefined) task.scene.once.told(key, task.name, answer.result);
}

export const FENCED: readonly Turn[] = [
  { name: "fenced", chance: 0.3, weight: 0.7, steps: ["object"], run: fenced },
  { name: "once", chance: 0.2, weight: 0.4, run: once },
];
