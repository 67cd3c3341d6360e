import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { attemptAt, holderOf, recordOf, T0, TOLERANCE_MS, turnOf, waiterOf } from "../../test/protocol/samples.js";
import { compareRank, freeSince, headOf, isOpen, type Rank, standingOf, waitersAhead } from "./queue.js";
import { areCompatible, type Holder, type LockRecord, type Mode, type Waiter } from "./record.js";

const rank = fc.record({
  id: fc.string({ minLength: 1, maxLength: 2 }),
  priority: fc.integer({ min: -2, max: 2 }),
  sinceMs: fc.integer({ min: T0, max: T0 + 3 }),
});
const mode = fc.constantFrom<Mode>("exclusive", "shared");
/** Waiters with different ids, some of them dead by T0. */
const line = fc.uniqueArray(
  fc
    .tuple(rank, mode, fc.boolean())
    .map(([ranked, how, isDead]) => waiterOf({ ...ranked, mode: how, expiresAtMs: isDead ? T0 - 1 : T0 + 3_600_000 })),
  { selector: ({ id }) => id, maxLength: 8 },
);
const NOW = attemptAt(T0 + 10);
const LONG_AFTER = (graces: number) => attemptAt(T0 + graces * 60_000);

it("serves by priority, then arrival, then id, and never knows a tie", () => {
  fc.assert(
    fc.property(fc.array(rank, { maxLength: 10 }), (ranks) => {
      const sorted = [...ranks].sort(compareRank);
      for (let index = 1; index < sorted.length; index += 1) {
        const [one, other] = [sorted[index - 1] as Rank, sorted[index] as Rank];
        expect(one.priority).toBeGreaterThanOrEqual(other.priority);
        if (one.priority === other.priority) expect(one.sinceMs).toBeLessThanOrEqual(other.sinceMs);
        expect(compareRank(one, other) === 0).toBe(
          one.id === other.id && one.sinceMs === other.sinceMs && one.priority === other.priority,
        );
        expect(Math.sign(compareRank(one, other))).toBe(0 - Math.sign(compareRank(other, one)));
      }
    }),
  );
});

it("counts only live waiters of higher rank as ahead, never the candidate itself, in their order", () => {
  fc.assert(
    fc.property(line, rank, (queue, candidate) => {
      const ahead = waitersAhead(recordOf({ queue }), candidate, NOW);
      const expected = queue.filter(
        (waiter) => waiter.expiresAtMs > T0 && waiter.id !== candidate.id && compareRank(waiter, candidate) < 0,
      );
      expect(ahead).toEqual(expected.sort(compareRank));
    }),
  );
});

it("has the one at the head that is served first", () => {
  fc.assert(
    fc.property(line, (queue) => {
      expect(headOf(queue)).toEqual([...queue].sort(compareRank)[0]);
    }),
  );
});

it("is open where the first in the queue fits, or any waiter would where the queue is empty", () => {
  const [writer, reader] = [waiterOf(), waiterOf({ mode: "shared" })];
  expect(isOpen({ holders: [holderOf()], limit: 2 }, undefined)).toBe(true);
  expect(isOpen({ holders: [holderOf()], limit: 1 }, undefined)).toBe(false);
  const sharing = { holders: [holderOf({ mode: "shared" })], limit: 2 };
  expect([undefined, writer, reader].map((head) => isOpen(sharing, head))).toEqual([false, false, true]);
});

it("lets a newcomer overtake no live waiter of the same or higher priority right after a release", () => {
  fc.assert(
    fc.property(line, fc.integer({ min: -2, max: 2 }), (queue, priority) => {
      const record = recordOf({
        queue: queue.map((waiter) => ({ ...waiter, mode: "exclusive" })),
        freeSinceMs: T0 + 10,
      });
      const newcomer = { id: "newcomer", priority, sinceMs: T0 + 10, mode: "exclusive" } as const;
      const mustWait = queue.some((waiter) => waiter.expiresAtMs > T0 && waiter.priority >= priority);
      expect(standingOf(record, newcomer, NOW).eligible).toBe(!mustWait);
    }),
  );
});

