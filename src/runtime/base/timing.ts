import type { ClockReading } from "../../core/store-time.js";
import { onAbort } from "./abort.js";
import type { Effects } from "./effects.js";

/** Reads both local clocks at this moment. */
export function readClocks(effects: Effects): ClockReading {
  return { monotonicMs: effects.monotonicMs(), wallMs: effects.wallMs() };
}

/** One timer that is set anew again and again. It does not keep the process alive. */
export class Alarm {
  readonly #effects: Effects;
  #cancel: () => void = () => {};

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  set(delayMs: number, callback: () => void): void {
    this.#cancel();
    this.#cancel = this.#effects.setTimer(Math.max(0, delayMs), callback, { keepAlive: false });
  }

  clear(): void {
    this.#cancel();
  }
}

export interface SleepOptions {
  /** Whether the process stays alive for it. */
  readonly keepAlive: boolean;
  /** Ends the sleep early, without an error: its caller checks the signal anyway. */
  readonly signal?: AbortSignal | undefined;
}

/** Resolves after the delay, or when the signal is aborted. */
export function sleep(effects: Effects, delayMs: number, { keepAlive, signal }: SleepOptions): Promise<void> {
  return new Promise((resolve) => {
    let forget = () => {};
    const finish = () => {
      cancelTimer();
      forget();
      resolve();
    };
    const cancelTimer = effects.setTimer(delayMs, finish, { keepAlive });
    if (signal !== undefined) forget = onAbort(signal, finish);
  });
}

/** Sleeps, unless ended early by a call: waiters sleep so often that a signal for each sleep would cost more than the rest of it. */
export function wakeableSleep(
  effects: Effects,
  delayMs: number,
): { readonly over: Promise<void>; readonly wake: () => void } {
  let wake = () => {};
  const over = new Promise<void>((resolve) => {
    const cancelTimer = effects.setTimer(delayMs, resolve, { keepAlive: true });
    wake = () => {
      cancelTimer();
      resolve();
    };
  });
  return { over, wake };
}

/** Makes a signal that is aborted after the delay, or with the one given; `cancel` once its listener has gone. */
export function abortAfter(
  effects: Effects,
  delayMs: number,
  given: AbortSignal | undefined,
): { readonly signal: AbortSignal; readonly isLate: () => boolean; readonly cancel: () => void } {
  const late = new AbortController();
  const cancel = effects.setTimer(delayMs, () => late.abort(), { keepAlive: false });
  const signal = given === undefined ? late.signal : AbortSignal.any([given, late.signal]);
  return { signal, isLate: () => late.signal.aborted, cancel };
}

/**
 * Sleeps until this moment of the monotonic clock, or until the signal is aborted. Where that clock stands still while the machine
 * sleeps, a timer may come before its time by it.
 */
export async function sleepUntil(effects: Effects, untilMs: number, options: SleepOptions): Promise<void> {
  do {
    await sleep(effects, untilMs - effects.monotonicMs(), options);
  } while (!options.signal?.aborted && effects.monotonicMs() < untilMs);
}

/** Says whether the promise is settled within the delay; how it is settled is for others to look at. */
export async function settledWithin(effects: Effects, promise: Promise<unknown>, delayMs: number): Promise<boolean> {
  const settled = new AbortController();
  const settle = () => settled.abort();
  promise.then(settle, settle);
  await sleepUntil(effects, effects.monotonicMs() + delayMs, { keepAlive: true, signal: settled.signal });
  return settled.signal.aborted;
}

/** Limits a request to half of the time between two renewals, so that an unanswered one is asked again before the next. */
export function requestTimeoutMs(leaseMs: number): number {
  return Math.min(MAX_REQUEST_MS, leaseMs / 6);
}

/** No store that holds locks takes that long for a few hundred bytes: one that does answers nothing that is still of use. */
export const MAX_REQUEST_MS = 5000;

/** How long a store that has stopped answering is waited for by callers whose own patience has no end: the usual lease, a minute. */
export const UNREACHABLE_MS = 60_000;
