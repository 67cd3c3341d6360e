import { describe, expect, it } from "vitest";
import { afterDecision, baseOf, begunSwap, nowAt } from "./swap.js";

const latest = { askedAtMs: 10, etag: "a" };

describe("a compare-and-swap begins", () => {
  it("with a read where nothing is known, or it is to read first", () => {
    expect(begunSwap(undefined, undefined)).toEqual({ base: undefined, isFresh: false });
    expect(begunSwap(undefined, latest)).toEqual({ base: undefined, isFresh: false });
    expect(begunSwap(latest, "store")).toEqual({ base: undefined, isFresh: false });
  });

  it("with the version seen last, which is not one that it has read", () => {
    expect(begunSwap(latest, undefined)).toEqual({ base: latest, isFresh: false });
  });

  it("with a version as new as the one that its caller has read", () => {
    expect(begunSwap(latest, { askedAtMs: 10 })).toEqual({ base: latest, isFresh: true });
    expect(begunSwap(latest, { askedAtMs: 9 })).toEqual({ base: latest, isFresh: true });
    expect(begunSwap(latest, { askedAtMs: 11 })).toEqual({ base: latest, isFresh: false });
  });
});

it("decides on what it has, unless no time is known", () => {
  expect(baseOf({ base: latest, isFresh: false }, () => false)).toBe(latest);
  expect(baseOf({ base: latest, isFresh: true }, () => true)).toBeUndefined();
});

it("looks at no clock where it has to read anyway", () => {
  const isTimeUnknown = () => {
    throw new Error("asked");
  };
  expect(baseOf({ base: undefined, isFresh: false }, isTimeUnknown)).toBeUndefined();
});

it("goes by what it has read, and reads where it has nothing", () => {
  expect(nowAt(latest)).toEqual({ base: latest, isFresh: true });
  expect(nowAt(undefined)).toEqual({ base: undefined, isFresh: false });
});

it.each([
  [true, true, false, "write"],
  [false, true, false, "write"],
  [true, false, false, "done"],
  [false, false, false, "read"],
  [true, true, true, "read"],
  [true, false, true, "read"],
  [false, false, true, "read"],
] as const)("a decision by a fresh version (%s) that changes it (%s) and is doubted (%s): %s", (...row) => {
  const [isFresh, changes, isDoubted, next] = row;
  expect(afterDecision({ isFresh }, { changes, isDoubted })).toBe(next);
});
