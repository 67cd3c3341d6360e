import { describe, expect, it } from "vitest";
import type { LockRecord } from "../record.js";
import {
  isContention,
  isOutrun,
  isStuck,
  isTakenIn,
  isTold,
  type Learnt,
  learn,
  type News,
  NOTHING_LEARNT,
} from "./patience.js";

const CLAIM = { mode: "exclusive" } as const;
const SHARED = { mode: "shared" } as const;
const recordOf = (holders: readonly object[], writeId = "1") =>
  ({ writeId, holders, queue: [], limit: 1 }) as unknown as LockRecord;
const FREE = recordOf([]);
const TAKEN = recordOf([{ mode: "exclusive" }], "2");

type Decided = News & { readonly kind: "decided" };
const decided = (details: Partial<Decided>): Decided => ({
  kind: "decided",
  record: FREE,
  reply: "granted",
  isOfThisCall: true,
  claim: CLAIM,
  isOwn: (writeId) => writeId === "own",
  nowMs: 1000,
  ...details,
});
const taken = (details: Partial<Decided> = {}) => decided({ record: TAKEN, reply: "waiting", ...details });
const REFUSED: News = { kind: "refused", nowMs: 1500 };
const FAILED: News = { kind: "failed" };
const heard = (...news: readonly News[]): Learnt => news.reduce(learn, NOTHING_LEARNT);
/** At a time at which a store that was asked at 1000 is not silent yet. */
const [SOON_MS, ROUND_TRIP_MS] = [1900, 10];

describe("what a caller is told", () => {
  it("is nothing before anything was heard", () => {
    expect(isTold(NOTHING_LEARNT, SOON_MS, ROUND_TRIP_MS)).toBe(false);
    expect(isContention(NOTHING_LEARNT, SOON_MS, ROUND_TRIP_MS)).toBe(false);
    expect(isStuck(NOTHING_LEARNT, SOON_MS, ROUND_TRIP_MS)).toBe(false);
  });

  it("is that another caller has it, by its own read or by another's", () => {
    for (const news of [
      taken(),
      { kind: "answered", isTaken: true } as const,
      { kind: "answered", isTaken: false } as const,
    ]) {
      expect(isTold(heard(news), SOON_MS, ROUND_TRIP_MS)).toBe(true);
      expect(isContention(heard(news), SOON_MS, ROUND_TRIP_MS)).toBe(true);
    }
    expect(heard(decided({}), { kind: "answered", isTaken: true }).isFree).toBe(false);
    expect(heard(taken())).toMatchObject({ isUnderWay: true, wasTaken: true, wasAnswered: false, isFree: false });
  });

  it("stays the same object where an answer tells nothing new: thousands may hear of each", () => {
    for (const isTaken of [true, false]) {
      const news: News = { kind: "answered", isTaken };
      const before = heard(news);
      expect(learn(before, news)).toBe(before);
    }
    const free = heard(decided({}), FAILED, { kind: "answered", isTaken: true });
    expect(free).toMatchObject({ isFree: false, ownSinceMs: undefined, hasFailedSince: false });
    expect(heard(decided({}), { kind: "answered", isTaken: true }).ownSinceMs).toBeUndefined();
  });

  it("is nothing by a version from before", () => {
    const learnt = heard(taken({ isOfThisCall: false }));
    expect(learnt).toMatchObject({ isUnderWay: false, wasTaken: false, isFree: false });
    expect(isTold(learnt, SOON_MS, ROUND_TRIP_MS)).toBe(false);
  });

  it("is that it was free where the store has failed since", () => {
    const learnt = heard(taken(), decided({}), FAILED);
    expect(isStuck(learnt, SOON_MS, ROUND_TRIP_MS)).toBe(true);
    expect(isTold(learnt, SOON_MS, ROUND_TRIP_MS)).toBe(false);
    expect(isStuck(heard(decided({}), FAILED, FAILED), SOON_MS, ROUND_TRIP_MS)).toBe(true);
  });

  it("is that another has it where it was taken after that failure, or before it", () => {
    expect(isTold(heard(decided({}), FAILED, taken()), 9000, ROUND_TRIP_MS)).toBe(true);
    expect(isTold(heard(decided({}), FAILED, { kind: "answered", isTaken: true }), 9000, ROUND_TRIP_MS)).toBe(true);
    expect(isTold(heard(taken(), FAILED), 9000, ROUND_TRIP_MS)).toBe(true);
  });

  it("stays that it was free where an answer says nothing of another caller", () => {
    expect(isStuck(heard(decided({}), FAILED, { kind: "answered", isTaken: false }), SOON_MS, ROUND_TRIP_MS)).toBe(
      true,
    );
  });
});

