import { once } from "node:events";
import type { Breakage } from "../messages.js";
import { type Held, Turn } from "./turn.js";
import type { Line } from "./workplace.js";

/** Turns of workers that are broken on purpose: the checks of the others have to notice these. */
export const BROKEN_TURNS: Readonly<Record<Breakage, (line: Line) => Promise<void>>> = {
  "ignore-lock": ignoreLock,
  "old-token": useOldToken,
  "keep-lock": keepLock,
};

/** Works without the lock, with whatever token the resource has seen last: so no check of tokens keeps any worker out. */
async function ignoreLock(line: Line): Promise<void> {
  const turn = new Turn(line);
  const name = line.random.pick(line.settings.lockNames);
  await turn.prepare([name]);
  await turn.work([{ name, fencingToken: turn.floorOf(name) + 1 } satisfies Held]);
}

/** Works with an old token, as it would be if tokens fell: from the first turn on, since a slow machine may not come to a second one. */
async function useOldToken(line: Line): Promise<void> {
  const turn = new Turn(line);
  const name = line.random.pick(line.settings.lockNames);
  await turn.prepare([name]);
  await line.mutex.withLock(name, () => turn.work([{ name, fencingToken: turn.floorOf(name) }]), {
    signal: line.stopping,
  });
}

/** Takes a lock for an hour, and goes home without giving it back. */
async function keepLock({ mutex, random, settings, stopping }: Line): Promise<void> {
  await mutex.acquire(random.pick(settings.lockNames), { leaseMs: 3_600_000, signal: stopping });
  if (!stopping.aborted) await once(stopping, "abort");
  process.exit(0);
}
