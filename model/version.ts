import type { LockRecord } from "../src/core/record.js";
import { numberOfAcquisition, numberOfWrite, type Operation, type Version } from "./state.js";

/** How a number of a version's code is to be read: as it is, relative to now, as a name of a write or of an acquisition. */
export const PLAIN = 0;
export const TIME = 1;
export const TOKEN = 2;
export const WRITE = 3;
export const ACQUISITION = 4;
/** Times that matter only where there is a queue, or removals. */
export const QUEUE_TIME = 5;
export const REST_TIME = 6;

const NOTHING = -1;
const ENDS = { released: 1, expired: 2, forced: 3, deleted: 4 } as const;

/** Makes what a write puts on its way. Bodies are unique, so the number of the write is as good an ETag as a hash. */
export function versionOf(record: LockRecord, write: number, sentTick: number, operation: Operation): Version {
  const entries = [...record.holders, ...record.queue].map((entry) => numberOfAcquisition(entry.id));
  return { etag: write, record, ...codeOf(record), entries, sentTick, operation };
}

/** Encodes whatever of a record a decision can depend on, as pairs of kind and value. */
function codeOf(record: LockRecord): Pick<Version, "code" | "turnsFrom"> {
  const code: number[] = [];
  const add = (kind: number, value: number) => code.push(kind, value);
  add(TOKEN, record.token);
  add(REST_TIME, record.touchedAtMs);
  addOptional(code, QUEUE_TIME, record.freeSinceMs);
  addOptional(code, TIME, record.notBeforeMs);
  add(PLAIN, (record.deleted ? 1 : 0) + 2 * record.holders.length + 16 * record.queue.length);
  for (const holder of record.holders) {
    add(ACQUISITION, numberOfAcquisition(holder.id));
    add(TIME, holder.expiresAtMs);
    add(QUEUE_TIME, holder.acquiredAtMs);
    add(WRITE, numberOfWrite(holder.leaseWriteId));
  }
  for (const waiter of record.queue) {
    add(ACQUISITION, numberOfAcquisition(waiter.id));
    add(PLAIN, waiter.priority);
    add(QUEUE_TIME, waiter.sinceMs);
    add(QUEUE_TIME, waiter.expiresAtMs);
  }
  const turnsFrom = code.length;
  for (const turn of record.recent) {
    add(ACQUISITION, numberOfAcquisition(turn.id));
    add(PLAIN, ENDS[turn.ended]);
    add(QUEUE_TIME, turn.fromMs);
    add(QUEUE_TIME, turn.toMs);
  }
  return { code: Int32Array.from(code), turnsFrom };
}

function addOptional(code: number[], kind: number, time: number | undefined): void {
  if (time === undefined) code.push(PLAIN, NOTHING);
  else code.push(kind, time);
}
