import { expect, it } from "vitest";
import type { LockRecord } from "../../core/record.js";
import { WriteLog } from "../swap/write-log.js";
import { Overtaking } from "./overtaking.js";

const version = (writeId: string | undefined) => ({ writeId }) as LockRecord;

/** What a refused write over `before`, and then a read of `after`, say. */
function shown(
  before: LockRecord | undefined,
  after: LockRecord | undefined,
  { isOfThisCall = true, own = "own" } = {},
) {
  const writeLog = new WriteLog();
  writeLog.begin(own, { kind: "if-absent" }, { monotonicMs: 0, wallMs: 0 });
  const overtaking = new Overtaking(writeLog);
  expect(overtaking.isShownBy(before, isOfThisCall)).toBe(false);
  overtaking.noteRefusal();
  return [overtaking.isShownBy(after, true), overtaking.isShownBy(version("later"), true)];
}

it("takes a version that another caller wrote for what came first, once", () => {
  expect(shown(version("old"), version("theirs"))).toEqual([true, false]);
  expect(shown(undefined, version("theirs"))).toEqual([true, false]);
  expect(shown(version("old"), undefined)).toEqual([true, false]);
  expect(shown(version("old"), version(undefined))).toEqual([true, false]);
});

it("takes neither the version that was refused nor one of its own for that", () => {
  expect(shown(version("old"), version("old"))).toEqual([false, false]);
  expect(shown(undefined, undefined)).toEqual([false, false]);
  expect(shown(version("old"), version("own"))).toEqual([false, false]);
});

it("says nothing by a version that was known before the call", () => {
  expect(shown(version("old"), version("theirs"), { isOfThisCall: false })).toEqual([false, false]);
});
