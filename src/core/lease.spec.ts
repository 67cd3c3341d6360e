import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { countedFrom, guardMs, longestDoubtMs, monotonicRemainingMs, remainingMs, renewAfterMs } from "./lease.js";

const anyLease = fc.integer({ min: 100, max: 365 * 24 * 3_600_000 });
const FROM = { monotonicMs: 1000, wallMs: 500_000 };

it("guards a part of every lease that drift cannot use up, and never more than half a second", () => {
  fc.assert(
    fc.property(anyLease, (leaseMs) => {
      expect(guardMs(leaseMs)).toBeGreaterThan(Math.min(leaseMs, 2_000_000) * 200e-6);
      expect(guardMs(leaseMs)).toBeLessThanOrEqual(500);
    }),
  );
});

it("counts a lease by the clock that moved further", () => {
  fc.assert(
    fc.property(anyLease, fc.nat(), fc.nat(), (leaseMs, monotonic, wall) => {
      const now = { monotonicMs: FROM.monotonicMs + monotonic, wallMs: FROM.wallMs + wall };
      expect(remainingMs(leaseMs, FROM, now)).toBeCloseTo(leaseMs - guardMs(leaseMs) - Math.max(monotonic, wall), 3);
    }),
  );
});

it("is over before the lease is, by its guard, when either clock says so", () => {
  const later = (ms: number) => ({ monotonicMs: FROM.monotonicMs + ms, wallMs: FROM.wallMs + ms });
  expect(remainingMs(10_000, FROM, later(9799))).toBeGreaterThan(0);
  expect(remainingMs(10_000, FROM, later(9800))).toBeLessThanOrEqual(0);
  expect(remainingMs(10_000, FROM, { ...later(1), wallMs: FROM.wallMs + 9800 })).toBeLessThanOrEqual(0);
  expect(remainingMs(10_000, FROM, { ...later(1), monotonicMs: FROM.monotonicMs + 9800 })).toBeLessThanOrEqual(0);
});

it("does not gain time from a wall clock that is set back", () => {
  const now = { monotonicMs: FROM.monotonicMs + 6000, wallMs: FROM.wallMs - 3_600_000 };
  expect(remainingMs(10_000, FROM, now)).toBe(3800);
});

it("renews with room for a second try", () => {
  fc.assert(
    fc.property(anyLease, (leaseMs) => {
      expect(renewAfterMs(leaseMs)).toBeGreaterThan(0);
      expect(2 * renewAfterMs(leaseMs)).toBeLessThan(leaseMs - guardMs(leaseMs));
    }),
  );
});

it("counts what is left by the monotonic clock alone, whatever the wall clock did", () => {
  const now = { monotonicMs: 3000, wallMs: 9_000_000 };
  expect(monotonicRemainingMs(10_000, FROM, now)).toBe(10_000 - guardMs(10_000) - 2000);
  expect(remainingMs(10_000, FROM, now)).toBeLessThan(0);
});

it("doubts for a third of the lease, and for ten seconds at most", () => {
  expect([6000, 30_000, 60_000, 600_000].map(longestDoubtMs)).toEqual([2000, 10_000, 10_000, 10_000]);
});

it("counts from what new bounds leave of the published end, where that is earlier than the reading", () => {
  const holder = { leaseMs: 10_000, expiresAtMs: 1_000_000 };
  /** 6,000 ms are left by the later bound, so 4,000 ms are used. */
  const now = { earliestMs: 990_000, latestMs: 994_000 };
  const clocks = { monotonicMs: 7000, wallMs: 700_000 };
  const from = { monotonicMs: 3000, wallMs: 696_000 };
  expect(countedFrom(holder, { monotonicMs: 3001, wallMs: 1 }, { clocks, now })).toEqual(from);
  const same = { monotonicMs: 3000, wallMs: 1 };
  expect(countedFrom(holder, same, { clocks, now })).toBe(same);
  const earlier = { monotonicMs: 2999, wallMs: 800_000 };
  expect(countedFrom(holder, earlier, { clocks, now })).toBe(earlier);
});
