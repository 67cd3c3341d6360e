import type { LockRecord } from "../src/core/record.js";
import type { Decision } from "../src/core/transition/decision.js";
import type { RenewReply } from "../src/core/transition/renew.js";
import type { Configuration } from "./configuration.js";
import { CONFIGURATIONS, SMALL } from "./configurations.js";
import { REAL, type Subject } from "./subject.js";

/** A deliberately broken variant of the subject; checkers stay as they are. */
export interface Mutant {
  readonly name: string;
  readonly says: string;
  /** The configuration in which it has to be caught. */
  readonly configuration: Configuration;
  readonly subject: Subject;
}

export const MUTANTS: readonly Mutant[] = [
  // What is written
  mutant("no-write-id", SMALL.queue, "equal bodies, so equal ETags", {
    bodyOf: (record) => ({ ...record, writeId: "w0" }),
    rules: { ...REAL.rules, etagsRepeat: true },
  }),
  mutant("release-deletes", "two", "a release removes the object", {
    release: (record, command, attempt) => {
      const decision = REAL.release(record, command, attempt);
      return decision.change === undefined ? decision : { ...decision, change: { kind: "remove" } };
    },
  }),
  mutant("release-unconditional", "two", "a release overwrites whatever is there", {
    rules: { ...REAL.rules, unconditional: ["release"] },
  }),
  mutant("renewal-unconditional", "two", "a renewal overwrites whatever is there", {
    rules: { ...REAL.rules, unconditional: ["renew"] },
  }),
  mutant("cleanup-unconditional", SMALL.operator, "a cleanup overwrites whatever is there", {
    rules: { ...REAL.rules, unconditional: ["cleanup"] },
  }),
  // Grants
  mutant("tolerance-ignored", "two", "a lease is taken over as soon as one's own clock says so", {
    acquire: (record, command, attempt) => REAL.acquire(record, command, { ...attempt, toleranceMs: 0 }),
  }),
  mutant("expiry-from-earliest", "two, bounds", "the expiry is published from the lower bound of store time", {
    acquire: (record, command, attempt) =>
      REAL.acquire(record, command, { ...attempt, now: both(attempt.now.earliestMs) }),
  }),
  mutant("takeover-by-latest", "two, bounds", "leases of others are judged by the upper bound of store time", {
    acquire: (record, command, attempt) =>
      REAL.acquire(record, command, { ...attempt, now: both(attempt.now.latestMs) }),
  }),
  mutant("token-by-counter", SMALL.deleting, "tokens only count, and begin anew with the object", {
    acquire: (record, command, attempt) =>
      mapped(REAL.acquire(record, command, attempt), (next) => {
        const token = next.holders.length > (record?.holders.length ?? 0) ? (record?.token ?? 0) + 1 : next.token;
        return withToken(next, command.id, token);
      }),
  }),
  mutant("token-by-clock", "two, broken clocks", "tokens are the time, whatever was granted before", {
    acquire: (record, command, attempt) =>
      mapped(REAL.acquire(record, command, attempt), (next) => {
        const token = attempt.now.latestMs;
        return withToken(next, command.id, token);
      }),
  }),
  mutant("expired-kept", "two", "a grant leaves the expired holder in the record", {
    acquire: (record, command, attempt) =>
      mapped(REAL.acquire(record, command, attempt), (next) => {
        const kept = record?.holders.filter((holder) => !next.holders.some(({ id }) => id === holder.id)) ?? [];
        return next.holders.some(({ id }) => id === command.id)
          ? { ...next, holders: [...kept, ...next.holders] }
          : next;
      }),
  }),
  mutant("queue-ignored", SMALL.overtaking, "whoever finds the lock free takes it", {
    acquire: (record, command, attempt) =>
      record === undefined || record.holders.length > 0
        ? REAL.acquire(record, command, attempt)
        : REAL.acquire({ ...record, queue: [] }, command, attempt),
  }),
  mutant("entry-kept", SMALL.queue, "a grant leaves the taker's entry in the queue", {
    acquire: (record, command, attempt) =>
      mapped(REAL.acquire(record, command, attempt), (next) => {
        const own = record?.queue.filter(({ id }) => id === command.id) ?? [];
        return next.queue.some(({ id }) => id === command.id) ? next : { ...next, queue: [...next.queue, ...own] };
      }),
  }),
  // Deadlines
  mutant("deadline-from-response", "two", "the lease is counted from the answer", {
    leaseReading: (_attempts, _write, now) => now,
  }),
  mutant("deadline-from-last-attempt", SMALL.late, "the lease is counted from the last write that was sent", {
    leaseReading: (attempts) => attempts.at(-1)?.reading,
    rules: { ...REAL.rules, countsFromLastAttempt: true },
  }),
  mutant("no-deadline", "two", "a holder believes until somebody tells it otherwise", {
    remainingMs: (leaseMs) => leaseMs,
  }),
  mutant("monotonic-only", "two, suspended", "a clock that stood still is believed", {
    remainingMs: (leaseMs, from, now) => REAL.remainingMs(leaseMs, { ...from, wallMs: 0 }, { ...now, wallMs: 0 }),
  }),
  mutant("late-renewal-heeded", "two", "the answer to a renewal revives a lease that was lost or given back", {
    rules: { ...REAL.rules, heedsLateRenewals: true },
  }),
  mutant("holder-recreates", SMALL.deletingTwice, "a renewal creates the object that is gone", {
    renew: (record, command, attempt) => {
      if (record !== undefined) return REAL.renew(record, command, attempt);
      const { id, leaseMs, token } = command;
      const created = REAL.acquire(undefined, { ...RECREATED, id, leaseMs, sinceMs: attempt.now.latestMs }, attempt);
      return mapped(created, (next) => withToken(next, id, token)) as unknown as Decision<RenewReply>;
    },
  }),
  // Unknown outcomes
  mutant("conflict-believed", "two, lied to", "a 412 means that somebody else has the lock", {
    rules: { ...REAL.rules, conflictMeans: "held-by-another" },
  }),
  mutant("conflict-settles", "one", "a 412 proves that the write did not land", {
    rules: { ...REAL.rules, conflictSettles: true },
  }),
  mutant("no-cancel-on-give-up", "two", "who gives up leaves what it sent", {
    rules: { ...REAL.rules, cancelsOnGiveUp: false },
  }),
  mutant("no-cancel-on-loss", "two", "who loses its lease leaves its entry and its renewal", {
    rules: { ...REAL.rules, cancelsOnLoss: false },
  }),
  mutant("grant-after-give-up-forgotten", "two", "a grant that comes after giving up is forgotten", {
    rules: { ...REAL.rules, presentFrom: "confirming" },
  }),
  mutant("cancel-without-write", "two", "a cancel that finds no entry writes nothing", {
    cancel: (record, command, attempt) => REAL.cancel(record, { ...command, mustChange: false }, attempt),
  }),
  mutant("cancel-skips-absent", "two", "a cancel leaves no tombstone where there is no object", {
    cancel: (record, command, attempt) =>
      record === undefined ? { reply: { kind: "cancelled" } } : REAL.cancel(record, command, attempt),
  }),
  mutant("seen-absent-resolves", SMALL.alone, "where there is no object, no write is under way", {
    isUnresolvedAfter: (sent, etag, asked) => etag !== 0 && REAL.isUnresolvedAfter(sent, etag, asked),
  }),
  mutant("seen-too-early", SMALL.slow, "a look resolves writes that were sent after it had left", {
    isUnresolvedAfter: (sent, etag, asked) => REAL.isUnresolvedAfter({ ...sent, sequence: -1 }, etag, asked),
  }),
  mutant("cancel-leaves-holder", "two", "a cancel takes out the waiter only", {
    cancel: (record, command, attempt) =>
      mapped(REAL.cancel(record, command, attempt), (next) => ({ ...next, holders: record?.holders ?? [] })),
  }),
  // Removal
  mutant("young-deleted", "two, deleting", "a free object is removed at once", {
    deleteLock: (record, command, attempt) => REAL.deleteLock(record, { ...command, restMs: -1 }, attempt),
  }),
  mutant("held-deleted", "two, deleting", "an object is removed whoever holds it", {
    deleteLock: (record) => ({
      reply: { kind: "deleted" },
      ...(record === undefined ? {} : { change: { kind: "remove" } }),
    }),
  }),
  mutant("cleanup-without-tolerance", SMALL.operator, "a cleanup does not say until when nobody may have the lock", {
    cleanup: (record, command, attempt) =>
      mapped(REAL.cleanup(record, command, attempt), ({ notBeforeMs: _, ...next }) => next),
  }),
];

const RECREATED = {
  owner: "",
  via: "handle",
  mode: "exclusive",
  priority: 0,
  identity: {},
  entry: undefined,
} as const;

function mutant(name: string, within: string | Configuration, says: string, changes: Partial<Subject>): Mutant {
  const configuration = typeof within === "string" ? CONFIGURATIONS.find((one) => one.name === within) : within;
  if (configuration === undefined) throw new Error(`There is no configuration ${JSON.stringify(within)}.`);
  return { name, configuration, says, subject: { ...REAL, ...changes } };
}

function withToken(record: LockRecord, id: string, token: number): LockRecord {
  return { ...record, token, holders: record.holders.map((one) => (one.id === id ? { ...one, token } : one)) };
}

function both(ms: number) {
  return { earliestMs: ms, latestMs: ms };
}

/** The decision with another body. */
function mapped<Reply>(decision: Decision<Reply>, change: (record: LockRecord) => LockRecord): Decision<Reply> {
  if (decision.change?.kind !== "write") return decision;
  return { ...decision, change: { kind: "write", record: change(decision.change.record) } };
}
