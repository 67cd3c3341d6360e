import { compareRank, type Rank } from "../../core/queue.js";
import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";
import type { SemaphoreRecords } from "../shares/semaphore-records.js";

/** A waiter in the queue of one of a semaphore's records. */
export interface WaitingThere extends Rank {
  readonly part: number;
  readonly permits: number;
  /** Who may be granted permits at this moment is left where it is. */
  readonly isAsking: () => boolean;
  /** Leave that queue, and ask in another record, where there is room. */
  readonly move: (part: number) => void;
}

/**
 * Polls for the waiters of this process in the queue of one record: whether there is room in another one. The polls are shared,
 * one record after the other, and the first waiter is told first. No waiter is granted anything by it: a waiter that is told leaves its queue
 * before it asks elsewhere, so that it never has two grants.
 */
export class PollElsewhere {
  readonly #context: Context;
  readonly #records: SemaphoreRecords;
  readonly #waiting = new Set<WaitingThere>();
  #isPolling = false;
  #lastMoveAtMs = 0;

  constructor(context: Context, records: SemaphoreRecords) {
    this.#context = context;
    this.#records = records;
  }

  /** Polls for a waiter, until the function returned is called. */
  add(waiting: WaitingThere): () => void {
    this.#waiting.add(waiting);
    if (this.#waiting.size === 1) this.#lastMoveAtMs = this.#context.effects.monotonicMs();
    if (!this.#isPolling) this.#context.background.run(this.#pollAround());
    return () => this.#waiting.delete(waiting);
  }

  /** Moves waiters to this record where it has room: after a poll; without one where a holder here gave back, or the limit changed. */
  moveTo(part: number): void {
    let room = this.#records.roomIn(part) ?? 0;
    if (room <= 0) return;
    const { limit } = this.#records.shareOf(part);
    for (const waiting of [...this.#waiting].sort(compareRank)) {
      if (waiting.part === part || waiting.isAsking() || waiting.permits > Math.min(room, limit)) continue;
      room -= waiting.permits;
      this.#lastMoveAtMs = this.#context.effects.monotonicMs();
      this.#waiting.delete(waiting);
      waiting.move(part);
    }
  }

  async #pollAround(): Promise<void> {
    const { closing, effects } = this.#context;
    this.#isPolling = true;
    let round: readonly number[] = [];
    while (this.#waiting.size > 0 && !closing.aborted) {
      if (round.length === 0) round = this.#records.partsWith(1);
      const intervalMs = this.#roundMs / Math.max(round.length, this.#records.shares?.permits.length ?? 1);
      await sleep(effects, Math.min(intervalMs, LONGEST_MS), { keepAlive: false, signal: closing });
      const [part = 0, ...later] = round;
      round = later;
      if (this.#waiting.size === 0 || closing.aborted) break;
      if (!this.#records.wasSeenWithin(part, intervalMs)) await this.#records.poll(part);
      this.moveTo(part);
    }
    this.#isPolling = false;
  }

  /** How long it takes to poll all: the longer nothing was free, the longer. */
  get #roundMs(): number {
    const idleMs = this.#context.effects.monotonicMs() - this.#lastMoveAtMs;
    return Math.min(ROUND_MS + idleMs / 10, LONGEST_ROUND_MS);
  }
}

/** All records once in that time, by all waiters of this process together: about a request a second for some records. */
const ROUND_MS = 3000;
/** As long as an entry lives: where nothing has moved for minutes, no waiter is passed over for that. */
const LONGEST_ROUND_MS = 15_000;
/** Between two polls, however few records there are. */
const LONGEST_MS = 500;

const known = new WeakMap<SemaphoreRecords, PollElsewhere>();

/** Gives all who wait for permits of one semaphore the same one. */
export function pollElsewhereOf(context: Context, records: SemaphoreRecords): PollElsewhere {
  const elsewhere = known.get(records) ?? new PollElsewhere(context, records);
  known.set(records, elsewhere);
  return elsewhere;
}
