import type { Lock } from "../../src/index.js";
import { Random } from "../../src/testing/virtual/random.js";
import { type Client, NAME, Scene } from "../../testkit/scene.js";
import { median } from "../../testkit/statistics.js";

/** The figures of one run of a row, by name. */
export type Figures = Readonly<Record<string, number>>;

/** One situation of contention, by the production code in virtual time: the same seed gives the same figures, on any machine. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly run: (seed: number) => Promise<Figures>;
}

const LONG_MS = 3_600_000;
const TEN_MINUTES_MS = 600_000;

/** Draws how long work takes, by its own generator, so that the library's draws do not change it: three tenths more or less than said. */
function holds(seed: number): (ms: number) => number {
  const random = new Random(seed);
  return (ms) => ms * random.between(0.7, 1.3);
}

async function warmed(scene: Scene, count: number): Promise<readonly Client[]> {
  const clients = Array.from({ length: count }, () => scene.client());
  for (const { mutex } of clients) await scene.until(mutex.isLocked("warm"));
  return clients;
}

async function contention(seed: number): Promise<Figures> {
  const scene = new Scene({ seed });
  const workMs = holds(seed);
  const clients = await warmed(scene, 8);
  const [fromMs, sentBefore] = [scene.nowMs, scene.sent.length];
  const waitsMs: number[] = [];
  let lastMs = fromMs;
  const takeTurns = async ({ mutex, process }: Client) => {
    for (let turn = 0; turn < 5; turn += 1) {
      const askedMs = scene.nowMs;
      const lock = await mutex.acquire(NAME);
      waitsMs.push(scene.nowMs - askedMs);
      scene.believe(lock, process);
      await scene.world.sleep(workMs(20));
      scene.disbelieve(lock);
      await lock.release();
      lastMs = scene.nowMs;
    }
  };
  await scene.until(Promise.all(clients.map(takeTurns)), LONG_MS);
  if (scene.problems.length > 0) throw new Error(scene.problems.join("; "));
  return {
    perSecond: waitsMs.length / ((lastMs - fromMs) / 1000),
    slowestMs: Math.max(...waitsMs),
    requestsPerTurn: (scene.sent.length - sentBefore) / waitsMs.length,
  };
}

function passedOnAfter(holdMs: number): Row["run"] {
  return async (seed) => {
    const scene = new Scene({ seed });
    const workMs = holds(seed);
    const [holder, waiter] = [scene.client(), scene.client()];
    await scene.until(waiter.mutex.isLocked("warm"));
    const lock = await scene.until(holder.mutex.acquire(NAME));
    let gotMs = 0;
    const waiting = waiter.mutex.acquire(NAME).then(() => {
      gotMs = scene.nowMs;
    });
    await scene.pass(workMs(holdMs));
    const freedMs = scene.nowMs;
    void lock.release();
    await scene.until(waiting, TEN_MINUTES_MS);
    return { idleMs: gotMs - freedMs };
  };
}

async function readers(seed: number): Promise<Figures> {
  const scene = new Scene({ seed });
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const inMs: number[] = [];
  const clients = Array.from({ length: 20 }, () => scene.client());
  const all = Promise.all(
    clients.map(async ({ mutex }, index) => {
      await scene.world.sleep(index * 20);
      await mutex.acquire(NAME, { mode: "shared" });
      inMs.push(scene.nowMs);
    }),
  );
  await scene.pass(2000);
  const [freedMs, sentBefore] = [scene.nowMs, scene.sent.length];
  void lock.release();
  await scene.until(all, TEN_MINUTES_MS);
  return { allInMs: Math.max(...inMs) - freedMs, requestsEach: (scene.sent.length - sentBefore) / clients.length };
}

async function semaphore(seed: number): Promise<Figures> {
  const [permits, turns] = [10, 3];
  const scene = new Scene({ seed });
  const workMs = holds(seed);
  const clients = await warmed(scene, 30);
  const [fromMs, sentBefore] = [scene.nowMs, scene.sent.length];
  let [inside, most, lastMs] = [0, 0, fromMs];
  const takeTurns = async ({ mutex }: Client) => {
    const pool = mutex.semaphore("s", { permits });
    for (let turn = 0; turn < turns; turn += 1) {
      const permit = await pool.acquire();
      inside += 1;
      most = Math.max(most, inside);
      await scene.world.sleep(workMs(200));
      inside -= 1;
      await permit.release();
      lastMs = scene.nowMs;
    }
  };
  await scene.until(Promise.all(clients.map(takeTurns)), LONG_MS);
  if (most > permits) throw new Error(`${most} inside`);
  const all = clients.length * turns;
  return { perSecond: all / ((lastMs - fromMs) / 1000), requestsPerTurn: (scene.sent.length - sentBefore) / all };
}

