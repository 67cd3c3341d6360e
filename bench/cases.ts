import type { BenchCase } from "./case.js";
import { burst } from "./cases/burst.js";
import { contention } from "./cases/contention.js";
import { crowd } from "./cases/crowd.js";
import { deadWaiters } from "./cases/dead-waiters.js";
import { deadlock } from "./cases/deadlock.js";
import { election } from "./cases/election.js";
import { faultMix } from "./cases/fault-mix.js";
import { freeLock } from "./cases/free-lock.js";
import { handOver } from "./cases/hand-over.js";
import { largeSemaphore } from "./cases/large-semaphore.js";
import { listLocks } from "./cases/list-locks.js";
import { localCallers } from "./cases/local-callers.js";
import { lostResponses } from "./cases/lost-responses.js";
import { manyLocks } from "./cases/many-locks.js";
import { neverAnswered } from "./cases/never-answered.js";
import { noVictim } from "./cases/no-victim.js";
import { order } from "./cases/order.js";
import { packageCost } from "./cases/package-cost.js";
import { readers } from "./cases/readers.js";
import { semaphore } from "./cases/semaphore.js";
import { telemetry } from "./cases/telemetry.js";
import { thousandLocks } from "./cases/thousand-locks.js";
import { wrongClock } from "./cases/wrong-clock.js";

/** In the order of the issues. */
export const CASES: readonly BenchCase[] = [
  freeLock,
  manyLocks,
  lostResponses,
  neverAnswered,
  faultMix,
  wrongClock,
  thousandLocks,
  burst,
  packageCost,
  contention,
  handOver,
  order,
  localCallers,
  deadlock,
  noVictim,
  crowd,
  deadWaiters,
  readers,
  semaphore,
  largeSemaphore,
  election,
  listLocks,
  telemetry,
];