describe("a store that says nothing about a free lock", () => {
  it("has said so also where the record has a holder whose lease is over", () => {
    const learnt = heard(decided({ record: TAKEN }));
    expect(learnt).toMatchObject({ isFree: true, wasTaken: false, ownSinceMs: 1000 });
    expect(NOTHING_LEARNT).toMatchObject({ isFree: false, isUnderWay: false, wasRefused: false });
  });

  it("is silent after a second, or after four round trips", () => {
    const learnt = heard(decided({}));
    expect([1999, 2000].map((nowMs) => isStuck(learnt, nowMs, ROUND_TRIP_MS))).toEqual([false, true]);
    expect([2999, 3000].map((nowMs) => isStuck(learnt, nowMs, 500))).toEqual([false, true]);
  });

  it("counts from the first decision to take it, and anew from a refusal", () => {
    expect(heard(decided({}), decided({ nowMs: 1400 })).ownSinceMs).toBe(1000);
    expect(heard(decided({}), REFUSED).ownSinceMs).toBe(1500);
    expect(heard(REFUSED)).toMatchObject({ ownSinceMs: undefined, wasRefused: true });
    expect(heard(decided({}), taken()).ownSinceMs).toBeUndefined();
    expect(heard(decided({}), { kind: "answered", isTaken: true }).ownSinceMs).toBeUndefined();
    expect(heard(decided({}), { kind: "answered", isTaken: false }).ownSinceMs).toBe(1000);
  });

  it("has said that it is free also where the caller is not the first to have it", () => {
    const learnt = heard(decided({ reply: "waiting" }));
    expect(learnt).toMatchObject({ isFree: true, wasTaken: true, ownSinceMs: undefined });
    expect(isStuck(learn(learnt, FAILED), SOON_MS, ROUND_TRIP_MS)).toBe(true);
  });
});

describe("another caller that was faster", () => {
  const theirs = decided({ record: recordOf([], "3") });

  it("is known by what it has written, and then that is what the caller is told", () => {
    const learnt = heard(decided({}), REFUSED, theirs, decided({ record: recordOf([], "4") }));
    expect(learnt.wasOvertaken).toBe(true);
    expect(isContention(learnt, 9000, ROUND_TRIP_MS)).toBe(true);
    expect(isTold(learnt, 9000, ROUND_TRIP_MS)).toBe(false);
    expect(heard(decided({}), REFUSED, { ...theirs, isOfThisCall: false }).wasOvertaken).toBe(true);
  });

  it("is not known by a refusal alone, nor by a write of one's own", () => {
    expect(heard(decided({}), REFUSED).wasOvertaken).toBe(false);
    expect(heard(decided({}), REFUSED, decided({})).wasOvertaken).toBe(false);
    expect(heard(decided({}), REFUSED, decided({ record: recordOf([], "own") })).wasOvertaken).toBe(false);
  });

  it("is not what a failure after it is about", () => {
    expect(heard(decided({}), REFUSED, theirs, FAILED).wasOvertaken).toBe(false);
  });

  it("has outrun a caller on a store that answers, as has the turn of others before it", () => {
    expect(isOutrun(NOTHING_LEARNT)).toBe(true);
    expect(isOutrun(heard({ kind: "asked" }))).toBe(false);
    expect(isOutrun(heard({ kind: "asked" }, decided({}), REFUSED, theirs))).toBe(true);
    expect(isOutrun(heard(FAILED))).toBe(false);
  });
});

it("a lock is taken where its holders leave no room", () => {
  expect(isTakenIn(undefined, CLAIM)).toBe(false);
  expect(isTakenIn(FREE, CLAIM)).toBe(false);
  expect(isTakenIn(TAKEN, CLAIM)).toBe(true);
  expect(isTakenIn(recordOf([SHARED]), SHARED)).toBe(false);
  expect(isTakenIn(recordOf([SHARED]), CLAIM)).toBe(true);
});
