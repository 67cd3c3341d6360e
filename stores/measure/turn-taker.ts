// One of the processes of turns.ts: takes its turns, and tells what came of them. Started by that file only.
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { S3Mutex, S3MutexError } from "../../src/index.js";

export interface TurnOrders {
  readonly s3ClientConfig: S3ClientConfig;
  readonly bucketName: string;
  readonly turns: number;
  /** Where the counter is, and who is inside: on this machine, past the store. */
  readonly counter: string;
  readonly inside: string;
}

export interface TurnTally {
  done: number;
  overlaps: number;
  readonly errors: Record<string, number>;
}

const TIMEOUT_MS = 10_000;
/** A store on which each turn waits for a lease to end is told by the turns that were not had. */
const LONGEST_MS = 45_000;
/** Long enough for the other process to come in, if it may. */
const INSIDE_MS = 15;

process.once("message", (orders: TurnOrders) => {
  void takeTurns(orders).then((tally) => process.send?.(tally, () => process.exit(0)));
});
process.send?.("ready");

async function takeTurns({ s3ClientConfig, bucketName, turns, counter, inside }: TurnOrders): Promise<TurnTally> {
  // With the defaults: what is promised to users that have read nothing.
  const mutex = new S3Mutex({ s3ClientConfig, bucketName });
  const tally: TurnTally = { done: 0, overlaps: 0, errors: {} };
  const endMs = performance.now() + LONGEST_MS;
  for (let turn = 0; turn < turns && performance.now() < endMs; turn += 1) {
    try {
      const lock = await mutex.acquire("turns", { timeoutMs: TIMEOUT_MS });
      const wasAlone = enter(inside);
      const count = Number(readFileSync(counter, "utf8"));
      await sleep(INSIDE_MS);
      // A holder that knows that it holds nothing any more does nothing more, and is told so by the release.
      if (lock.held) {
        writeFileSync(counter, String(count + 1));
        tally.done += 1;
        if (!wasAlone) tally.overlaps += 1;
      }
      if (wasAlone) rmSync(inside, { force: true });
      await lock.release();
    } catch (error) {
      const code = S3MutexError.is(error) ? error.code : (error as Error).name;
      tally.errors[code] = (tally.errors[code] ?? 0) + 1;
      // It will be so the next time.
      if (code === "store-unsafe") break;
    }
  }
  await mutex.close().catch(() => {});
  return tally;
}

/** Tries to enter: says whether no other is inside. */
function enter(inside: string): boolean {
  try {
    closeSync(openSync(inside, "wx"));
    return true;
  } catch {
    return false;
  }
}
