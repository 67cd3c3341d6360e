import type { S3Client } from "@aws-sdk/client-s3";
import type { Lock, S3Mutex } from "../../index.js";

export interface Process {
  readonly s3Client: S3Client;
  readonly mutex: S3Mutex;
}

/** One measurement: resolves with how long each turn took, in milliseconds; fewer turns where it was stopped. */
export interface Part {
  readonly name: string;
  readonly title: string;
  run(processes: readonly Process[], turns: number, signal: AbortSignal): Promise<readonly number[]>;
}

/** Long enough for the waiter to be in the queue, short enough for many rounds. */
const HOLD_MS = 300;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

async function repeat(turns: number, signal: AbortSignal, turn: (index: number) => Promise<number>): Promise<number[]> {
  const turnsMs: number[] = [];
  for (let index = 0; index < turns && !signal.aborted; index += 1) turnsMs.push(await turn(index));
  return turnsMs;
}

async function acquireAndRelease(mutex: S3Mutex, lockName: string): Promise<void> {
  const lock = await mutex.acquire(lockName);
  await lock.release();
}

function processAt(processes: readonly Process[], index: number): S3Mutex {
  return (processes[index % processes.length] as Process).mutex;
}

/** Measures the time from the call of release until the waiter has the lock. */
async function passOn(holder: S3Mutex, waiter: S3Mutex): Promise<number> {
  const held = await holder.acquire("passed-on");
  const waiting = waiter.acquire("passed-on");
  // Where the release fails, no caller is left to hear of it.
  waiting.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
  let next: Lock | undefined;
  const elapsedMs = await timed(async () => {
    await held.release();
    next = await waiting;
  });
  await next?.release();
  return elapsedMs;
}

export const PARTS: readonly Part[] = [
  {
    name: "free",
    title: "free lock, used by this process before",
    run: (processes, turns, signal) =>
      repeat(turns, signal, () => timed(() => acquireAndRelease(processAt(processes, 0), "free"))),
  },
  {
    name: "free-elsewhere",
    title: "free lock, new to this process",
    run: (processes, turns, signal) =>
      repeat(turns, signal, (index) => timed(() => acquireAndRelease(processAt(processes, 0), `new-${index}`))),
  },
  {
    name: "passing-on",
    title: `passing on to a waiter, after ${HOLD_MS} ms`,
    run: (processes, turns, signal) =>
      repeat(Math.ceil(turns / 4), signal, (index) =>
        passOn(processAt(processes, index), processAt(processes, index + 1)),
      ),
  },
  {
    name: "contention",
    title: "all want the same lock, for no time",
    async run(processes, turns, signal) {
      const each = Math.max(1, Math.round(turns / processes.length));
      const turnsMs = await Promise.all(
        processes.map(({ mutex }) => repeat(each, signal, () => timed(() => acquireAndRelease(mutex, "wanted")))),
      );
      return turnsMs.flat();
    },
  },
];