it("grants the lock to each that fits the holders and the live waiters ahead, in any mix of modes and limits", () => {
  const holders = fc
    .array(mode, { maxLength: 3 })
    .map((modes) => modes.map((how, index) => holderOf({ id: `h${index}`, mode: how })));
  fc.assert(
    fc.property(holders, line, rank, mode, fc.integer({ min: 1, max: 4 }), (held, queue, ranked, how, limit) => {
      fc.pre(areCompatible(held, limit));
      const record = recordOf({ holders: held, queue, limit, freeSinceMs: T0 + 10 });
      const candidate = { ...ranked, mode: how };
      const ahead = waitersAhead(record, candidate, NOW);
      const expected = areCompatible([...held, ...ahead, candidate], limit);
      expect(standingOf(record, candidate, NOW)).toMatchObject({ eligible: expected, position: ahead.length });
    }),
    { numRuns: 1000 },
  );
});

it("lets readers in beside readers, but not past a writer that waits", () => {
  const reader = { id: "reader", priority: 0, sinceMs: T0 + 5, mode: "shared" } as const;
  const holders = [holderOf({ id: "a", mode: "shared" })];
  expect(standingOf(recordOf({ holders }), reader, NOW).eligible).toBe(true);
  const queue = [waiterOf({ id: "writer", sinceMs: T0 + 1 })];
  expect(standingOf(recordOf({ holders, queue }), reader, NOW).eligible).toBe(false);
  const urgent = { ...reader, priority: 1 };
  expect(standingOf(recordOf({ holders, queue }), urgent, NOW).eligible).toBe(true);
});

it("does not take those ahead who may come in as well for such as did not come", () => {
  const holders = [holderOf({ mode: "shared" })];
  const queue = [waiterOf({ id: "ahead", mode: "shared", expiresAtMs: T0 + 3_600_000 })];
  const reader = { id: "reader", priority: 0, sinceMs: T0 + 5, mode: "shared" } as const;
  const record = recordOf({ holders, queue, freeSinceMs: T0 });
  expect(standingOf(record, reader, NOW)).toMatchObject({ eligible: true, position: 1, passedOver: [] });
  expect(standingOf(record, reader, LONG_AFTER(1))).toMatchObject({ eligible: true, passedOver: queue });
});

/** When, in whole tenths of a second after T0, each one of these first may have the lock. */
function turnsOf(record: LockRecord): Map<string, number> {
  const first = new Map<string, number>();
  for (let tenths = 0; tenths < 6000; tenths += 1) {
    const attempt = attemptAt(T0 + tenths * 100);
    for (const waiter of record.queue) {
      if (!first.has(waiter.id) && standingOf(record, waiter, attempt).eligible) first.set(waiter.id, tenths);
    }
    if (first.size === record.queue.length) break;
  }
  return first;
}

it("passes over waiters that do not come: each in the queue may take a free lock some grace after the one before it", () => {
  const queue = ["a", "b", "c", "d"].map((id, index) =>
    waiterOf({ id, sinceMs: T0 - 100 + index, expiresAtMs: T0 + 3_600_000 }),
  );
  const turns = turnsOf(recordOf({ queue, recent: [turnOf({ fromMs: T0 - 5000 })] }));
  const [a = -1, b = -1, c = -1, d = -1] = queue.map(({ id }) => turns.get(id));
  expect(a).toBe(0);
  expect(b).toBeGreaterThan(a);
  expect(c).toBeGreaterThan(b);
  expect(d).toBeGreaterThan(c);
  expect(d).toBeLessThan(600);
});

it("passes over no waiter while the lock is held", () => {
  const queue = [waiterOf({ id: "a", sinceMs: T0 - 2 }), waiterOf({ id: "b", sinceMs: T0 - 1 })];
  const alive = { expiresAtMs: T0 + 3_600_000 };
  const record = recordOf({ holders: [holderOf(alive)], queue: queue.map((waiter) => ({ ...waiter, ...alive })) });
  for (const waiter of record.queue) expect(standingOf(record, waiter, LONG_AFTER(10)).eligible).toBe(false);
});

it("counts graces from the end of a lease that was not given back, tolerance included", () => {
  const queue = [waiterOf({ id: "a" }), waiterOf({ id: "b", sinceMs: T0 + 1 })].map((waiter) => ({
    ...waiter,
    expiresAtMs: T0 + 3_600_000,
  }));
  const expiresAtMs = T0 + 20_000;
  const turns = turnsOf(recordOf({ holders: [holderOf({ expiresAtMs })], queue }));
  expect(turns.get("a")).toBeGreaterThan((20_000 + TOLERANCE_MS - 100) / 100);
  expect(turns.get("a")).toBeLessThanOrEqual((20_000 + TOLERANCE_MS + 100) / 100);
  expect(turns.get("b")).toBeGreaterThan(turns.get("a") as number);
});

