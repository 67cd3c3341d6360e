import { describe, expect, it } from "vitest";
import { looksOf } from "../answers/unproven.js";

const HEADERS = { "content-type": "text/plain", server: "nginx" };
const looks = (text: string, headers: Record<string, string> = HEADERS, key = "locks/a.json") =>
  looksOf({ headers, text }, key);

describe("two answers about missing keys look alike where one server gives them", () => {
  it.each(["date", "age", "connection", "keep-alive", "content-length", "transfer-encoding"])(
    "whatever %s says, and whether it does",
    (name) => {
      expect(looks("not found", { ...HEADERS, [name]: "1" })).toBe(looks("not found"));
    },
  );

  it("in whichever order their headers come", () => {
    expect(looks("", { a: "1", b: "2" })).toBe(looks("", { b: "3", a: "4" }));
  });

  it.each([
    ["the key itself", "no locks/a.json here", "no locks/b.json here", "locks/b.json"],
    ["the key in a path", "no /bucket/locks/a.json here", "no /bucket/locks/b.json here", "locks/b.json"],
    ["the key as URLs have it", "no locks%2Fa.json here", "no locks%2Fb.json here", "locks/b.json"],
    ["numbers", "request 0815 failed", "request 4711 failed", "locks/a.json"],
    ["what is after 2,000 characters", `${"x ".repeat(1000)}one`, `${"x ".repeat(1000)}two`, "locks/a.json"],
    ["marks between words", "not , found", "not ;; found", "locks/a.json"],
  ])("apart from %s", (_, one, other, key) => {
    expect(looks(other, HEADERS, key)).toBe(looks(one));
  });
});

describe("and do not where another server gives them", () => {
  it.each<[string, string, Record<string, string>?]>([
    ["other words", "page lost"],
    ["more words", "not found here"],
    ["words that end like the key", "not found xlocks/a.json"],
    ["words that only begin like the key", "not found locks/a.json/more"],
    ["a word that is not URL text", "not found %zz"],
    ["another type", "not found", { ...HEADERS, "content-type": "text/html" }],
    ["another server", "not found", { ...HEADERS, server: "envoy" }],
    ["another header", "not found", { ...HEADERS, via: "x" }],
    ["no headers", "not found", {}],
  ])("with %s", (_, text, headers = HEADERS) => {
    expect(looks(text, headers)).not.toBe(looks("not found"));
  });

  it("an answer without anything looks like itself", () => {
    expect(looksOf({}, "a")).toBe(looksOf({ headers: {}, text: "" }, "b"));
  });
});
