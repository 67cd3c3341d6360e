import type { ClockReading } from "../../core/store-time.js";
import type { WriteCondition } from "../../store/object-store.js";

/** What a compare-and-swap reports about the writes that it sends. */
export interface WriteRecorder {
  /** A write is about to be sent: until it is answered, it may land at any time. */
  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void;
  /** Whether this process has sent the write, as far as it can be in the record still. */
  isOwn(writeId: string): boolean;
  /** The write was answered: it has landed, or it never will. */
  answered(writeId: string): void;
  /** Another client's write came first. */
  lostRace(): void;
  /** Whether that has happened: others are about. */
  readonly hasLostRaces: boolean;
  /** The object was seen with this ETag (undefined: there was none) by a request that left at this monotonic time. */
  seen(etag: string | undefined, askedAtMs: number): void;
}

/**
 * What one acquisition has sent: the clock reading of each write, from which a lease counts, and which writes may still
 * land although no caller waits for them any more.
 */
export class WriteLog implements WriteRecorder {
  readonly #readings = new Map<string, ClockReading>();
  readonly #unresolved = new Map<string, { readonly condition: WriteCondition; readonly sentAtMs: number }>();

  #hasLostRaces = false;
  /** The one that was seen in the record last, and those that the last read settled: it may be one of them. */
  #landed: string | undefined;
  #settled: ReadonlySet<string> = new Set();

  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void {
    this.#readings.set(writeId, reading);
    this.#unresolved.set(writeId, { condition, sentAtMs: reading.monotonicMs });
    if (this.#readings.size > MAX_READINGS) this.#readings.delete(this.#readings.keys().next().value as string);
  }

  answered(writeId: string): void {
    this.#unresolved.delete(writeId);
  }

  lostRace(): void {
    this.#hasLostRaces = true;
  }

  get hasLostRaces(): boolean {
    return this.#hasLostRaces;
  }

  /**
   * A write that was sent before is dead if it was conditioned on any other version of a present object; where there is no
   * object nothing is. One that was sent later may be conditioned on a version that this read was too early for.
   */
  seen(etag: string | undefined, askedAtMs: number): void {
    if (etag === undefined) return;
    const settled = [...this.#unresolved].filter(([, { condition, sentAtMs }]) => {
      const isOther = condition.kind === "if-absent" || condition.etag !== etag;
      return isOther && sentAtMs < askedAtMs;
    });
    if (settled.length === 0) return;
    this.#settled = new Set(settled.map(([writeId]) => writeId));
    for (const writeId of this.#settled) this.#unresolved.delete(writeId);
  }

  /** The clocks as they were when this write's transition was computed. */
  readingOf(writeId: string): ClockReading | undefined {
    return this.#readings.get(writeId);
  }

  /** Whether any write was sent. */
  get hasBegun(): boolean {
    return this.#readings.size > 0;
  }

  /** Whether this process has sent the write, as far as it can be in the record still. */
  isOwn(writeId: string): boolean {
    const isKnown = writeId === this.#landed || this.#readings.has(writeId);
    const isOwn = isKnown || this.#unresolved.has(writeId) || this.#settled.has(writeId);
    if (isOwn) this.#landed = writeId;
    return isOwn;
  }

  get hasUnresolved(): boolean {
    return this.#unresolved.size > 0;
  }
}

/** One write of several acquisitions: whichever of them gives up has to see to it that it does not land any more. */
export class SharedLog implements WriteRecorder {
  readonly #sharers: () => readonly WriteRecorder[];
  readonly #deciders: () => readonly WriteRecorder[];
  readonly #involved = new Set<WriteRecorder>();

  /**
   * Both are asked anew each time: whose write the next one is may change. `deciders` decide by what is seen; to all others it
   * says nothing, since a write of theirs that it settles may have landed.
   */
  constructor(sharers: () => readonly WriteRecorder[], deciders = sharers) {
    this.#sharers = sharers;
    this.#deciders = deciders;
  }

  begin(...attempt: Parameters<WriteRecorder["begin"]>): void {
    for (const log of this.#sharers()) {
      this.#involved.add(log);
      log.begin(...attempt);
    }
  }

  isOwn(writeId: string): boolean {
    return this.#sharers().some((log) => log.isOwn(writeId));
  }

  answered(writeId: string): void {
    for (const log of this.#involved) log.answered(writeId);
  }

  lostRace(): void {
    for (const log of this.#involved) log.lostRace();
  }

  get hasLostRaces(): boolean {
    return this.#sharers().some((log) => log.hasLostRaces);
  }

  seen(etag: string | undefined, askedAtMs: number): void {
    for (const log of this.#deciders()) log.seen(etag, askedAtMs);
  }
}

/** Whether this answer to a write proves that it has landed, or never will. A conflict does not: a proxy may have repeated it. */
export function settles(outcome: { readonly kind: string; readonly sent?: boolean }): boolean {
  return outcome.kind === "unknown" ? outcome.sent === false : outcome.kind !== "conflict";
}

/** Far more writes than one lease has time for; readings older than that cannot matter. */
const MAX_READINGS = 64;
