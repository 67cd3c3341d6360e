import { expect, it } from "vitest";
import { Attempts } from "./attempts.js";

const READING = { monotonicMs: 1, wallMs: 2 };
/** A look that left after the write did. */
const LATER_MS = 2;
const ON_A = { kind: "if-match", etag: '"a"' } as const;
const CREATE = { kind: "if-absent" } as const;

function begun(condition: typeof ON_A | typeof CREATE): Attempts {
  const attempts = new Attempts();
  attempts.begin("w", condition, READING);
  return attempts;
}

it("does not trust a write before it was answered", () => {
  const attempts = begun(ON_A);
  expect(attempts.haveUnresolved).toBe(true);
  attempts.answered("w");
  expect(attempts.haveUnresolved).toBe(false);
});

it("knows a write for dead when a present object has another ETag than it was conditioned on", () => {
  const attempts = begun(ON_A);
  attempts.seen('"a"', LATER_MS);
  expect(attempts.haveUnresolved).toBe(true);
  attempts.seen('"b"', LATER_MS);
  expect(attempts.haveUnresolved).toBe(false);
});

it("knows a create for dead when there is an object", () => {
  const attempts = begun(CREATE);
  attempts.seen('"any"', LATER_MS);
  expect(attempts.haveUnresolved).toBe(false);
});

it.each([ON_A, CREATE])("learns nothing from a look that left before the write did: %j", (condition) => {
  const attempts = begun(condition);
  attempts.seen('"b"', READING.monotonicMs - 1);
  attempts.seen('"b"', READING.monotonicMs);
  expect(attempts.haveUnresolved).toBe(true);
});

it.each([ON_A, CREATE])("knows no write for dead where there is no object: %j", (condition) => {
  const attempts = begun(condition);
  attempts.seen(undefined, LATER_MS);
  expect(attempts.haveUnresolved).toBe(true);
});

it("keeps the reading of each write, answered or not, for the lease that counts from it", () => {
  const attempts = begun(ON_A);
  attempts.begin("x", ON_A, { monotonicMs: 3, wallMs: 4 });
  attempts.answered("w");
  expect(attempts.readingOf("w")).toEqual(READING);
  expect(attempts.readingOf("x")).toEqual({ monotonicMs: 3, wallMs: 4 });
  expect(attempts.readingOf("y")).toBeUndefined();
});

it("forgets old readings, not new ones, over a long life", () => {
  const attempts = new Attempts();
  for (let index = 0; index < 10_000; index += 1) attempts.begin(`w${index}`, ON_A, READING);
  expect(attempts.readingOf("w9999")).toEqual(READING);
  expect(attempts.readingOf("w0")).toBeUndefined();
});
