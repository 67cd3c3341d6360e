import type { Findings } from "./findings.js";

interface RecordShape {
  readonly schema?: number;
  readonly writeId?: string;
  readonly token?: number;
  readonly deleted?: boolean;
  readonly holders?: readonly {
    readonly id: string;
    readonly token: number;
    readonly acquiredAtMs: number;
    readonly expiresAtMs: number;
    readonly via: string;
  }[];
  readonly queue?: readonly Waiter[];
  readonly locked?: boolean;
}

interface Waiter {
  readonly id: string;
  readonly priority: number;
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly roundTripMs: number;
}

/** A waiter that lives is overtaken only after the lock lay free for at least this long: the shortest grace there is. */
const SHORTEST_GRACE_MS = 100;

/**
 * Watches every version of every record as it lands, with a reading of the JSON of its own: tokens rise in landing order, one
 * holder at a time, write ids are unique, and nobody overtakes a live waiter that comes first.
 */
export class RecordChecker {
  readonly #findings: Findings;
  readonly #now: () => number;
  readonly #checksOrder: boolean;
  readonly #last = new Map<string, RecordShape>();
  readonly #freeSince = new Map<string, number>();
  readonly #highest = new Map<string, number>();
  readonly #writeIds = new Set<string>();
  grants = 0;

  constructor(findings: Findings, now: () => number, checksOrder: boolean) {
    this.#findings = findings;
    this.#now = now;
    this.#checksOrder = checksOrder;
  }

  landed(key: string, body: string | undefined): void {
    const record: RecordShape = body === undefined ? {} : (JSON.parse(body) as RecordShape);
    const before = this.#last.get(key) ?? {};
    if (body !== undefined && record.schema !== undefined) this.#checkRecord(key, before, record);
    if (body === undefined && (before.holders?.length ?? 0) > 0) this.#findings.report("removal", `${key} while held`);
    this.#noteFree(key, record);
    this.#last.set(key, record);
  }

  #checkRecord(key: string, before: RecordShape, record: RecordShape): void {
    const holders = record.holders ?? [];
    if (holders.length > 1) this.#findings.report("holders", `${key} has ${holders.length}`);
    if (record.writeId === undefined || this.#writeIds.has(record.writeId)) {
      this.#findings.report("write-id", `${key}: ${record.writeId} is not new`);
    }
    this.#writeIds.add(record.writeId ?? "");
    for (const holder of holders) {
      const isNew = !(before.holders ?? []).some(({ id }) => id === holder.id) && !holder.id.startsWith("1.x/");
      if (isNew) this.#checkGrant(key, before, holder);
    }
  }

  #checkGrant(key: string, before: RecordShape, holder: { readonly id: string; readonly token: number }): void {
    this.grants += 1;
    const highest = this.#highest.get(key) ?? 0;
    if (holder.token <= highest) this.#findings.report("tokens", `${key}: ${holder.token} after ${highest}`);
    this.#highest.set(key, Math.max(highest, holder.token));
    if (this.#checksOrder) this.#checkOrder(key, before, holder.id);
  }

  #checkOrder(key: string, before: RecordShape, id: string): void {
    const me = before.queue?.find((waiter) => waiter.id === id);
    const nowMs = this.#now();
    const freeForMs = nowMs - (this.#freeSince.get(key) ?? nowMs);
    if (me === undefined || freeForMs > SHORTEST_GRACE_MS) return;
    const overtaken = before.queue?.find(
      (other) => other.id !== id && isBefore(other, me) && other.expiresAtMs > nowMs,
    );
    if (overtaken !== undefined) this.#findings.report("order", `${key}: ${id} overtook ${overtaken.id}`);
  }

  #noteFree(key: string, record: RecordShape): void {
    const isFree = (record.holders ?? []).length === 0;
    if (!isFree) this.#freeSince.delete(key);
    else if (!this.#freeSince.has(key)) this.#freeSince.set(key, this.#now());
  }
}

function isBefore(one: Waiter, other: Waiter): boolean {
  return one.priority > other.priority || (one.priority === other.priority && one.sinceMs < other.sinceMs);
}
