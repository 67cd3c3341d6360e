import type { BenchCase } from "./case.js";
import { faultMix } from "./cases/alone/fault-mix.js";
import { freeLock } from "./cases/alone/free-lock.js";
import { listLocks } from "./cases/alone/list-locks.js";
import { lostResponses } from "./cases/alone/lost-responses.js";
import { manyLocks } from "./cases/alone/many-locks.js";
import { neverAnswered } from "./cases/alone/never-answered.js";
import { packageCost } from "./cases/alone/package-cost.js";
import { telemetry } from "./cases/alone/telemetry.js";
import { thousandLocks } from "./cases/alone/thousand-locks.js";
import { wrongClock } from "./cases/alone/wrong-clock.js";
import { burst } from "./cases/together/burst.js";
import { contention } from "./cases/together/contention.js";
import { crowd } from "./cases/together/crowd.js";
import { deadWaiters } from "./cases/together/dead-waiters.js";
import { deadlock } from "./cases/together/deadlock.js";
import { election } from "./cases/together/election.js";
import { largeSemaphore } from "./cases/together/large-semaphore.js";
import { localCallers } from "./cases/together/local-callers.js";
import { noVictim } from "./cases/together/no-victim.js";
import { order } from "./cases/together/order.js";
import { passingOn } from "./cases/together/passing-on.js";
import { readers } from "./cases/together/readers.js";
import { semaphore } from "./cases/together/semaphore.js";

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
  passingOn,
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
