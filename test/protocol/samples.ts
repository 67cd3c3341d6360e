import type { Attempt } from "../../src/core/expiry.js";
import { type Holder, type LockRecord, SCHEMA, type Turn, type Waiter } from "../../src/core/record.js";
import type { AcquireCommand } from "../../src/core/transition/acquire.js";

/** Records and commands to start from: each test says only what it is about. */

/** Some moment, in epoch milliseconds. */
export const T0 = Date.UTC(2026, 0, 1);
export const TOLERANCE_MS = 1000;

export function attemptAt(nowMs: number, changes: Partial<Attempt> = {}): Attempt {
  const now = { earliestMs: nowMs, latestMs: nowMs };
  return { now, writeId: `write-${nowMs}`, toleranceMs: TOLERANCE_MS, ...changes };
}

export function holderOf(changes: Partial<Holder> = {}): Holder {
  const id = changes.id ?? "holder";
  return {
    id,
    owner: `owner of ${id}`,
    via: "handle",
    mode: "exclusive",
    token: T0,
    priority: 0,
    leaseMs: 10_000,
    acquiredAtMs: T0,
    renewedAtMs: T0,
    expiresAtMs: T0 + 10_000,
    leaseWriteId: `renewal of ${id}`,
    ...changes,
  };
}

export function waiterOf(changes: Partial<Waiter> = {}): Waiter {
  const id = changes.id ?? "waiter";
  return {
    id,
    owner: `owner of ${id}`,
    mode: "exclusive",
    priority: 0,
    sinceMs: T0,
    expiresAtMs: T0 + 15_000,
    roundTripMs: 20,
    holds: [],
    ...changes,
  };
}

export function turnOf(changes: Partial<Turn> = {}): Turn {
  const id = changes.id ?? "turn";
  return { id, owner: `owner of ${id}`, token: 1, fromMs: T0 - 2000, toMs: T0 - 1000, ended: "released", ...changes };
}

/** Makes a record as it stands in the bucket; free, unless holders are given. */
export function recordOf(changes: Partial<LockRecord> = {}): LockRecord {
  const holders = changes.holders ?? [];
  const limit = changes.limit ?? 1;
  return {
    schema: SCHEMA,
    writeId: "previous",
    createdAtMs: T0 - 100_000,
    touchedAtMs: T0,
    token: Math.max(T0 - 100_000, ...holders.map(({ token }) => token)),
    limit,
    holders,
    queue: [],
    recent: [],
    ...(holders.length < limit ? { freeSinceMs: T0 } : {}),
    ...changes,
  };
}

export function commandOf(changes: Partial<AcquireCommand> = {}): AcquireCommand {
  const id = changes.id ?? "newcomer";
  return {
    id,
    owner: `owner of ${id}`,
    via: "handle",
    mode: "exclusive",
    priority: 0,
    leaseMs: 10_000,
    identity: {},
    sinceMs: T0,
    entry: undefined,
    ...changes,
  };
}

export const ENTRY = { lifeMs: 15_000, roundTripMs: 20, holds: [] };

/** Gives the record that a decision wants written; fails where it wants none. */
export function written(decision: {
  readonly change?: { readonly kind: string; readonly record?: LockRecord } | undefined;
}): LockRecord {
  const { kind, record } = decision.change ?? {};
  if (kind !== "write" || record === undefined) throw new Error(`nothing to write: ${JSON.stringify(decision)}`);
  return record;
}