async function deadAhead(seed: number): Promise<Figures> {
  const scene = new Scene({ seed });
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const dying = Array.from({ length: 3 }, () => scene.client());
  for (const { mutex } of dying) {
    mutex.acquire(NAME).catch(() => {});
    await scene.pass(150);
  }
  let gotMs = 0;
  const waiting = scene
    .client()
    .mutex.acquire(NAME)
    .then(() => {
      gotMs = scene.nowMs;
    });
  await scene.pass(3000);
  for (const { process } of dying) process.kill();
  const freedMs = scene.nowMs;
  void lock.release();
  await scene.until(waiting, TEN_MINUTES_MS);
  return { waitMs: gotMs - freedMs };
}

/** Frees the lock at twenty moments: how long it stands idle depends on how near the next poll is. */
async function deadBeside(seed: number): Promise<Figures> {
  const runs: { readonly requestsPerMinute: number; readonly idleMs: number }[] = [];
  for (let moment = 0; moment < 20; moment += 1) runs.push(await freedBesideDead(seed, moment * 97));
  return {
    requestsPerMinute: median(runs.map(({ requestsPerMinute }) => requestsPerMinute)),
    idleMs: median(runs.map(({ idleMs }) => idleMs)),
  };
}

async function freedBesideDead(seed: number, laterMs: number) {
  const scene = new Scene({ seed });
  const [dead, alive, writer] = [scene.client(), scene.client(), scene.client()];
  const lasting = await scene.until(alive.mutex.acquire(NAME, { mode: "shared" }));
  await scene.until(dead.mutex.acquire(NAME, { mode: "shared" }));
  const waiting = writer.mutex.acquire(NAME);
  dead.process.kill();
  // Its lease is over by then.
  await scene.pass(2 * 60_000);
  const before = scene.requestsOf(writer.process).length;
  await scene.pass(60_000);
  const requestsPerMinute = scene.requestsOf(writer.process).length - before;
  await scene.pass(laterMs);
  const freedMs = scene.nowMs;
  void lasting.release();
  await scene.until(waiting, TEN_MINUTES_MS);
  return { requestsPerMinute, idleMs: scene.nowMs - freedMs };
}

async function queue(seed: number): Promise<Figures> {
  const [holdMs, everyMs] = [8000, 100];
  const scene = new Scene({ seed, roundTripMs: () => 10 });
  const workMs = holds(seed);
  const lock: Lock = await scene.until(scene.client().mutex.acquire(NAME));
  const clients = Array.from({ length: 12 }, () => scene.client());
  let lastMs = 0;
  const all = Promise.all(
    clients.map(async ({ mutex }, index) => {
      await scene.world.sleep(index * everyMs);
      const own = await mutex.acquire(NAME);
      await scene.world.sleep(workMs(50));
      await own.release();
      lastMs = scene.nowMs;
    }),
  );
  const joiningMs = clients.length * everyMs;
  await scene.pass(joiningMs);
  const sentAtRest = scene.sent.length;
  await scene.pass(holdMs - joiningMs);
  const meanwhile = (scene.sent.length - sentAtRest) / clients.length / ((holdMs - joiningMs) / 1000);
  const [freedMs, sentBefore] = [scene.nowMs, scene.sent.length];
  void lock.release();
  await scene.until(all, TEN_MINUTES_MS);
  return {
    drainedMs: lastMs - freedMs,
    requestsPerGrant: (scene.sent.length - sentBefore) / clients.length,
    waitingPerSecond: meanwhile,
  };
}

export const ROWS: readonly Row[] = [
  { name: "contention", what: "8 clients x 5 turns of 20 ms", run: contention },
  { name: "passing on 0.3 s", what: "how long the lock stands idle after a hold", run: passedOnAfter(300) },
  { name: "passing on 1 s", what: "the same", run: passedOnAfter(1000) },
  { name: "passing on 4 s", what: "the same", run: passedOnAfter(4000) },
  { name: "readers", what: "20 readers behind a writer", run: readers },
  { name: "semaphore", what: "10 permits, 30 clients x 3 turns of 200 ms", run: semaphore },
  { name: "dead ahead", what: "a waiter behind three that just died", run: deadAhead },
  { name: "dead beside", what: "a writer behind a reader that lives and one that has died", run: deadBeside },
  { name: "queue", what: "12 in the queue behind 8 s, 50 ms each (round trip 10 ms)", run: queue },
];
