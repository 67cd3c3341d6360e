import { setTimeout as sleep } from "node:timers/promises";
import type { AcquireOptions, Lock } from "../../src/index.js";
import { type Held, type Noticed, Turn } from "./turn.js";
import type { Line } from "./workplace.js";

type KindOfTurn = (line: Line, turn: Turn) => Promise<void>;

/** How long a caller waits before it gives up: longer than a dead holder's lease and a few turns, most of the time. */
const PATIENCE_MS = 10_000;
/** `acquireLock` has no signal: a worker that is to stop waits this out. */
const NAMED_PATIENCE_MS = 3000;

/** Every way of holding locks that the library has, with how often it comes up. */
const KINDS: readonly { readonly name: string; readonly weight: number; readonly run: KindOfTurn }[] = [
  { name: "withLock", weight: 24, run: withLock },
  { name: "handle", weight: 20, run: handle },
  { name: "by name", weight: 16, run: byName },
  { name: "tryAcquire", weight: 10, run: tryAcquire },
  { name: "nested", weight: 16, run: nested },
  { name: "acquireAll", weight: 9, run: acquireAll },
  { name: "withLocks", weight: 4, run: withLocks },
  { name: "cleanup", weight: 1, run: cleanUp },
];
const TOTAL_WEIGHT = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/** Takes one turn of a kind picked at random. */
export async function takeTurn(line: Line): Promise<void> {
  let left = line.random.between(0, TOTAL_WEIGHT);
  const kind = KINDS.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  const { name, run } = kind ?? { name: "withLock", run: withLock };
  line.diary.count(`tried ${name}`);
  await run(line, new Turn(line));
}

function optionsOf({ random, stopping }: Line): AcquireOptions {
  return { timeoutMs: PATIENCE_MS, signal: stopping, priority: random.chance(0.3) ? random.integer(-1, 2) : 0 };
}

/** Picks some locks, in an order of its own. */
function pickLocks({ random, settings }: Line, count: number): readonly string[] {
  const left = [...settings.lockNames];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const name = random.pick(left);
    left.splice(left.indexOf(name), 1);
    return name;
  });
}

function pickLock(line: Line): string {
  return line.random.pick(line.settings.lockNames);
}

async function withLock(line: Line, turn: Turn): Promise<void> {
  const name = pickLock(line);
  await turn.prepare([name]);
  const work = async (lock: Lock) => {
    await turn.work([lock]);
    return true;
  };
  const done = await noticingLoss(turn, line.mutex.withLock(name, work, optionsOf(line)));
  if (done === null) line.diary.count("timed out");
}

async function handle(line: Line, turn: Turn): Promise<void> {
  const name = pickLock(line);
  await turn.prepare([name]);
  const startedMs = performance.now();
  const lock = await line.mutex.acquire(name, optionsOf(line));
  line.diary.countLongest("longest wait", performance.now() - startedMs);
  await workAndRelease(turn, lock);
}

async function tryAcquire(line: Line, turn: Turn): Promise<void> {
  const name = pickLock(line);
  await turn.prepare([name]);
  const lock = await line.mutex.tryAcquire(name, { signal: line.stopping });
  if (lock === null) line.diary.count("not free");
  else await workAndRelease(turn, lock);
}

async function workAndRelease(turn: Turn, lock: Lock, others: readonly Held[] = []): Promise<void> {
  await workAndGiveBack(turn, [...others, lock], "release", () => lock.release());
}

async function workAndGiveBack(
  turn: Turn,
  locks: readonly Held[],
  how: Noticed,
  release: () => Promise<boolean>,
): Promise<void> {
  try {
    await turn.work(locks);
  } finally {
    await giveBack(turn, how, release);
  }
}

async function giveBack(turn: Turn, how: Noticed, release: () => Promise<boolean>): Promise<void> {
  if (!(await release())) turn.noticeLoss(how);
}

/** Works by the API of 1.x: nothing renews the lock but `refreshLock`. */
async function byName(line: Line, turn: Turn): Promise<void> {
  const { mutex, diary, random } = line;
  const name = pickLock(line);
  await turn.prepare([name]);
  if (!(await mutex.acquireLock(name, NAMED_PATIENCE_MS, random.integer(0, 1)))) {
    diary.count("timed out");
    return;
  }
  const held = { name, fencingToken: line.tokenOf(name), refresh: () => mutex.refreshLock(name) };
  await workAndGiveBack(turn, [held], "releaseLock", () => mutex.releaseLock(name));
}

/** Takes a second lock while holding a first, in any order: a worker that meets one that does the reverse is in a deadlock. */
async function nested(line: Line, turn: Turn): Promise<void> {
  const [outer, inner] = pickLocks(line, 2);
  if (outer === undefined || inner === undefined) return;
  await turn.prepare([outer, inner]);
  const run = async () => {
    const first = await line.mutex.acquire(outer, optionsOf(line));
    try {
      await sleep(line.random.between(0, 30));
      const second = await line.mutex.acquire(inner, optionsOf(line));
      await workAndRelease(turn, second, [first]);
    } finally {
      await giveBack(turn, "release", () => first.release());
    }
  };
  // In a scope of its own, or in the one that the line of work is by itself.
  await (line.random.chance(0.5) ? line.mutex.scope(run) : run());
}

async function acquireAll(line: Line, turn: Turn): Promise<void> {
  const names = pickLocks(line, line.random.integer(2, 3));
  await turn.prepare(names);
  const set = await line.mutex.acquireAll(names, optionsOf(line));
  await workAndGiveBack(turn, set.locks, "release", () => set.release());
}

async function withLocks(line: Line, turn: Turn): Promise<void> {
  const names = pickLocks(line, 2);
  await turn.prepare(names);
  const work = async ({ locks }: { readonly locks: readonly Lock[] }) => {
    await turn.work(locks);
    return true;
  };
  const done = await noticingLoss(turn, line.mutex.withLocks(names, work, optionsOf(line)));
  if (done === null) line.diary.count("timed out");
}

async function noticingLoss<T>(turn: Turn, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "lost") turn.noticeLoss("withLock");
    throw error;
  }
}

/** Tidies up meanwhile, which must not take anything away from other workers. */
async function cleanUp({ mutex }: Line): Promise<void> {
  await mutex.cleanupStaleLocks();
}
