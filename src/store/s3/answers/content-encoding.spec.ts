import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { decodeBody } from "./content-encoding.js";
import { decodeKey } from "./document.js";

const TEXT = Buffer.from("a lock's record ".repeat(20));

it.each([
  ["gzip", gzipSync(TEXT)],
  ["x-gzip", gzipSync(TEXT)],
  [" GZip ", gzipSync(TEXT)],
  ["deflate", deflateSync(TEXT)],
  ["br", brotliCompressSync(TEXT)],
  ["identity", TEXT],
  ["", TEXT],
  [undefined, TEXT],
])("undoes %s", (encoding, bytes) => {
  expect(decodeBody(bytes, encoding, 10_000)).toEqual(TEXT);
});

it("leaves as it came what is not such an encoding, and what would be longer than it may", () => {
  expect(decodeBody(TEXT, "gzip", 10_000)).toEqual(TEXT);
  const bytes = gzipSync(TEXT);
  expect(decodeBody(bytes, "gzip", TEXT.length - 1)).toEqual(bytes);
});

it.each([
  ["a%2Fb+c%2B", "a/b c+"],
  ["a+b+c", "a b c"],
  ["100%", "100%"],
])("reads the listed key %s", (encoded, key) => {
  expect(decodeKey(encoded)).toBe(key);
});
