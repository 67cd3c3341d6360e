import { parseRecord } from "../src/core/codec.js";
import { headOf, isOpen } from "../src/core/queue.js";
import { areCompatible, type LockRecord, mirrorOf, RECENT_TURNS } from "../src/core/record.js";
import type { SimBucket } from "../src/testing/virtual/store.js";
import { isRecordKey } from "./record-key.js";

/** Checks what has to be true of every record that a write of ours leaves behind; each sentence says what is not. */
export function problemsOfRecord(record: LockRecord): string[] {
  const { holders, queue, recent, limit, token } = record;
  const isFree = isOpen(record, headOf(queue));
  const ids = [...holders, ...queue].map(({ id }) => id);
  // Holders of 1.x have no token.
  const tokens = holders.map((holder) => holder.token).filter((granted) => granted > 0);
  return [
    ...(areCompatible(holders, limit) ? [] : [`holders ${holders.map(({ mode }) => mode)} with limit ${limit}`]),
    ...repeated(ids).map((id) => `two entries of ${id}`),
    ...repeated(tokens).map((granted) => `token ${granted} twice`),
    ...tokens.filter((granted) => granted > token).map((granted) => `token ${granted} above the counter ${token}`),
    ...(recent.length > RECENT_TURNS ? [`${recent.length} recent turns`] : []),
    ...(holders.length > 0 && record.deleted ? ["deleted, yet held"] : []),
    ...(!isFree && record.freeSinceMs !== undefined ? ["free since, yet the first in the queue does not fit"] : []),
    ...(isFree && record.freeSinceMs === undefined && record.writeId !== undefined
      ? ["a free place, yet not free since"]
      : []),
  ];
}

/** Checks the same of a body, with what 1.x reads of it. */
export function problemsOfBody(body: string): string[] {
  const parsed = parseRecord(body);
  if (parsed.kind !== "record") return [`${parsed.kind}: ${body}`];
  const { record } = parsed;
  const json = JSON.parse(body);
  const mirror = mirrorOf(record.holders);
  const unlike = Object.entries(mirror).filter(([field, value]) => json[field] !== value);
  return [
    ...problemsOfRecord(record),
    ...unlike.map(([field, value]) => `1.x reads ${field} as ${json[field]}, not ${value}`),
    ...(json.locked === false && json.owner !== undefined ? ["an owner of a lock that is free"] : []),
  ];
}

/** Checks every version that lands in a bucket, and what must be true from one version to the next. */
export class RecordWatch {
  readonly problems: string[] = [];
  /** The highest token granted so far, by key: across deletions and late creates as well. */
  readonly #granted = new Map<string, number>();
  readonly #known = new Map<string, Set<string>>();
  readonly #writes = new Set<string>();
  readonly #bucket: SimBucket;

  constructor(bucket: SimBucket) {
    this.#bucket = bucket;
  }

  /** Checks what an object has become; to be called from `SimBucket.onChange`. */
  note(key: string, body: string | undefined): void {
    if (body === undefined || !isRecordKey(key)) return;
    const found = problemsOfBody(body);
    const parsed = parseRecord(body);
    if (parsed.kind === "record") found.push(...this.#problemsOfStep(key, parsed.record));
    const at = this.#bucket.world.nowMs;
    this.problems.push(...found.map((problem) => `${key} at ${at}: ${problem}`));
  }

  #problemsOfStep(key: string, { holders, writeId }: LockRecord): string[] {
    const found: string[] = [];
    if (writeId !== undefined && this.#writes.has(writeId)) found.push(`a second body of the write ${writeId}`);
    if (writeId !== undefined) this.#writes.add(writeId);
    const known = this.#known.get(key) ?? new Set();
    for (const { id, token } of holders) {
      if (token === 0 || known.has(id)) continue;
      known.add(id);
      const before = this.#granted.get(key) ?? 0;
      if (token <= before) found.push(`token ${token} granted after ${before}`);
      this.#granted.set(key, Math.max(before, token));
    }
    this.#known.set(key, known);
    return found;
  }
}

function repeated<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
