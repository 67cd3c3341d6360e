import { describe, expect, it } from "vitest";
import { isAboutAnother, isConflict, isDeletion, isForeignPage, isListing, isReceipt, notOfS3 } from "./receipts.js";

const OF_S3 = { "x-amz-request-id": "1" };
const ERROR = "<Error><Code>InternalError</Code></Error>";
const PAGE = "<html><body>Hello</body></html>";
const bytes = (text: string) => ({ kind: "bytes", bytes: Buffer.from(text) }) as const;

it.each([
  [412, undefined, true],
  [409, "", true],
  [412, ERROR, true],
  [412, PAGE, false],
  [409, PAGE, false],
  [404, "", false],
  [400, "", false],
])("%i with %j is a conflict: %s", (status, text, expected) => {
  const transmission = text === undefined ? {} : { text };
  for (const isCreation of [true, false])
    expect(isConflict(status, { code: undefined, transmission }, isCreation)).toBe(expected);
});

it("304 is a conflict of creations alone", () => {
  const said = { code: undefined, transmission: { text: "" } };
  expect([true, false].map((isCreation) => isConflict(304, said, isCreation))).toEqual([true, false]);
});

it.each([
  [{}, true],
  [{ text: " \n" }, true],
  [{ text: "done", headers: OF_S3 }, true],
  [{ text: "done", headers: {} }, false],
  [{ text: "done" }, false],
  [{ text: PAGE }, false],
  [{ text: ERROR, headers: OF_S3 }, false],
])("%o is a receipt: %s", (transmission, expected) => {
  expect(isReceipt(transmission)).toBe(expected);
});

it.each([
  [{ status: 204 }, true],
  [{ status: 204, text: "x" }, true],
  [{ status: 200, text: "", headers: OF_S3 }, true],
  [{ status: 200, headers: OF_S3 }, true],
  [{ status: 200, text: "x", headers: OF_S3 }, false],
  [{ status: 200, text: "", headers: {} }, false],
  [{ status: 200 }, false],
])("%o is a deletion: %s", (transmission, expected) => {
  expect(isDeletion(transmission)).toBe(expected);
});

it.each([
  [{}, false],
  [{ headers: {} }, false],
  [{ headers: { etag: '"a"' } }, false],
  [{ headers: { etag: 'W/"a-gzip"' } }, false],
  [{ headers: { etag: '"b"' } }, true],
])('a 304 with %o is about another version than "a": %s', (transmission, expected) => {
  expect(isAboutAnother(transmission, '"a"')).toBe(expected);
});

describe("a page in place of a record", () => {
  const HTML = { "content-type": "text/html; charset=utf-8" };
  it.each([
    [bytes(PAGE), HTML, true],
    [{ kind: "oversized" } as const, HTML, true],
    [bytes("{}"), HTML, false],
    [bytes(PAGE), { ...HTML, ...OF_S3 }, false],
    [bytes(PAGE), { "content-type": "application/json" }, false],
    [bytes(PAGE), { "content-type": "application/text/html" }, false],
    [bytes(PAGE), {}, false],
  ])("%o with %o: %s", (body, headers, expected) => {
    expect(isForeignPage(body, { headers })).toBe(expected);
  });

  it("needs a type", () => {
    expect(isForeignPage(bytes(PAGE), {})).toBe(false);
  });
});

it("says why a success is not believed", () => {
  expect(notOfS3(undefined, { status: 201, text: "Hello" })).toBe('the answer has no ETag (201 with "Hello")');
  expect(notOfS3('"a"', {})).toBe("the answer is not one of S3 (200 with an empty body)");
  expect(notOfS3('"a"', { text: "head" }, bytes("Body"))).toBe('the answer is not one of S3 (200 with "Body")');
  expect(notOfS3('"a"', { text: "head" }, { kind: "oversized" })).toBe('the answer is not one of S3 (200 with "head")');
});

it.each([
  ["<ListBucketResult>", true],
  ['<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">', true],
  ["<ListBucketResult/>", true],
  ["<aws:ListBucketResult>", true],
  ['<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>', true],
  ['\uFEFF \n<?xml version="1.0"?> \n<ListBucketResult>', true],
  ["<ListBucketResults>", false],
  ["</ListBucketResult>", false],
  ["<html><ListBucketResult>", false],
  [PAGE, false],
  ["", false],
])("%j is a listing: %s", (text, expected) => {
  expect(isListing({ text })).toBe(expected);
  expect(isListing({})).toBe(false);
});
