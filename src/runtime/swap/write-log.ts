import {
  answered,
  begun,
  found,
  hasUnresolved,
  isOwn,
  mayShow,
  NOTHING_SENT,
  readingOf,
  seen,
} from "../../core/client/write-log.js";
import type { Holder } from "../../core/record.js";
import type { ClockReading } from "../../core/store-time.js";
import type { WriteCondition } from "../../store/object-store.js";

/** What a compare-and-swap reports about the writes that it sends. */
export interface WriteRecorder {
  /** Notes that a write is about to be sent: until it is answered, it may land at any time. */
  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void;
  /** Says whether this process has sent the write, as far as it can be in the record still. */
  isOwn(writeId: string): boolean;
  /** Notes that the write was answered: it has landed, or it never will. */
  answered(writeId: string): void;
  /** Notes that another client's write came first. */
  lostRace(): void;
  /** Whether that has happened: others are about. */
  readonly hasLostRaces: boolean;
  /** Notes that the object was seen with this ETag (undefined: there was none) by a request that left at this monotonic time. */
  seen(etag: string | undefined, askedAtMs: number): void;
}

/** What one acquisition has sent: `core/client/write-log.ts` as of now, and whether others are about. */
export class WriteLog implements WriteRecorder {
  #log = NOTHING_SENT;
  #hasLostRaces = false;

  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void {
    const etag = condition.kind === "if-match" ? condition.etag : undefined;
    this.#log = begun(this.#log, { writeId, etag, sentAtMs: reading.monotonicMs, reading });
  }

  answered(writeId: string): void {
    this.#log = answered(this.#log, writeId);
  }

  lostRace(): void {
    this.#hasLostRaces = true;
  }

  get hasLostRaces(): boolean {
    return this.#hasLostRaces;
  }

  seen(etag: string | undefined, askedAtMs: number): void {
    this.#log = seen(this.#log, etag, askedAtMs);
  }

  /** Gives the clocks as they were when this write's transition was computed. */
  readingOf(writeId: string): ClockReading | undefined {
    return readingOf(this.#log, writeId);
  }

  /** Whether any write was sent. */
  get hasBegun(): boolean {
    return this.#log.sent.length > 0;
  }

  /** Says whether it has sent the write, and notes that it has landed: what is asked about is in the record. */
  isOwn(writeId: string): boolean {
    if (!isOwn(this.#log, writeId)) return false;
    this.#log = found(this.#log, writeId);
    return true;
  }

  /** Lists its writes by which this hold may have been granted or renewed last, by now. */
  mayShow({ leaseWriteId }: Pick<Holder, "leaseWriteId">): readonly string[] {
    return mayShow(this.#log, leaseWriteId);
  }

  get hasUnresolved(): boolean {
    return hasUnresolved(this.#log);
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
