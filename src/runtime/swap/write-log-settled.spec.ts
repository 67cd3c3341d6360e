import { describe, expect, it } from "vitest";
import { SharedLog, WriteLog, type WriteRecorder } from "./write-log.js";

const at = (monotonicMs: number) => ({ monotonicMs, wallMs: monotonicMs });
const ON_A = { kind: "if-match", etag: '"a"' } as const;
/** More writes than readings are kept of. */
const MANY = 70;

function sendMany(writeLog: WriteLog, prefix = "later"): void {
  for (let index = 0; index < MANY; index += 1) {
    writeLog.begin(`${prefix}${index}`, ON_A, at(index + 1));
    writeLog.answered(`${prefix}${index}`);
  }
}

it("has neither sent anything nor lost a race at first", () => {
  const writeLog = new WriteLog();
  expect(writeLog.hasLostRaces).toBe(false);
  expect(writeLog.hasBegun).toBe(false);
  expect(writeLog.isOwn("w")).toBe(false);
  writeLog.lostRace();
  writeLog.begin("w", ON_A, at(0));
  expect(writeLog.hasLostRaces).toBe(true);
  expect(writeLog.hasBegun).toBe(true);
});

it("keeps the readings of 64 writes", () => {
  const writeLog = new WriteLog();
  for (let index = 0; index <= 64; index += 1) writeLog.begin(`w${index}`, ON_A, at(index));
  expect(writeLog.readingOf("w0")).toBeUndefined();
  expect(writeLog.readingOf("w1")).toEqual(at(1));
});

describe("knows a write of its own whose clock reading is gone", () => {
  it("where it was seen in the record before", () => {
    const writeLog = new WriteLog();
    writeLog.begin("w", ON_A, at(0));
    writeLog.answered("w");
    expect(writeLog.isOwn("w")).toBe(true);
    sendMany(writeLog);
    expect(writeLog.readingOf("w")).toBeUndefined();
    expect(writeLog.isOwn("w")).toBe(true);
    // The next one to be seen takes its place; what is not its own does not.
    expect(writeLog.isOwn("foreign")).toBe(false);
    expect(writeLog.isOwn("w")).toBe(true);
    expect(writeLog.isOwn(`later${MANY - 1}`)).toBe(true);
    expect(writeLog.isOwn("w")).toBe(false);
  });

  it("where it was never answered, or the last look has settled it, and looks that settle nothing change nothing", () => {
    const writeLog = new WriteLog();
    writeLog.begin("w", ON_A, at(0));
    sendMany(writeLog);
    writeLog.seen('"b"', 0);
    expect(writeLog.hasUnresolved).toBe(true);
    writeLog.seen('"b"', 1000);
    expect(writeLog.hasUnresolved).toBe(false);
    writeLog.seen('"b"', 1000);
    writeLog.seen('"c"', 2000);
    expect(writeLog.isOwn("w")).toBe(true);
  });

  it("and not where a later look has settled others", () => {
    const writeLog = new WriteLog();
    writeLog.begin("w", ON_A, at(0));
    sendMany(writeLog);
    writeLog.seen('"b"', 1000);
    writeLog.begin("x", ON_A, at(1001));
    writeLog.seen('"c"', 2000);
    expect(writeLog.isOwn("w")).toBe(false);
    expect(writeLog.isOwn("x")).toBe(true);
  });
});

describe("a write of several", () => {
  it("is in the log of each, whichever take part by the time that it is answered", () => {
    const [one, other] = [new WriteLog(), new WriteLog()];
    let sharers: WriteRecorder[] = [one, other];
    const shared = new SharedLog(() => sharers);
    shared.begin("w", ON_A, at(0));
    expect([one.hasUnresolved, other.hasUnresolved]).toEqual([true, true]);
    sharers = [one];
    shared.answered("w");
    shared.lostRace();
    expect([one.hasUnresolved, other.hasUnresolved]).toEqual([false, false]);
    expect([one.hasLostRaces, other.hasLostRaces]).toEqual([true, true]);
  });

  it("is own where any of them has sent it, and so are lost races", () => {
    const [one, other] = [new WriteLog(), new WriteLog()];
    const shared = new SharedLog(() => [one, other]);
    expect(shared.isOwn("w")).toBe(false);
    expect(shared.hasLostRaces).toBe(false);
    other.begin("w", ON_A, at(0));
    other.lostRace();
    expect(shared.isOwn("w")).toBe(true);
    expect(shared.hasLostRaces).toBe(true);
  });

  it("is settled by a read only for acquisitions that decide by what is seen", () => {
    const [one, other] = [new WriteLog(), new WriteLog()];
    const shared = new SharedLog(
      () => [one, other],
      () => [other],
    );
    shared.begin("w", ON_A, at(0));
    shared.seen('"b"', 1);
    expect([one.hasUnresolved, other.hasUnresolved]).toEqual([true, false]);
  });
});
