import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { Driver, Ending, Goal } from "./driver.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { Random } from "./random.js";
import type { Timeline } from "./timeline.js";

/**
 * The fake timers of a test: `vi` of vitest, `jest` (of Bun as well), the clock that sinon's `useFakeTimers()` gives, or
 * `mock.timers` of `node:test`. They have to replace `setTimeout`, `clearTimeout` and `Date`.
 */
export type FakeTimers =
  | { advanceTimersByTimeAsync(ms: number): Promise<unknown> }
  | { tickAsync(ms: number): Promise<unknown> }
  | { advanceTimersByTime(ms: number): unknown }
  | { tick(ms: number): void };

/** Time as `setTimeout` and `Date` have it at each moment: that of fake timers while they are in place. */
export class GlobalTimeline implements Timeline {
  readonly random: Random;
  readonly #pending = new Set<{ readonly atMs: number }>();
  #latestMs = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Never goes back, whatever is done to `Date`. */
  get nowMs(): number {
    this.#latestMs = Math.max(this.#latestMs, Date.now());
    return this.#latestMs;
  }

  /** When the next timer of the test's mutexes comes. */
  get nextAtMs(): number | undefined {
    return this.#pending.size === 0 ? undefined : Math.min(...[...this.#pending].map(({ atMs }) => atMs));
  }

  at(atMs: number, run: () => void): () => void {
    return this.after(atMs - this.nowMs, run);
  }

  after(delayMs: number, run: () => void): () => void {
    let isOver = false;
    const once = () => {
      if (!isOver) run();
    };
    const timer = delayMs > 0 ? this.#set(delayMs, once) : void Promise.resolve().then(once);
    return () => {
      isOver = true;
      timer?.();
    };
  }

  silentlyAfter(delayMs: number, run: () => void): void {
    this.after(delayMs, run);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  trace(): void {}

  #set(delayMs: number, run: () => void): () => void {
    const pending = { atMs: this.nowMs + delayMs };
    this.#pending.add(pending);
    let timer: NodeJS.Timeout;
    const look = () => {
      const leftMs = Math.ceil(pending.atMs - this.nowMs);
      if (leftMs > 0) {
        timer = setTimeout(look, Math.min(leftMs, TIMER_MAX_MS));
        return;
      }
      this.#pending.delete(pending);
      run();
    };
    look();
    return () => {
      this.#pending.delete(pending);
      clearTimeout(timer);
    };
  }
}

/** Moves fake timers, whosever they are. */
export class FakeTimersDriver implements Driver {
  readonly #timeline: GlobalTimeline;
  readonly #tool: Tool;
  /** Two at once would confuse some of them. */
  #moving: Promise<unknown> = Promise.resolve();

  constructor(timeline: GlobalTimeline, timers: FakeTimers) {
    this.#timeline = timeline;
    this.#tool = toolOf(timers);
  }

  get nextAtMs(): number | undefined {
    return this.#timeline.nextAtMs;
  }

  async until(goal: Goal): Promise<Ending> {
    const turns = new EventLoopTurns();
    try {
      for (;;) {
        await turns.next();
        if (goal.isReached()) return "reached";
        if (goal.endMs <= this.#timeline.nowMs) return "limit";
        if (!goal.isForTime && this.#tool.count?.() === 0) return "quiet";
        const moved = this.#moving.then(() => this.#move(goal));
        this.#moving = moved.catch(() => {});
        await moved;
      }
    } finally {
      turns.close();
    }
  }

  async #move({ endMs, isForTime }: Goal): Promise<void> {
    const { nowMs } = this.#timeline;
    const { toNext, advance, stepMs } = this.#tool;
    if (nowMs >= endMs) return;
    if (!isForTime && toNext !== undefined) return toNext();
    const nextMs = Math.max(1, (this.nextAtMs ?? endMs) - nowMs);
    const ms = Math.ceil(Math.min(endMs - nowMs, isForTime ? endMs - nowMs : nextMs, stepMs));
    await advance(ms);
    // Where nothing is replaced, real time has passed meanwhile, but not that much.
    if (this.#timeline.nowMs - nowMs >= ms / 2) return;
    throw new Error(
      `The fake timers have moved by ${ms} ms, and Date.now() has not: let them replace Date as well, before the test moves the clock.`,
    );
  }
}

/** What is asked of fake timers. */
interface Tool {
  readonly advance: (ms: number) => Promise<void>;
  /** Up to the next timer, whosever it is. */
  readonly toNext?: (() => Promise<void>) | undefined;
  /** How many timers there are. */
  readonly count?: (() => number) | undefined;
  /** How far it may be moved at once. */
  readonly stepMs: number;
}

function toolOf(timers: FakeTimers): Tool {
  const methods = timers as unknown as Readonly<Record<string, ((ms?: number) => unknown) | undefined>>;
  const find = (name: string) => (typeof methods?.[name] === "function" ? methods[name].bind(timers) : undefined);
  const [advance, toNext] = [
    find("advanceTimersByTimeAsync") ?? find("tickAsync"),
    find("advanceTimersToNextTimerAsync") ?? find("nextAsync"),
  ];
  const count = (find("getTimerCount") ?? find("countTimers")) as (() => number) | undefined;
  if (advance !== undefined)
    return {
      advance: async (ms) => void (await advance(ms)),
      toNext: toNext && (async () => void (await toNext())),
      count,
      stepMs: TIMER_MAX_MS,
    };
  const tick = find("tick") ?? find("advanceTimersByTime");
  // It fires all that is due without giving way, so that what one timer leads to would come after the last.
  if (tick !== undefined) return { advance: async (ms) => void tick(ms), stepMs: SYNCHRONOUS_STEP_MS };
  throw invalidArgument(
    "fakeTimers",
    timers,
    "pass `vi`, `jest`, the clock of sinon's useFakeTimers(), or `mock.timers` of node:test, which have a method that moves them",
  );
}

/** Longer ones fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const SYNCHRONOUS_STEP_MS = 100;
