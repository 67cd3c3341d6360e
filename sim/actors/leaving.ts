import { closingOf } from "../closing.js";
import type { Task } from "../task.js";
import { around } from "./around.js";
import type { Turn } from "./turn.js";

/** Closes its mutex in the middle of its own work, and goes on with it; waiting for that must not be waiting for itself. */
async function closeInside(task: Task, name: string): Promise<void> {
  await around(task, name, { timeoutMs: 20_000 }, async (lock) => {
    await task.think();
    if (task.scene.isOver()) return;
    const closing = task.client.closeFromWithin(closingOf(task.random));
    if (task.random.chance(0.5)) await closing;
    else await task.work(lock);
  });
}

/** Leads for a while by a function, until it is done, resigns or is told to stop; and may be slow to stop. */
async function reign(task: Task): Promise<void> {
  const { client, random, scene } = task;
  const leaseMs = scene.plan.leaseMs * 2;
  const election = client.mutex.election("leader", { leaseMs, priority: random.integer(0, 1) });
  const stopping = new AbortController();
  client.process.effects.setTimer(PATIENCE_MS, () => stopping.abort(), { keepAlive: false });
  const lead = async (signal: AbortSignal, token: number) => {
    const leadership = {
      name: "leader",
      fencingToken: token,
      mode: "exclusive" as const,
      get held() {
        return election.isLeader;
      },
      // It is renewed with each third of a lease, and it is not told how much of one is left.
      get remainingMs() {
        return election.isLeader ? leaseMs / 3 : 0;
      },
    };
    const end = random.pick(["done", "resigns", "stopped"] as const);
    if (end === "resigns") soon(task, () => void task.expecting(election.resign()));
    if (end === "stopped") soon(task, () => stopping.abort());
    await task.believing("leader", leadership, () => untilAsked(task, signal), { kind: "callback" });
  };
  await task.expecting(election.runWhenLeader(lead, { signal: stopping.signal }));
}

async function untilAsked(task: Task, signal: AbortSignal): Promise<void> {
  for (let steps = task.random.integer(1, 20); steps > 0 && !signal.aborted; steps -= 1) await task.pause(50);
  if (task.random.chance(0.3)) await task.think();
}

function soon(task: Task, then: () => void): void {
  task.client.process.effects.setTimer(task.random.between(0, 500), then, { keepAlive: false });
}

const PATIENCE_MS = 20_000;

export const LEAVING: readonly Turn[] = [
  { name: "closeInside", chance: 0.1, weight: 0.05, run: closeInside },
  { name: "reign", chance: 0.2, weight: 0.4, run: reign },
];
