import { describe, expect, it } from "vitest";
import { type AttemptLog, Attempts, SharedLog, settles } from "./attempts.js";

const at = (monotonicMs: number) => ({ monotonicMs, wallMs: monotonicMs });
const ON_A = { kind: "if-match", etag: '"a"' } as const;
/** More writes than readings are kept of. */
const MANY = 70;

function sendMany(attempts: Attempts, prefix = "later"): void {
  for (let index = 0; index < MANY; index += 1) {
    attempts.begin(`${prefix}${index}`, ON_A, at(index + 1));
    attempts.answered(`${prefix}${index}`);
  }
}

it("has neither sent anything nor lost a race at first", () => {
  const attempts = new Attempts();
  expect(attempts.hasLostRaces).toBe(false);
  expect(attempts.haveBegun).toBe(false);
  expect(attempts.isOwn("w")).toBe(false);
  attempts.lostRace();
  attempts.begin("w", ON_A, at(0));
  expect(attempts.hasLostRaces).toBe(true);
  expect(attempts.haveBegun).toBe(true);
});

it("keeps the readings of 64 writes", () => {
  const attempts = new Attempts();
  for (let index = 0; index <= 64; index += 1) attempts.begin(`w${index}`, ON_A, at(index));
  expect(attempts.readingOf("w0")).toBeUndefined();
  expect(attempts.readingOf("w1")).toEqual(at(1));
});

describe("knows a write of its own whose clock reading is gone", () => {
  it("where it was seen in the record before", () => {
    const attempts = new Attempts();
    attempts.begin("w", ON_A, at(0));
    attempts.answered("w");
    expect(attempts.isOwn("w")).toBe(true);
    sendMany(attempts);
    expect(attempts.readingOf("w")).toBeUndefined();
    expect(attempts.isOwn("w")).toBe(true);
    // The next one to be seen takes its place; what is not its own does not.
    expect(attempts.isOwn("foreign")).toBe(false);
    expect(attempts.isOwn("w")).toBe(true);
    expect(attempts.isOwn(`later${MANY - 1}`)).toBe(true);
    expect(attempts.isOwn("w")).toBe(false);
  });

  it("where it was never answered, or the last look has settled it, and looks that settle nothing change nothing", () => {
    const attempts = new Attempts();
    attempts.begin("w", ON_A, at(0));
    sendMany(attempts);
    attempts.seen('"b"', 0);
    expect(attempts.haveUnresolved).toBe(true);
    attempts.seen('"b"', 1000);
    expect(attempts.haveUnresolved).toBe(false);
    attempts.seen('"b"', 1000);
    attempts.seen('"c"', 2000);
    expect(attempts.isOwn("w")).toBe(true);
  });

  it("and not where a later look has settled others", () => {
    const attempts = new Attempts();
    attempts.begin("w", ON_A, at(0));
    sendMany(attempts);
    attempts.seen('"b"', 1000);
    attempts.begin("x", ON_A, at(1001));
    attempts.seen('"c"', 2000);
    expect(attempts.isOwn("w")).toBe(false);
    expect(attempts.isOwn("x")).toBe(true);
  });
});

describe("a write of several", () => {
  it("is in the log of each, whichever take part by the time that it is answered", () => {
    const [one, other] = [new Attempts(), new Attempts()];
    let sharers: AttemptLog[] = [one, other];
    const shared = new SharedLog(() => sharers);
    shared.begin("w", ON_A, at(0));
    expect([one.haveUnresolved, other.haveUnresolved]).toEqual([true, true]);
    sharers = [one];
    shared.answered("w");
    shared.lostRace();
    expect([one.haveUnresolved, other.haveUnresolved]).toEqual([false, false]);
    expect([one.hasLostRaces, other.hasLostRaces]).toEqual([true, true]);
  });

  it("is own where any of them has sent it, and so are lost races", () => {
    const [one, other] = [new Attempts(), new Attempts()];
    const shared = new SharedLog(() => [one, other]);
    expect(shared.isOwn("w")).toBe(false);
    expect(shared.hasLostRaces).toBe(false);
    other.begin("w", ON_A, at(0));
    other.lostRace();
    expect(shared.isOwn("w")).toBe(true);
    expect(shared.hasLostRaces).toBe(true);
  });

  it("is settled by a read only for acquisitions that decide by what is seen", () => {
    const [one, other] = [new Attempts(), new Attempts()];
    const shared = new SharedLog(
      () => [one, other],
      () => [other],
    );
    shared.begin("w", ON_A, at(0));
    shared.seen('"b"', 1);
    expect([one.haveUnresolved, other.haveUnresolved]).toEqual([true, false]);
  });
});

it.each([
  [{ kind: "ok" }, true],
  [{ kind: "absent" }, true],
  [{ kind: "refused" }, true],
  [{ kind: "conflict" }, false],
  [{ kind: "conflict", sent: false }, false],
  [{ kind: "unknown", sent: true }, false],
  [{ kind: "unknown", sent: false }, true],
])("%o settles a write: %s", (outcome, expected) => {
  expect(settles(outcome)).toBe(expected);
});
