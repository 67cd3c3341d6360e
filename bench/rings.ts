import { setTimeout as sleep } from "node:timers/promises";
import { S3MutexError } from "../src/index.js";
import { AncestorMutex } from "./ancestor.js";
import { freshName } from "./case.js";
import { BUCKET_NAME, newMutex } from "./contestants/library.js";
import type { BenchServer } from "./server/bench-server.js";

/** Far beyond the target, so that a time-out cannot be taken for a resolution. */
export const PATIENCE_MS = 12_000;
const HOLD_MS = 20;

export interface RingRun {
  readonly size: number;
  /** By priority, which is also their place in the ring: 0 is the lowest. */
  readonly victims: readonly number[];
  /** From the moment at which all have their first lock until all but the victims have had both. */
  readonly allServedMs: number | undefined;
  readonly highestServed: boolean;
}

export interface Ring {
  run(): Promise<RingRun>;
}

/** What one participant does: takes its own lock, calls `meet` with it, takes the next one's, calls `served`. */
type Participant = (place: number, locks: readonly string[], ring: Meeting) => Promise<void>;

/** Where the ring closes: none asks for the second lock before all have the first. */
class Meeting {
  readonly victims: number[] = [];
  readonly servedAtMs = new Map<number, number>();
  closedAtMs = 0;
  readonly #size: number;
  #arrived = 0;
  #open: () => void = () => {};
  readonly #all = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  constructor(size: number) {
    this.#size = size;
  }

  arrive(): Promise<void> {
    this.#arrived += 1;
    if (this.#arrived === this.#size) {
      this.closedAtMs = performance.now();
      this.#open();
    }
    return this.#all;
  }

  served(place: number): Promise<void> {
    this.servedAtMs.set(place, performance.now());
    return sleep(HOLD_MS);
  }
}

export function libraryRing(server: BenchServer, size: number): Ring {
  const mutexes = Array.from({ length: size }, () => newMutex(server));
  return ringOf(size, async (place, locks, ring) => {
    const mutex = mutexes[place];
    const options = { priority: place, timeoutMs: PATIENCE_MS };
    const both = () => mutex?.withLock(next(locks, place), () => ring.served(place), options);
    try {
      await mutex?.withLock(locks[place] ?? "", () => ring.arrive().then(both), { priority: place });
    } catch (error) {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      ring.victims.push(place);
    }
    await mutex?.close();
  });
}

/**
 * Makes a ring of the ancestor. Its deadlock detection sees its own process only; a user gives back the first lock when the second
 * is not to be had.
 */
export function ancestorRing(server: BenchServer, size: number): Ring {
  return ringOf(size, async (place, locks, ring) => {
    const mutex = new AncestorMutex({ s3Client: server.client(), bucketName: BUCKET_NAME });
    const own = locks[place] ?? "";
    while (!(await mutex.acquireLock(own, place)));
    await ring.arrive();
    if (await mutex.acquireLock(next(locks, place), place)) {
      await ring.served(place);
      await mutex.releaseLock(next(locks, place));
    } else {
      ring.victims.push(place);
    }
    await mutex.releaseLock(own);
  });
}

function ringOf(size: number, participant: Participant): Ring {
  return {
    async run() {
      const ring = new Meeting(size);
      const locks = Array.from({ length: size }, () => freshName("ring"));
      await Promise.all(locks.map((_, place) => participant(place, locks, ring)));
      const servedMs = [...ring.servedAtMs.values()].map((atMs) => atMs - ring.closedAtMs);
      const isResolved = ring.victims.length > 0 && ring.victims.length + servedMs.length === size;
      return {
        size,
        victims: ring.victims,
        allServedMs: isResolved && servedMs.length > 0 ? Math.max(...servedMs) : undefined,
        highestServed: ring.servedAtMs.has(size - 1),
      };
    },
  };
}

function next(locks: readonly string[], place: number): string {
  return locks[(place + 1) % locks.length] ?? "";
}
