import { serializeRecord } from "../../src/core/codec.js";
import { keyOfName } from "../../src/core/names.js";
import { type Holder, type LockRecord, mirrorOf, type Turn, type Waiter } from "../../src/core/record.js";
import type { S3Server } from "../../src/testing/index.js";

export const BUCKET = "my-bucket";

let writes = 0;

/** What a lock's record says, with what a test does not care about filled in. */
export interface RecordParts {
  readonly limit?: number;
  readonly holders?: readonly Partial<Holder>[];
  readonly queue?: readonly Partial<Waiter>[];
  readonly recent?: readonly Partial<Turn>[];
}

/** Puts a lock into the store as if its holders and waiters were elsewhere. */
export function putLock(server: S3Server, name: string, parts: RecordParts = {}): void {
  server.putObject(BUCKET, keyOf(name), bodyOf(parts));
}

export function keyOf(name: string): string {
  const result = keyOfName("locks/", name);
  if (!result.ok) throw new Error(`${name} has no key`);
  return result.key;
}

function bodyOf({ limit = 1, holders = [], queue = [], recent = [] }: RecordParts): string {
  const nowMs = Date.now();
  const filled = holders.map((holder, index) => holderOf(holder, index, nowMs));
  const record: LockRecord = {
    schema: 3,
    writeId: `write-${++writes}`,
    createdAtMs: nowMs - 60_000,
    touchedAtMs: nowMs,
    token: Math.max(nowMs - 60_000, ...filled.map((holder) => holder.token)),
    limit,
    holders: filled,
    queue: queue.map((waiter, index) => waiterOf(waiter, index, nowMs)),
    recent: recent.map((turn, index) => turnOf(turn, index, nowMs)),
    ...mirrorOf(filled),
  };
  return serializeRecord(record);
}

function holderOf(parts: Partial<Holder>, index: number, nowMs: number): Holder {
  const id = parts.id ?? `holder-${++writes}`;
  return {
    id,
    owner: id,
    via: "handle",
    mode: "exclusive",
    token: nowMs - 10_000 + index,
    priority: 0,
    leaseMs: 60_000,
    acquiredAtMs: nowMs - 10_000,
    renewedAtMs: nowMs - 5000,
    expiresAtMs: nowMs + 55_000,
    leaseWriteId: `renewal-${id}`,
    ...parts,
  };
}

function waiterOf(parts: Partial<Waiter>, index: number, nowMs: number): Waiter {
  const id = parts.id ?? `waiter-${++writes}`;
  return {
    id,
    owner: id,
    mode: "exclusive",
    priority: 0,
    sinceMs: nowMs - 5000 + index * 1000,
    expiresAtMs: nowMs + 600_000,
    roundTripMs: 20,
    holds: [],
    ...parts,
  };
}

function turnOf(parts: Partial<Turn>, index: number, nowMs: number): Turn {
  const id = parts.id ?? `turn-${++writes}`;
  const toMs = nowMs - 12_000 - index * 20_000;
  return { id, owner: id, token: toMs - 9000, fromMs: toMs - 9000, toMs, ended: "released", ...parts };
}
