import { remainingMs } from "../src/core/lease.js";
import { storeTimeAt } from "../src/core/store-time.js";
import { acquire } from "../src/core/transition/acquire.js";
import { cancel, forceRelease, release } from "../src/core/transition/release.js";
import { cleanup, deleteLock } from "../src/core/transition/remove.js";
import { renew } from "../src/core/transition/renew.js";
import { transfer } from "../src/core/transition/transfer.js";

/** What is checked: the decisions of `src/core`, each of which a test may replace by a broken one. */
export const REAL = {
  acquire,
  renew,
  release,
  transfer,
  cancel,
  forceRelease,
  deleteLock,
  cleanup,
  remainingMs,
  storeTimeAt,
};

export type Subject = typeof REAL;
