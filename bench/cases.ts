import type { BenchCase } from "./case.js";
import { contention } from "./cases/contention.js";
import { crowd } from "./cases/crowd.js";
import { deadWaiters } from "./cases/dead-waiters.js";
import { handOver } from "./cases/hand-over.js";
import { localCallers } from "./cases/local-callers.js";
import { order } from "./cases/order.js";

/** In the order of the issues. */
export const CASES: readonly BenchCase[] = [contention, handOver, order, localCallers, crowd, deadWaiters];
