import { Activity } from "../../src/runtime/base/activity.js";
import { Background, type Context } from "../../src/runtime/base/context.js";
import type { Effects } from "../../src/runtime/base/effects.js";
import { NO_CHECK } from "../../src/runtime/base/grant-check.js";
import { Holdings } from "../../src/runtime/base/holdings.js";
import { StoreClock } from "../../src/runtime/base/store-clock.js";

/** Clocks that a test moves by hand, and timers that come when it does. */
export class Clockwork {
  monotonicMs = 10_000;
  wallMs = 1_000_000;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void; readonly keepAlive: boolean }>();

  readonly effects: Effects = {
    monotonicMs: () => this.monotonicMs,
    wallMs: () => this.wallMs,
    random: () => 0.5,
    newId: () => "fresh",
    setTimer: (delayMs, callback, { keepAlive }) => {
      const timer = { dueMs: this.monotonicMs + delayMs, callback, keepAlive };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    },
    host: "host",
    pid: 1,
  };

  get reading() {
    return { monotonicMs: this.monotonicMs, wallMs: this.wallMs };
  }

  /** When the timers that are set will come, in milliseconds from now. */
  get pendingMs(): readonly number[] {
    return [...this.#timers].map(({ dueMs }) => dueMs - this.monotonicMs).sort((one, other) => one - other);
  }

  /** Whether a timer that is set keeps the process. */
  get keepsProcess(): boolean {
    return [...this.#timers].some(({ keepAlive }) => keepAlive);
  }

  /** Lets so much time pass on both clocks, and what is due meanwhile happen at its time. */
  async pass(ms: number): Promise<void> {
    const endMs = this.monotonicMs + ms;
    for (;;) {
      const due = [...this.#timers].sort((one, other) => one.dueMs - other.dueMs).find(({ dueMs }) => dueMs <= endMs);
      this.#moveTo(due === undefined ? endMs : Math.max(due.dueMs, this.monotonicMs));
      if (due === undefined) break;
      this.#timers.delete(due);
      due.callback();
      await settled();
    }
    await settled();
  }

  #moveTo(monotonicMs: number): void {
    this.wallMs += monotonicMs - this.monotonicMs;
    this.monotonicMs = monotonicMs;
  }
}

/** Resolves when whatever follows from what has happened so far has happened. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Makes what a mutex shares with its parts, without a mutex: what they tell is written down. */
export function contextOn(clockwork: Clockwork) {
  const [events, warnings, published]: [unknown[], unknown[], unknown[]] = [[], [], []];
  const [closing, closed] = [new AbortController(), new AbortController()];
  const context = {
    effects: clockwork.effects,
    clock: new StoreClock(clockwork.effects),
    logger: { debug: () => {}, warn: (...said: unknown[]) => warnings.push(said), error: () => {} },
    background: new Background(),
    check: NO_CHECK,
    closing: closing.signal,
    closed: closed.signal,
    ownerId: "owner",
    identity: {},
    toleranceMs: 1000,
    takeover: "store-time",
    useJitter: false,
    diagnostics: { publish: (...said: unknown[]) => published.push(said) },
    activity: new Activity(),
    holdings: new Holdings(),
    emit: (...said: unknown[]) => events.push(said),
  } as unknown as Context;
  return { context, events, warnings, published, closing, closed };
}
