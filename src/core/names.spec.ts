import fc from "fast-check";
import { expect, it } from "vitest";
import { anyText } from "../../test/protocol/arbitraries.js";
import {
  anchorOfPart,
  keyOfName,
  keyOfNameIn1x,
  keyOfPart,
  keyPrefixOfNames,
  MAX_KEY_BYTES,
  nameOfKey,
} from "./names.js";

const PREFIX = "locks/";

function keyOf(name: string, prefix = PREFIX): string {
  const result = keyOfName(prefix, name);
  if (!result.ok) throw new Error(`${JSON.stringify(name)} has no key: ${result.problem}`);
  return result.key;
}

/** Names made of what could be mixed up: separators, escapes, dots, halves of emoji. */
const trickyParts = [
  "/",
  ".",
  "..",
  "a",
  "2f",
  ".2f",
  ".json",
  "-",
  "_",
  "%2F",
  " ",
  "\0",
  "é",
  "😀",
  "\ud83d",
  "\ude00",
];
const trickyName = fc
  .array(fc.constantFrom(...trickyParts), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""));
const anyName = fc.oneof(trickyName, anyText(), fc.string({ unit: "grapheme" })).filter((name) => name !== "");

it("gives every name back", () => {
  fc.assert(fc.property(anyName, fc.constantFrom("", PREFIX, "a.b/", "é/"), roundTrips), { numRuns: 2000 });
});

function roundTrips(name: string, prefix: string): void {
  expect(nameOfKey(prefix, keyOf(name, prefix))).toBe(name);
}

it("never gives two names the same key", () => {
  const other = (name: string) =>
    fc.oneof(fc.constant(name.normalize("NFD")), fc.constant(name.toLowerCase()), anyName);
  const pair = anyName.chain((name) => fc.tuple(fc.constant(name), other(name)));
  fc.assert(
    fc.property(pair, ([one, another]) => {
      expect(keyOf(one) === keyOf(another)).toBe(one === another);
    }),
    { numRuns: 2000 },
  );
});

it("has a key for every combination of a few dangerous characters, all different", () => {
  const characters = ["/", ".", "a", "2", "f", "\ud83d", "\ude00"];
  let names = [""];
  const keys = new Set<string>();
  let count = 0;
  for (let length = 1; length <= 4; length += 1) {
    names = names.flatMap((name) => characters.map((character) => name + character));
    for (const name of names) keys.add(keyOf(name));
    count += names.length;
  }
  expect(keys.size).toBe(count);
});

it("uses only characters that need no URL encoding, and neither empty nor dotted path segments", () => {
  fc.assert(
    fc.property(anyName, (name) => {
      const encoded = keyOf(name).slice(PREFIX.length);
      expect(encoded).toMatch(/^[A-Za-z0-9_./-]+\.json$/);
      expect(encoded).not.toMatch(/\.\.|\/\/|^\/|\/\.json$/);
    }),
    { numRuns: 1000 },
  );
});

it.each([
  ["myapp/import", "locks/myapp/import.json"],
  ["/", "locks/.2f.json"],
  ["/a", "locks/.2fa.json"],
  ["a/", "locks/a.2f.json"],
  ["a//b", "locks/a.2f.2fb.json"],
  [".", "locks/.2e.json"],
  ["..", "locks/.2e.2e.json"],
  ["a/../b", "locks/a/.2e.2e/b.json"],
  ["a.json", "locks/a.2ejson.json"],
  ["a b", "locks/a.20b.json"],
  ["é", "locks/.c3.a9.json"],
  ["😀", "locks/.f0.9f.98.80.json"],
  ["\x7f", "locks/.7f.json"],
  ["\u0080", "locks/.c2.80.json"],
  ["\u07ff", "locks/.df.bf.json"],
  ["\u0800", "locks/.e0.a0.80.json"],
  ["\uffff", "locks/.ef.bf.bf.json"],
  ["\u{10000}", "locks/.f0.90.80.80.json"],
  ["\u{10ffff}", "locks/.f4.8f.bf.bf.json"],
  ["\ud83d", "locks/.ed.a0.bd.json"],
  ["\ude00\ud83d", "locks/.ed.b8.80.ed.a0.bd.json"],
])("writes %j as %s", (name, key) => {
  expect(keyOf(name)).toBe(key);
  expect(nameOfKey(PREFIX, key)).toBe(name);
});

