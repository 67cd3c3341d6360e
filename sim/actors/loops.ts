import { S3MutexError } from "../../src/index.js";
import type { Believed, Task } from "../task.js";

/** Runs what runs for as long as its program does. However long the store is away, it goes on afterwards: only a refusal ends it. */
export async function runLoops(task: Task): Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = [lead(task, signal), observe(task, signal), watch(task, signal)];
  const loops = running.map((loop) => loop.catch((error) => judge(task, error)));
  while (!task.scene.isOver() && !task.client.isClosing) await task.pause(LOOK_MS);
  stopping.abort();
  await Promise.all(loops);
}

async function lead(task: Task, signal: AbortSignal): Promise<void> {
  const leaseMs = task.scene.plan.leaseMs * 2;
  const election = task.client.mutex.election("leader", { leaseMs });
  while (!signal.aborted) {
    await election.runWhenLeader(
      async (ending, fencingToken) => {
        const leadership: Believed = {
          name: "leader",
          fencingToken,
          mode: "exclusive",
          get held() {
            return election.isLeader;
          },
          get remainingMs() {
            return election.isLeader ? leaseMs / 3 : 0;
          },
        };
        const reign = async () => {
          for (let steps = 0; steps < TERM_STEPS && !ending.aborted; steps += 1) await task.pause(LOOK_MS);
        };
        await task.believing("leader", leadership, reign, { kind: "callback" });
      },
      { signal },
    );
  }
}

async function observe(task: Task, signal: AbortSignal): Promise<void> {
  for await (const _ of task.client.mutex.election("leader").observe({ signal }));
}

async function watch(task: Task, signal: AbortSignal): Promise<void> {
  let seenAtMs = task.nowMs;
  for await (const { error } of task.client.mutex.watch({ signal, intervalMs: WATCH_MS })) {
    if (error === undefined) seenAtMs = task.nowMs;
  }
  const { backAtMs } = task.scene;
  if (
    backAtMs !== undefined &&
    !task.client.isClosing &&
    task.nowMs - Math.max(seenAtMs, backAtMs) > LONGEST_SILENCE_MS
  )
    task.scene.findings.report("gave-up", `${task.name} has seen nothing since the store is back`);
}

function judge(task: Task, error: unknown): void {
  const isFine =
    S3MutexError.is(error, "closed") ||
    S3MutexError.is(error, "aborted") ||
    (S3MutexError.is(error, "lost") && task.client.isClosing) ||
    (S3MutexError.is(error, "store-unsafe") && task.scene.mayContradictItself);
  if (!isFine) task.scene.findings.report("gave-up", `${task.name}: ${error instanceof Error ? error.stack : error}`);
}

const LOOK_MS = 500;
/** So many looks, a leader stays. */
const TERM_STEPS = 6;
const WATCH_MS = 4000;
/** Longer than a process stands still, and some looks. */
const LONGEST_SILENCE_MS = 40_000;
