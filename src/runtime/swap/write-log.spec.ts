import { expect, it } from "vitest";
import { WriteLog } from "./write-log.js";

const READING = { monotonicMs: 1, wallMs: 2 };
/** A look that left after the write did. */
const LATER_MS = 2;
const ON_A = { kind: "if-match", etag: '"a"' } as const;
const CREATE = { kind: "if-absent" } as const;

function begun(condition: typeof ON_A | typeof CREATE): WriteLog {
  const writeLog = new WriteLog();
  writeLog.begin("w", condition, READING);
  return writeLog;
}

it("does not trust a write before it was answered", () => {
  const writeLog = begun(ON_A);
  expect(writeLog.hasUnresolved).toBe(true);
  writeLog.answered("w");
  expect(writeLog.hasUnresolved).toBe(false);
});

it("knows a write for dead when a present object has another ETag than it was conditioned on", () => {
  const writeLog = begun(ON_A);
  writeLog.seen('"a"', LATER_MS);
  expect(writeLog.hasUnresolved).toBe(true);
  writeLog.seen('"b"', LATER_MS);
  expect(writeLog.hasUnresolved).toBe(false);
});

it("knows a create for dead when there is an object", () => {
  const writeLog = begun(CREATE);
  writeLog.seen('"any"', LATER_MS);
  expect(writeLog.hasUnresolved).toBe(false);
});

it.each([ON_A, CREATE])("learns nothing from a look that left before the write did: %j", (condition) => {
  const writeLog = begun(condition);
  writeLog.seen('"b"', READING.monotonicMs - 1);
  writeLog.seen('"b"', READING.monotonicMs);
  expect(writeLog.hasUnresolved).toBe(true);
});

it.each([ON_A, CREATE])("knows no write for dead where there is no object: %j", (condition) => {
  const writeLog = begun(condition);
  writeLog.seen(undefined, LATER_MS);
  expect(writeLog.hasUnresolved).toBe(true);
});

it("keeps the reading of each write, answered or not, for the lease that counts from it", () => {
  const writeLog = begun(ON_A);
  writeLog.begin("x", ON_A, { monotonicMs: 3, wallMs: 4 });
  writeLog.answered("w");
  expect(writeLog.readingOf("w")).toEqual(READING);
  expect(writeLog.readingOf("x")).toEqual({ monotonicMs: 3, wallMs: 4 });
  expect(writeLog.readingOf("y")).toBeUndefined();
});

it("forgets old readings, not new ones, over a long life", () => {
  const writeLog = new WriteLog();
  for (let index = 0; index < 1_000; index += 1) writeLog.begin(`w${index}`, ON_A, READING);
  expect(writeLog.readingOf("w999")).toEqual(READING);
  expect(writeLog.readingOf("w0")).toBeUndefined();
});
