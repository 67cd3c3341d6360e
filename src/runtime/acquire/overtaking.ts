import type { LockRecord } from "../../core/record.js";
import type { WriteLog } from "../swap/write-log.js";

/** A version of the record; without an id it is absent, or of 1.x. */
type Version = Pick<LockRecord, "writeId">;

/**
 * Whether another caller was faster with its write. A refusal alone says nothing: a store that refuses every write sends the same answer,
 * and so does a proxy that has sent the caller's own write twice. The next read that shows what another caller wrote since does.
 */
export class Overtaking {
  readonly #writeLog: WriteLog;
  /** What the last decision was about, where that was read for this call. */
  #base: Version | undefined;
  /** What a write was refused for that nothing has explained yet. */
  #refused: Version | undefined;

  constructor(writeLog: WriteLog) {
    this.#writeLog = writeLog;
  }

  /** A write over the version of the last decision was refused as one that came second. */
  noteRefusal(): void {
    this.#refused = this.#base;
  }

  /** The next decision is about this one. True where another caller has written it since that refusal. */
  isShownBy(record: LockRecord | undefined, isOfThisCall: boolean): boolean {
    const refused = this.#refused;
    const writeId = record?.writeId;
    this.#refused = undefined;
    this.#base = isOfThisCall ? { writeId } : undefined;
    if (refused === undefined || writeId === refused.writeId) return false;
    return writeId === undefined || !this.#writeLog.isOwn(writeId);
  }
}
