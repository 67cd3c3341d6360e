import { describe, expect, it } from "vitest";
import { type CallTerms, callTimes, fromItsTurn, lastPollAtMs, untilMs } from "./call-times.js";

const TERMS: CallTerms = { patienceMs: 10_000, requestTimeoutMs: 5000, attemptUntilMs: Number.POSITIVE_INFINITY };
const timesOf = (terms: Partial<CallTerms>) => callTimes(100, { ...TERMS, ...terms });

describe("a call", () => {
  it("waits as long as its caller said", () => {
    expect(timesOf({})).toEqual({
      arrivedAtMs: 100,
      patienceMs: 10_000,
      attemptMs: 10_000,
      queueUntilMs: 30_100,
      attemptUntilMs: 10_100,
      silentUntilMs: 10_100,
    });
    expect(untilMs(timesOf({}))).toBe(10_100);
  });

  it("of little patience has a second for a store that is silent, and two for one that answers", () => {
    expect(timesOf({ patienceMs: 1 })).toMatchObject({ attemptUntilMs: 2100, silentUntilMs: 1100 });
    expect(timesOf({ patienceMs: 1500 })).toMatchObject({ attemptUntilMs: 2100, silentUntilMs: 1600 });
    expect(untilMs(timesOf({ patienceMs: 1 }))).toBe(101);
  });

  it("that makes one attempt has the time of two requests", () => {
    expect(timesOf({ patienceMs: 0 })).toMatchObject({
      attemptMs: 10_000,
      attemptUntilMs: 10_100,
      silentUntilMs: 10_100,
    });
    expect(timesOf({ patienceMs: 0, requestTimeoutMs: 10 })).toMatchObject({ attemptMs: 2000 });
    expect(timesOf({ patienceMs: 1 })).toMatchObject({ attemptMs: 2000 });
  });

  it("takes no longer than the one that it is a part of", () => {
    expect(timesOf({ attemptUntilMs: 700 })).toMatchObject({
      queueUntilMs: 700,
      attemptUntilMs: 700,
      silentUntilMs: 700,
    });
    expect(timesOf({ patienceMs: 0, attemptUntilMs: 700 })).toMatchObject({ attemptUntilMs: 700, silentUntilMs: 700 });
  });
});

describe("its turn", () => {
  it("begins the time of one attempt anew, within that of the queue", () => {
    const times = timesOf({ patienceMs: 0 });
    expect(fromItsTurn(times, 5000)).toEqual({ ...times, attemptUntilMs: 15_000, silentUntilMs: 15_000 });
    expect(fromItsTurn(times, 25_000)).toMatchObject({ attemptUntilMs: 30_100, silentUntilMs: 30_100 });
  });

  it("changes nothing for a caller that has patience", () => {
    const times = timesOf({ patienceMs: 1 });
    expect(fromItsTurn(times, 5000)).toEqual(times);
  });
});

it("a last poll leaves time for a poll, a write, one to spare and a late timer", () => {
  expect(lastPollAtMs(timesOf({}), 50)).toBe(10_100 - 3 * 50 - 20);
});
