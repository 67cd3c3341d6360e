import { Random } from "./random.js";
import type { Timeline } from "./timeline.js";

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: () => void;
  /** Nothing that awaits something is told by it: only the network moves. */
  readonly isSilent: boolean;
  cancelled: boolean;
}

/** What a caller lets time pass for, and how far. */
interface Wish {
  readonly endMs: number;
  readonly isOver: () => boolean;
  readonly finish: (how: RunEnding) => void;
  readonly fail: (error: unknown) => void;
}

/** How a wait ended: it came, nothing was left that could bring it about, or its time was up. */
export type RunEnding = "over" | "quiet" | "limit";

/** True time, which only moves from event to event, and the events to come. Nothing in a run waits for a real clock. */
export class World implements Timeline {
  readonly random: Random;
  readonly #heap: Event[] = [];
  /** Of all who let time pass at the moment. */
  readonly #wishes = new Set<Wish>();
  #nowMs: number;
  #order = 0;
  /** Called after every event, when all that could go on has gone on. */
  onStep: () => void = () => {};
  /** Called where something is to happen at once: no caller may be about to let anything happen. */
  onDue: () => void = () => {};
  /** Where a trace is wanted, it goes here. */
  onTrace: ((line: string) => void) | undefined;
  /** How many events there have been. */
  events = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    // Some time within a second, so that `Date` headers fall anywhere in relation to it.
    this.#nowMs = EPOCH_MS + this.random.number() * 1000;
  }

  /** True time in epoch milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs the callback at a true time; the function returned prevents that. */
  at(atMs: number, run: () => void): () => void {
    const event = this.#push(atMs, run, false);
    return () => {
      event.cancelled = true;
      // Until its time comes it stays in the heap; all that it would have reached need not.
      event.run = nothing;
    };
  }

  /** Does the same after a delay, for a callback that settles no promise, which saves a turn of the event loop. */
  silentlyAfter(delayMs: number, run: () => void): void {
    this.#push(this.#nowMs + delayMs, run, true);
  }

  /** Tells something that a reader of a trace wants to know. */
  trace(line: () => string): void {
    if (this.onTrace === undefined) return;
    this.onTrace(`${((this.#nowMs - EPOCH_MS) / 1000).toFixed(3).padStart(9)}  ${line()}`);
  }

  after(delayMs: number, run: () => void): () => void {
    return this.at(this.#nowMs + delayMs, run);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** When the next thing happens; undefined where nothing is left to happen. */
  get nextAtMs(): number | undefined {
    while (this.#heap[0]?.cancelled) pop(this.#heap);
    return this.#heap[0]?.atMs;
  }

  /** Moves time to the next thing, and lets it happen. What follows from it goes on when the caller gives way. */
  step(): void {
    const event = this.#next();
    if (event === undefined) return;
    this.#nowMs = event.atMs;
    this.events += 1;
    event.run();
  }

  /** Moves time on, up to the next thing at most; never back. */
  moveTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, Math.min(atMs, this.nextAtMs ?? atMs));
  }

  /**
   * Lets things happen until `isOver` says so, until nothing is left to happen, or until that much time has passed. There is one loop,
   * however many want time to pass, and it stops at the end of each: a caller that lets 300 ms pass finds itself 300 ms later, whatever others wait for
   * meanwhile.
   */
  run(limitMs: number, isOver: () => boolean = () => false): Promise<RunEnding> {
    return new Promise((finish, fail) => {
      this.#wishes.add({ endMs: this.#nowMs + limitMs, isOver, finish, fail });
      if (this.#wishes.size > 1) return;
      inTurns(() => this.#goOn()).catch((error) => {
        const wishes = [...this.#wishes];
        this.#wishes.clear();
        for (const wish of wishes) wish.fail(error);
      });
    });
  }

  /** Does what happens in one turn of the event loop; true when no caller lets time pass any more. */
  #goOn(): true | undefined {
    for (;;) {
      this.onStep();
      if (this.#end(isOver, "over")) return this.#isAtRest();
      const event = this.#next();
      if (event === undefined) {
        this.#end(() => true, "quiet");
        return true;
      }
      const endMs = this.#nearestEndMs();
      if (event.atMs > endMs) {
        push(this.#heap, event);
        this.#nowMs = Math.max(this.#nowMs, endMs);
        this.#end((wish) => wish.endMs <= endMs, "limit");
        return this.#isAtRest();
      }
      this.#nowMs = event.atMs;
      this.events += 1;
      event.run();
      if (!event.isSilent) return undefined;
    }
  }

  /** Tells those whose wait has ended, who go on before anything else happens; false where there are none. */
  #end(hasEnded: (wish: Wish) => boolean, how: RunEnding): boolean {
    let isAny = false;
    for (const wish of this.#wishes) {
      if (!hasEnded(wish)) continue;
      this.#wishes.delete(wish);
      wish.finish(how);
      isAny = true;
    }
    return isAny;
  }

  #nearestEndMs(): number {
    let endMs = Number.POSITIVE_INFINITY;
    for (const wish of this.#wishes) endMs = Math.min(endMs, wish.endMs);
    return endMs;
  }

  #isAtRest(): true | undefined {
    return this.#wishes.size === 0 ? true : undefined;
  }

  /** Runs until the promise is settled, and gives its outcome. */
  async until<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    const how = await this.run(limitMs, () => isSettled);
    if (!isSettled) throw new Error(`not settled: ${how} after ${limitMs} ms of virtual time`);
    return promise;
  }

  #push(atMs: number, run: () => void, isSilent: boolean): Event {
    const event: Event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order, run, isSilent, cancelled: false };
    this.#order += 1;
    push(this.#heap, event);
    if (event.atMs === this.#nowMs) this.onDue();
    return event;
  }

  #next(): Event | undefined {
    for (;;) {
      const event = pop(this.#heap);
      if (event === undefined || !event.cancelled) return event;
    }
  }
}

const nothing = () => {};
const isOver = (wish: Wish) => wish.isOver();

const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Calls the function until it returns something. Before each call, all that can go on without time passing goes on: every
 * microtask runs before the next immediate does. Immediates are asked for in advance, since those of one turn of the event
 * loop cost a fraction of as many turns.
 */
function inTurns<Result>(call: () => Result | undefined): Promise<Result> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const turn = () => {
      if (isOver) return;
      try {
        const result = call();
        if (result === undefined) return;
        isOver = true;
        resolve(result);
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    const ask = () => {
      if (isOver) return;
      for (let count = 0; count < TURNS_AT_ONCE; count += 1) setImmediate(turn);
      setImmediate(ask);
    };
    ask();
  });
}

const TURNS_AT_ONCE = 32;

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt] as Event;
    if (!isBefore(event, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    if (childAt >= heap.length) break;
    if (childAt + 1 < heap.length && isBefore(heap[childAt + 1] as Event, heap[childAt] as Event)) childAt += 1;
    const child = heap[childAt] as Event;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
  return first;
}
