import { expect, it } from "vitest";
import { retold, toldBy } from "../../chaos/store/telling.js";
import { Random } from "../../src/testing/virtual/random.js";

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const HEADERS = { date: new Date(NOW_MS).toUTCString(), etag: '"e"' };
const lateMsOf = (headers: Readonly<Record<string, unknown>>) => NOW_MS - Date.parse(String(headers["date"]));

it("a proxy that drops `Date` drops every one, and the other does a bit of everything", () => {
  const random = new Random(1);
  const all = (manner: "drops-date" | "varies-date") =>
    new Set(Array.from({ length: 200 }, () => toldBy(manner, random)));
  expect([...all("drops-date")]).toEqual(["without Date"]);
  expect([...all("varies-date")].sort()).toEqual(["as it was", "late", "with Age", "without Date"]);
});

it("nothing but the time is changed, and an answer out of a cache is as old as it says", () => {
  const random = new Random(1);
  expect(retold(HEADERS, "as it was", NOW_MS, random)).toEqual(HEADERS);
  expect(retold({ ...HEADERS, age: "0" }, "without Date", NOW_MS, random)).toEqual({ etag: '"e"' });
  for (let count = 0; count < 100; count += 1) {
    const late = retold(HEADERS, "late", NOW_MS, random);
    expect(late).toEqual({ etag: '"e"', date: expect.any(String) });
    expect(lateMsOf(late)).toBeLessThanOrEqual(1000);
    const aged = retold(HEADERS, "with Age", NOW_MS, random);
    expect(lateMsOf(aged)).toBe(Number(aged["age"]) * 1000);
    expect(Number(aged["age"])).toBeGreaterThan(0);
  }
});