it("keeps the keys of 1.x for names of letters, digits, - and _", () => {
  const plain = fc.string({ unit: fc.constantFrom(..."azAZ09-_"), minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(plain, (name) => {
      expect(keyOf(name)).toBe(`${PREFIX}${name}.json`);
      expect(keyOfNameIn1x(PREFIX, name)).toEqual({ ok: true, key: keyOf(name) });
    }),
  );
});

it.each([
  ["a b/c.d", "locks/a_b_c_d.json"],
  ["é", "locks/_.json"],
  ["😀", "locks/__.json"],
])("knows the key of 1.x for %j, which replaced each unit of it that is not plain", (name, key) => {
  expect(keyOfNameIn1x(PREFIX, name)).toEqual({ ok: true, key });
});

it("reads only the one spelling of a key that it writes itself", () => {
  const piece = fc.constantFrom(
    ".",
    "2f",
    "2F",
    "41",
    "c3",
    "a9",
    "ed",
    "a0",
    "80",
    "b0",
    "f0",
    "9f",
    "ff",
    "/",
    "a",
    "Z",
    "é",
  );
  const key = fc
    .array(fc.oneof({ weight: 4, arbitrary: piece }, fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((pieces) => `${PREFIX}${pieces.join("")}.json`);
  fc.assert(
    fc.property(key, (candidate) => {
      const name = nameOfKey(PREFIX, candidate);
      if (name !== undefined) expect(keyOf(name)).toBe(candidate);
    }),
    { numRuns: 5000 },
  );
});

it.each([
  ["an escape of what stands for itself", "locks/.41.json"],
  ["capital hex digits", "locks/.2E.json"],
  ["half an escape", "locks/a.2.json"],
  ["a sign in an escape", "locks/a.-1.json"],
  ["escapes that are not apart", "locks/.c3a9.json"],
  ["a dot that escapes nothing", "locks/a.zz.json"],
  ["an escaped slash between parts", "locks/a.2fb.json"],
  ["an empty part", "locks/a//b.json"],
  ["overlong UTF-8", "locks/.c0.af.json"],
  ["a pair of surrogates, each for itself", "locks/.ed.a0.bd.ed.b8.80.json"],
  ["UTF-8 that breaks off", "locks/.f0.9f.98.json"],
  ["a continuation alone", "locks/.80.json"],
  ["a code point past the last", "locks/.f7.bf.bf.bf.json"],
  ["a character that would be escaped", "locks/é.json"],
  ["no name at all", "locks/.json"],
  ["another ending", "locks/a.txt"],
  ["another prefix", "other/a.json"],
  ["the prefix itself", "locks/"],
])("knows no name for a key with %s", (_, key) => {
  expect(nameOfKey(PREFIX, key)).toBeUndefined();
});

it("refuses the empty name", () => {
  expect(keyOfName(PREFIX, "")).toEqual({ ok: false, problem: "empty", keyBytes: 0 });
});

it("allows keys of exactly S3's limit, counted in bytes, prefix included", () => {
  for (const prefix of ["", PREFIX, "schlösser/", "😀/"]) {
    const spare = MAX_KEY_BYTES - Buffer.byteLength(`${prefix}.json`);
    expect(Buffer.byteLength(keyOf("a".repeat(spare), prefix))).toBe(MAX_KEY_BYTES);
    const tooLong = { ok: false, problem: "too-long", keyBytes: MAX_KEY_BYTES + 1 };
    expect(keyOfName(prefix, "a".repeat(spare + 1))).toEqual(tooLong);
  }
});

it("takes 300 letters, but not 300 emoji, and says how long their key would be", () => {
  expect(keyOfName(PREFIX, "x".repeat(300)).ok).toBe(true);
  expect(keyOfName(PREFIX, "😀".repeat(300))).toMatchObject({ problem: "too-long", keyBytes: 300 * 12 + 11 });
});

it("finds the keys of all names with a beginning", () => {
  fc.assert(
    fc.property(anyName, fc.nat(12), (name, length) => {
      expect(keyOf(name).startsWith(keyPrefixOfNames(PREFIX, name.slice(0, length)))).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(keyPrefixOfNames(PREFIX, "team/a.b")).toBe("locks/team/a.2eb");
});

it("gives the further records of a semaphore keys that are those of no name", () => {
  expect(keyOfPart("s/pool.json", 12)).toBe("s/pool.part12.json");
  expect(anchorOfPart("s/pool.part1.json.part")).toBeUndefined();
  fc.assert(
    fc.property(anyName, fc.integer({ min: 1, max: 99 }), (name, part) => {
      const key = keyOfPart(keyOf(name), part);
      expect(nameOfKey(PREFIX, key)).toBeUndefined();
      expect(anchorOfPart(key)).toBe(keyOf(name));
      expect(anchorOfPart(keyOf(name))).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});
