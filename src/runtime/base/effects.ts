import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { StoreEffects } from "../../store/object-store.js";
import type { Logger } from "./logger.js";

/**
 * All that makes two runs of this library differ: clocks, timers, randomness, ids and the name of the machine.
 * Simulation replaces this object and the store, and nothing else.
 */
export interface Effects extends StoreEffects {
  /** Reads the local wall clock in epoch milliseconds. It may be wrong; see `core/store-time.ts` for when it is believed. */
  wallMs(): number;
  /** Draws a number in [0, 1). */
  random(): number;
  /** Undefined where the runtime does not tell it. */
  readonly host: string | undefined;
  readonly pid: number;
  /** Keeps the process from ending until the function returned is called. What has no process of its own has none to keep. */
  stayAlive?(): () => void;
}

/** The real world. */
export const realEffects: Effects = {
  monotonicMs: () => performance.now(),
  // Of a `Date.now` that was replaced by a finer clock: records have whole milliseconds.
  wallMs: () => Math.floor(Date.now()),
  random: () => Math.random(),
  newId: () => withTime(randomUUID({ disableEntropyCache: true }), process.hrtime.bigint()),
  setTimer(delayMs, callback, { keepAlive }) {
    // What was due a moment ago is due now; from Node 21 on a negative delay is a warning of the process.
    const timer = setTimeout(callback, Math.max(0, Math.min(delayMs, MAX_TIMER_MS)));
    // A number, not an object, in runtimes that have the timers of browsers; nothing there is kept alive by one.
    if (!keepAlive) (timer as Partial<NodeJS.Timeout>).unref?.();
    return () => clearTimeout(timer);
  },
  // Asked when it is published and not while the module loads: Deno wants a permission for it, without which there are locks all the same.
  get host() {
    try {
      return hostname();
    } catch {
      return undefined;
    }
  },
  pid: process.pid,
  stayAlive() {
    const timer = setInterval(() => {}, MAX_TIMER_MS);
    return () => clearInterval(timer);
  },
};

/** Node turns longer timers into immediate ones; a caller that asked for more reads the clock and asks again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Where there is no other logger: what the user would not learn of otherwise becomes a warning of the process; the rest is not said. */
export const quietLogger: Logger = {
  error(message) {
    process.emitWarning(message, { type: "S3MutexWarning" });
  },
};

/**
 * Makes a random id one of this very moment: a copy of a process has the state of its generators as well, and would
 * draw the same ids. The last twelve digits are random ones, to which the time is added.
 */
function withTime(id: string, nowNs: bigint): string {
  const digits = (BigInt(`0x${id.slice(-12)}`) + nowNs) % 2n ** 48n;
  return id.slice(0, -12) + digits.toString(16).padStart(12, "0");
}
