import { describe, expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import { holderOf } from "../../../test/protocol/samples.js";
import { LeaseClock, type LeaseTiming } from "./lease-clock.js";

/** Of which 200 ms are the guard, so 9,800 ms are usable; it is renewed after 3,333 ms. */
const LEASE_MS = 10_000;
const USABLE_MS = 9800;

function begun(timing?: LeaseTiming) {
  const clockwork = new Clockwork();
  const { context } = contextOn(clockwork);
  return { clockwork, context, clock: new LeaseClock(context, LEASE_MS, clockwork.reading, timing) };
}

it("counts down by both clocks", async () => {
  const { clockwork, clock } = begun();
  expect(clock.remainingMs).toBe(USABLE_MS);
  expect(clock.untilOverMs).toBe(USABLE_MS);
  expect(clock.untilLostMs).toBe(USABLE_MS);
  expect(clock.untilRenewalMs).toBeCloseTo(LEASE_MS / 3);
  expect(clock.untilRetryMs).toBeCloseTo(LEASE_MS / 9);
  expect(clock.deadlineMs(Number.POSITIVE_INFINITY)).toBe(clockwork.monotonicMs + USABLE_MS);
  expect(clock.deadlineMs(500)).toBe(clockwork.monotonicMs + 500);
  await clockwork.pass(USABLE_MS - 1);
  expect(clock.remainingMs).toBe(1);
  expect(clock.isOver).toBe(false);
  expect(clock.untilRenewalMs).toBeLessThan(0);
  expect(clock.untilRetryMs).toBe(1);
  await clockwork.pass(1);
  expect(clock.isOver).toBe(true);
  expect(clock.untilLostMs).toBe(0);
  await clockwork.pass(1000);
  expect(clock.untilLostMs).toBe(-1000);
  expect(clock.deadlineMs(500)).toBe(clockwork.monotonicMs);
});

/** An answer that tells the time: what it says of it is not asked here. */
const DATED = { now: { earliestMs: 0, latestMs: 0 } };

it("tells a certain end from a doubt, whatever the store has said of the time since", async () => {
  const ended = begun();
  expect(ended.clock.isOverAsOf(DATED)).toBe(false);
  await ended.clockwork.pass(USABLE_MS - 1);
  expect(ended.clock.isOverAsOf(DATED)).toBe(false);
  await ended.clockwork.pass(1);
  expect(ended.clock.isOverAsOf(DATED)).toBe(true);
  const doubted = begun();
  doubted.clockwork.wallMs += USABLE_MS;
  expect(doubted.clock.isOverAsOf(DATED)).toBeUndefined();
  expect(doubted.clock.isOverAsOf({ ...DATED, lacksStoreTime: true })).toBe(false);
  const early = begun({ renewEveryMs: 1000, renewalDeadlineMs: 4000 });
  await early.clockwork.pass(4000);
  expect(early.clock.isOverAsOf(DATED)).toBe(true);
});

it("is renewed no later than its end", () => {
  const { clock } = begun({ renewEveryMs: 20_000, renewalDeadlineMs: 5000 });
  expect(clock.untilRenewalMs).toBe(5000);
});

it("is due soon when half of the time between two renewals is over", async () => {
  const { clockwork, clock } = begun({ renewEveryMs: 3000, renewalDeadlineMs: 9000 });
  await clockwork.pass(1500);
  expect(clock.isDueSoon).toBe(false);
  await clockwork.pass(1);
  expect(clock.isDueSoon).toBe(true);
});

it("gives up at the deadline for renewals, where that is before its end", () => {
  const early = begun({ renewEveryMs: 1000, renewalDeadlineMs: 4000 }).clock;
  expect([early.remainingMs, early.untilOverMs]).toEqual([4000, 4000]);
  const late = begun({ renewEveryMs: 1000, renewalDeadlineMs: 20_000 }).clock;
  expect([late.remainingMs, late.untilOverMs]).toEqual([USABLE_MS, USABLE_MS]);
});

it("tells by how much the wall clock has gone further, where that is a step and no drift, until it is renewed", async () => {
  for (const [aheadMs, told] of [
    [999, undefined],
    [1000, 1000],
  ] as const) {
    const { clockwork, clock } = begun();
    await clockwork.pass(USABLE_MS - 500);
    clockwork.wallMs += aheadMs;
    expect(clock.steppedByMs).toBeUndefined();
    clock.noticeDoubt();
    await clockwork.pass(100);
    expect(clock.steppedByMs).toBe(told);
    clock.renewed(holderOf({ leaseMs: LEASE_MS }), clockwork.reading);
    expect(clock.steppedByMs).toBeUndefined();
  }
});

describe("where only the wall clock says that it is over", () => {
  function doubted() {
    const begin = begun();
    begin.clockwork.wallMs += 60_000;
    return begin;
  }

  it("believes nothing, and asks the store for a third of the lease", async () => {
    const { clockwork, clock } = doubted();
    expect(clock.remainingMs).toBeLessThan(0);
    expect(clock.isOver).toBe(false);
    expect(clock.untilLostMs).toBeCloseTo(LEASE_MS / 3);
    await clockwork.pass(1000);
    expect(clock.untilLostMs).toBeCloseTo(LEASE_MS / 3 - 1000);
  });

  it("asks no longer than to its end by the monotonic clock", async () => {
    const { clockwork, clock } = begun();
    await clockwork.pass(9000);
    clockwork.wallMs += 60_000;
    expect(clock.untilLostMs).toBe(800);
  });

  it("is in doubt also just at its end by the wall clock, from the first look on", async () => {
    const { clockwork, clock } = begun();
    clockwork.wallMs += USABLE_MS;
    expect(clock.remainingMs).toBe(0);
    expect(clock.untilLostMs).toBeCloseTo(LEASE_MS / 3);
    clockwork.monotonicMs += 1000;
    expect(clock.remainingMs).toBe(0);
    expect(clock.untilLostMs).toBeCloseTo(LEASE_MS / 3 - 1000);
  });

  it("is noticed once, as long as there is something to ask", async () => {
    const { clock } = doubted();
    expect(clock.noticeDoubt()).toBe(true);
    expect(clock.noticeDoubt()).toBe(false);
    expect(begun().clock.noticeDoubt()).toBe(false);
    const late = doubted();
    await late.clockwork.pass(USABLE_MS);
    expect(late.clock.noticeDoubt()).toBe(false);
  });

  it("is over as soon as the clocks agree again, and the next doubt counts anew", async () => {
    const { clockwork, clock } = doubted();
    clock.noticeDoubt();
    await clockwork.pass(2000);
    clockwork.wallMs -= 60_000;
    expect(clock.untilLostMs).toBe(USABLE_MS - 2000);
    clockwork.wallMs += 60_000;
    expect(clock.noticeDoubt()).toBe(true);
    expect(clock.untilLostMs).toBeCloseTo(LEASE_MS / 3);
  });

  it("ends with a renewal", async () => {
    const { clockwork, clock } = doubted();
    clock.noticeDoubt();
    await clockwork.pass(1000);
    clock.renewed(holderOf({ leaseMs: LEASE_MS }), clockwork.reading);
    expect(clock.remainingMs).toBe(USABLE_MS);
    clockwork.wallMs += 60_000;
    expect(clock.noticeDoubt()).toBe(true);
  });
});

describe("after a renewal", () => {
  it("counts from its reading", async () => {
    const { clockwork, clock } = begun();
    await clockwork.pass(3000);
    const { reading } = clockwork;
    await clockwork.pass(500);
    clock.renewed(holderOf({ leaseMs: LEASE_MS }), reading);
    expect(clock.remainingMs).toBe(USABLE_MS - 500);
    expect(clock.untilOverMs).toBe(USABLE_MS - 500);
    expect(clock.untilRenewalMs).toBeCloseTo(LEASE_MS / 3 - 500);
  });

  /** An answer has told an hour more than the one that the lease was published by, a millisecond later. */
  async function contradictedBy(expiresInMs: number, undated = false) {
    const begin = begun();
    const { clockwork, context, clock } = begin;
    const answer = (aheadMs: number) => {
      const sentAtMs = clockwork.monotonicMs;
      context.clock.observe({ sentAtMs, receivedAtMs: sentAtMs, dateMs: sentAtMs + aheadMs });
    };
    answer(500_000);
    const { reading } = clockwork;
    await clockwork.pass(1);
    answer(4_100_000);
    const latestMs = context.clock.now(clockwork.reading)?.latestMs ?? 0;
    const holder = holderOf({
      leaseMs: LEASE_MS,
      expiresAtMs: latestMs + expiresInMs,
      ...(undated ? { undated } : {}),
    });
    clock.renewed(holder, reading);
    return begin;
  }

  it("believes no more of the lease than the store's new time leaves, where its published time was contradicted", async () => {
    const { clockwork, clock } = await contradictedBy(6000);
    expect(clock.remainingMs).toBe(USABLE_MS - 4000);
    expect(clock.untilRenewalMs).toBeCloseTo(LEASE_MS / 3 - 4000);
    expect(clock.untilOverMs).toBe(USABLE_MS - 1);
    expect(clock.isOver).toBe(false);
    expect(clock.deadlineMs(1e9)).toBe(clockwork.monotonicMs + USABLE_MS - 4000);
  });

  it("nor more where the machine sleeps then, and only the wall clock counts that", async () => {
    const { clockwork, clock } = await contradictedBy(6000);
    clockwork.wallMs += USABLE_MS - 4000 - 1;
    expect(clock.remainingMs).toBe(1);
    clockwork.wallMs += 1;
    expect(clock.remainingMs).toBe(0);
  });

  it("and no more than the reading does", async () => {
    expect((await contradictedBy(15_000)).clock.remainingMs).toBe(USABLE_MS - 1);
  });

  it("counts from the reading where the store's time is not known, or the lease is not dated by it", async () => {
    expect((await contradictedBy(6000, true)).clock.remainingMs).toBe(USABLE_MS - 1);
    const { clockwork, context, clock } = begun();
    const { reading } = clockwork;
    await clockwork.pass(1);
    clockwork.wallMs += 60_000;
    // It was under way while the machine slept.
    context.clock.observe({ sentAtMs: reading.monotonicMs, receivedAtMs: clockwork.monotonicMs, dateMs: 500_000 });
    expect(context.clock.isContradictedSince(reading.monotonicMs)).toBe(true);
    const woken = { ...reading, wallMs: reading.wallMs + 60_000 };
    clock.renewed(holderOf({ leaseMs: LEASE_MS, expiresAtMs: 0 }), woken);
    expect(clock.remainingMs).toBe(USABLE_MS - 1);
  });
});
