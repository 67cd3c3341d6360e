import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { attemptAt, commandOf, ENTRY, recordOf, T0, TOLERANCE_MS } from "../../../test/protocol/samples.js";
import { problemsOfBody, problemsOfRecord } from "../../../testkit/invariants.js";
import { serializeRecord } from "../codec.js";
import type { Attempt } from "../expiry.js";
import type { Holder, LockRecord, Mode } from "../record.js";
import { type AcquireCommand, acquire } from "./acquire.js";
import type { Decision } from "./decision.js";
import { cancel, forceRelease, release } from "./release.js";
import { cleanup, deleteLock } from "./remove.js";
import { renew } from "./renew.js";

/** Any commands in any order by any number of acquisitions, each with bounds of store time of its own; some writes are lost. */

const which = fc.nat({ max: 5 });
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("begin" as const),
      mode: fc.constantFrom<Mode>("exclusive", "exclusive", "shared"),
      priority: fc.integer({ min: -1, max: 1 }),
      queues: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("ask" as const, "renew" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which, mustChange: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("force" as const, "delete" as const, "cleanup" as const) }),
  },
);
const step = fc.record({
  action,
  lands: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
  passesMs: fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 3000 }) },
    { weight: 1, arbitrary: fc.nat({ max: 2_000_000 }) },
  ),
  behindMs: fc.nat({ max: 700 }),
  aheadMs: fc.nat({ max: 700 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Reply = { readonly kind: string };
type Apply = (record: LockRecord | undefined, attempt: Attempt) => Decision<Reply>;

class Machine {
  record: LockRecord | undefined;
  nowMs = T0;
  #highestToken = 0;
  readonly #begun: AcquireCommand[] = [];
  #writes = 0;

  constructor(limit: number) {
    this.record = limit === 1 ? undefined : recordOf({ limit, token: 0 });
  }

  take({ action: { kind, ...details }, lands, passesMs, behindMs, aheadMs }: Step): void {
    this.nowMs += passesMs;
    const attempt = this.#attempt(behindMs, aheadMs);
    const { apply, mayDrop } = this.#applyOf(kind, details as { which: number; mustChange: boolean }, details);
    const before = this.record;
    const decision = apply(before, attempt);
    if (decision.change === undefined) return;
    const after = decision.change.kind === "write" ? decision.change.record : undefined;
    const highestToken = this.#check(before, after, mayDrop);
    if (!lands) return;
    this.record = after;
    this.#highestToken = highestToken;
    this.#checkRepetition(kind, apply, decision, attempt);
  }

  #attempt(behindMs: number, aheadMs: number): Attempt {
    this.#writes += 1;
    const now = { earliestMs: this.nowMs - behindMs, latestMs: this.nowMs + aheadMs };
    return attemptAt(this.nowMs, { now, writeId: `write ${this.#writes}` });
  }

  #applyOf(
    kind: Step["action"]["kind"],
    { which: index, mustChange }: { which: number; mustChange: boolean },
    begun: object,
  ) {
    if (kind === "begin") this.#begin(begun as { mode: Mode; priority: number; queues: boolean });
    const command = this.#begun.at(-1 - (kind === "begin" ? 0 : index)) ?? commandOf({ id: "unused" });
    const { id, leaseMs } = command;
    const own = (holder: Holder) => holder.id === id;
    const sweep = { olderThanMs: undefined, includeReleased: true, restMs: 1_200_000 };
    const anyLock = { owner: undefined, restMs: 1_200_000 };
    const table: Record<Step["action"]["kind"], { apply: Apply; mayDrop: (holder: Holder) => boolean }> = {
      begin: { apply: (record, at) => acquire(record, command, at), mayDrop: this.#endedBy(TOLERANCE_MS) },
      ask: { apply: (record, at) => acquire(record, command, at), mayDrop: this.#endedBy(TOLERANCE_MS) },
      renew: {
        apply: (record, at) => renew(record, { id, leaseMs, token: 0, onlyUnexpired: false }, at),
        mayDrop: () => false,
      },
      release: { apply: (record, at) => release(record, { id }, at), mayDrop: own },
      cancel: { apply: (record, at) => cancel(record, { id, mustChange }, at), mayDrop: own },
      force: { apply: (record, at) => forceRelease(record, { ids: undefined }, at), mayDrop: () => true },
      delete: { apply: (record, at) => deleteLock(record, anyLock, at), mayDrop: () => true },
      cleanup: { apply: (record, at) => cleanup(record, sweep, at), mayDrop: this.#endedBy(0) },
    };
    return table[kind];
  }

  #begin({ mode, priority, queues }: { mode: Mode; priority: number; queues: boolean }): void {
    const id = `acquisition ${this.#begun.length}`;
    this.#begun.push(
      commandOf({ id, mode, priority, sinceMs: this.nowMs, leaseMs: 5000, entry: queues ? ENTRY : undefined }),
    );
  }

  #endedBy(toleranceMs: number): (holder: Holder) => boolean {
    return ({ expiresAtMs }) => expiresAtMs + toleranceMs < this.nowMs;
  }

  /** An acquisition that has left the record may be gone; one that is new has a token above all before; the record is a sound one. */
  #check(before: LockRecord | undefined, after: LockRecord | undefined, mayDrop: (holder: Holder) => boolean) {
    const known = new Set(before?.holders.map(({ id }) => id));
    const left = new Set(after?.holders.map(({ id }) => id));
    const dropped = (before?.holders ?? []).filter(({ id }) => !left.has(id));
    expect(dropped.filter((holder) => !mayDrop(holder))).toEqual([]);
    for (const { id, token } of after?.holders ?? []) {
      if (known.has(id)) continue;
      expect(token).toBeGreaterThan(this.#highestToken);
    }
    if (after === undefined) return this.#highestToken;
    expect(problemsOfRecord(after)).toEqual([]);
    expect(problemsOfBody(serializeRecord(after))).toEqual([]);
    return Math.max(this.#highestToken, ...after.holders.map(({ token }) => token));
  }

  /** The answer was lost, so the command is applied once more, as another write and a little later. */
  #checkRepetition(kind: string, apply: Apply, first: Decision<Reply>, attempt: Attempt): void {
    const later = { earliestMs: this.nowMs + 50, latestMs: this.nowMs + 800 };
    // A waiter may be granted the lock a little later, so it asks again at the same moment.
    const now = first.reply.kind === "waiting" ? attempt.now : later;
    const again = apply(this.record, { ...attempt, now, writeId: `${attempt.writeId} again` });
    const expected = first.reply.kind;
    // Whether it was given back after the end of its lease or taken over: the record remembers that it expired.
    const released = "holders" in first.reply && Array.isArray(first.reply.holders) ? first.reply.holders : [];
    const turns = this.record?.recent.filter(({ id }) => released.some((holder) => holder.id === id)) ?? [];
    const hadExpired =
      expected === "released" && kind === "release" && turns.every(({ ended }) => ended !== "released");
    if (ALWAYS_THE_SAME.has(kind)) expect(again.reply.kind).toBe(hadExpired ? "not-held" : expected);
    if (first.reply.kind === "granted") expect(again.reply).toEqual(first.reply);
    if (!MAY_WRITE_AGAIN.has(kind)) expect(again.change).toBeUndefined();
  }
}

const ALWAYS_THE_SAME = new Set(["begin", "ask", "renew", "release", "cancel", "delete"]);
/** A renewal counts from its own write; a lease may have ended meanwhile; a cancel may be told to write whatever it finds. */
const MAY_WRITE_AGAIN = new Set(["renew", "cleanup", "cancel"]);

it("keeps every invariant whatever commands arrive in whatever order, and repeats none of them", () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 1, 2, 3), fc.array(step, { minLength: 5, maxLength: 40 }), (limit, steps) => {
      const machine = new Machine(limit);
      for (const one of steps) machine.take(one);
    }),
    { numRuns: 1500 },
  );
});
