import type { S3Mutex } from "../../src/index.js";
import type { Random } from "../../src/testing/virtual/random.js";
import type { WorkerSettings } from "../messages.js";
import type { Diary } from "./diary.js";
import type { ResourceClient } from "./resource-client.js";

/** All that a worker's turns need. */
export interface Workplace {
  readonly settings: WorkerSettings;
  readonly mutex: S3Mutex;
  readonly resource: ResourceClient;
  readonly diary: Diary;
  /** Aborted when the worker is to stop after the turns that are under way. */
  readonly stopping: AbortSignal;
  /** Gives the token of the last grant of a lock, for `acquireLock`, which returns none. */
  tokenOf(lockName: string): number;
}

/** One line of work in a worker: what it does next is decided by a generator of its own. */
export interface Line extends Workplace {
  readonly random: Random;
}