it("makes every waiter wait for what a cleanup said, and counts graces from there", () => {
  const queue = [
    waiterOf({ id: "a", expiresAtMs: T0 + 3_600_000 }),
    waiterOf({ id: "b", sinceMs: T0 + 1, expiresAtMs: T0 + 3_600_000 }),
  ];
  const turns = turnsOf(recordOf({ queue, notBeforeMs: T0 + 5000, freeSinceMs: T0 }));
  expect(turns.get("a")).toBe(51);
  expect(turns.get("b")).toBeGreaterThan(51);
});

it("does not pass over a writer because one of two readers died: the other one still keeps it out", () => {
  const dead = holderOf({ id: "dead", mode: "shared", expiresAtMs: T0 });
  const alive = holderOf({ id: "alive", mode: "shared", expiresAtMs: T0 + 3_600_000 });
  const queue = [waiterOf({ id: "writer", expiresAtMs: T0 + 3_600_000 })];
  const record = recordOf({ holders: [dead, alive], queue });
  const newcomer = { id: "newcomer", priority: 0, sinceMs: T0 + 60_000, mode: "shared" } as const;
  expect(standingOf(record, newcomer, LONG_AFTER(1)).eligible).toBe(false);
});

// Found by simulation (seed 759): a reader was dead at the head, and the writer behind it was kept out until a lease ended.
it("gives a writer that a lease kept out its grace from the end of that, though readers could have come in long before", () => {
  const reader = holderOf({ mode: "shared", expiresAtMs: T0 + 6000 });
  const dead = waiterOf({ id: "dead", mode: "shared", priority: 1, sinceMs: T0, expiresAtMs: T0 + 1e6 });
  const writer = waiterOf({ id: "writer", sinceMs: T0 + 1, expiresAtMs: T0 + 1e6 });
  const last = waiterOf({ id: "last", sinceMs: T0 + 2, expiresAtMs: T0 + 1e6 });
  const early = holderOf({ id: "early", mode: "shared", expiresAtMs: T0 + 1000 });
  const record = recordOf({ holders: [reader, early], queue: [dead, writer, last], freeSinceMs: T0 });
  const endMs = T0 + 6000 + TOLERANCE_MS;
  const passedOver = (atMs: number) => standingOf(record, last, attemptAt(atMs)).passedOver.map(({ id }) => id);
  expect(passedOver(endMs)).toEqual(["dead"]);
  expect(passedOver(endMs + 1)).toEqual(["dead"]);
  expect(passedOver(endMs + 10_000)).toEqual(["dead", "writer"]);
});

it("passes over a waiter that fits beside the holders that live, however long their leases are", () => {
  const alive = holderOf({ id: "alive", expiresAtMs: T0 + 3_600_000 });
  const ended = holderOf({ id: "ended", expiresAtMs: T0 + 1000 });
  const queue = [waiterOf({ id: "a" }), waiterOf({ id: "b", sinceMs: T0 + 1 })].map((waiter) => ({
    ...waiter,
    expiresAtMs: T0 + 1e9,
  }));
  const record = recordOf({ holders: [alive, ended], queue, limit: 2 });
  const passedOver = (atMs: number) => standingOf(record, queue[1] as Waiter, attemptAt(atMs)).passedOver.length;
  expect(passedOver(T0 + 1000 + TOLERANCE_MS)).toBe(0);
  expect(passedOver(T0 + 20_000)).toBe(1);
});

it("passes over no waiter where the record does not say since when the lock is free", () => {
  const queue = [waiterOf({ id: "a" }), waiterOf({ id: "b", sinceMs: T0 + 1 })];
  const { freeSinceMs: _, ...record } = recordOf({
    queue: queue.map((waiter) => ({ ...waiter, expiresAtMs: T0 + 1e9 })),
  });
  expect(standingOf(record, queue[1] as Waiter, LONG_AFTER(10)).eligible).toBe(false);
});

it("counts a place as free since the first of its leases ended, tolerance included, and since never while all are alive", () => {
  const [a, b, c] = [1000, 2000, 90_000].map((ms, at) => holderOf({ id: `h${at}`, expiresAtMs: T0 + ms })) as [
    Holder,
    Holder,
    Holder,
  ];
  const at = attemptAt(T0 + 50_000);
  expect(freeSince(recordOf({ holders: [c, b, a] }), at)).toBe(T0 + 1000 + TOLERANCE_MS);
  expect(freeSince(recordOf({ holders: [c] }), at)).toBeUndefined();
});
