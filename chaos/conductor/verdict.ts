import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LockTally, Tally } from "../messages.js";

/** Lists, in sentences, what must not be, from the resource's own counts. */
export function failuresIn(tally: Tally): readonly string[] {
  const failures: string[] = [];
  for (const { lockName, accepted, counter } of tally.locks) {
    if (accepted === counter) continue;
    failures.push(`${lockName}: ${accepted} updates were let through by the token check, its counter says ${counter}`);
  }
  for (const [kind, count] of Object.entries(tally.violations)) {
    if (count > 0) failures.push(`${kind}: ${count} times`);
  }
  return failures;
}

/** Counts the updates that are missing behind tokens. */
export function lostBehindTokens({ locks, violations }: Tally): number {
  const missing = sum(locks, ({ accepted, counter }) => accepted - counter);
  // A counter that was set back and one that jumped ahead must not make up for each other.
  return Math.max(missing, violations["lost-update"]);
}

export function sum(locks: readonly LockTally[], value: (lock: LockTally) => number): number {
  return locks.reduce((total, lock) => total + value(lock), 0);
}

/** Asks the same of what workers wrote down: no number was acknowledged twice, none that the counter never had. */
export function failuresInJournals(folder: string, tally: Tally): readonly string[] {
  const failures: string[] = [];
  const owners = new Map<string, string>();
  const counters = new Map(tally.locks.map(({ lockName, counter }) => [lockName, counter]));
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".journal"))) {
    // The last line of a killed worker may lack its end.
    for (const line of readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1)) {
      const [lockName = "", value = ""] = line.split(" ");
      const update = `${lockName} ${value}`;
      const owner = owners.get(update);
      if (owner !== undefined)
        failures.push(`${lockName}: update ${value} was acknowledged to ${owner} and to ${name}`);
      if (Number(value) > (counters.get(lockName) ?? 0)) {
        failures.push(`${lockName}: update ${value} was acknowledged to ${name}, and is gone`);
      }
      owners.set(update, name);
    }
  }
  return failures;
}
