import { describe, expect, it } from "vitest";
import { describeBody, isPage, s3WordsOf } from "./answer.js";

const DOCUMENT = "<Error><Code>NoSuchKey</Code><Message>Not here</Message></Error>";

describe("the words of S3", () => {
  it.each([
    DOCUMENT,
    `<?xml version="1.0"?>${DOCUMENT}`,
    `\uFEFF <?xml version="1.0" encoding="UTF-8"?>\n ${DOCUMENT}`,
    `\n ${DOCUMENT}`,
    '<Error xmlns="x"><Code>NoSuchKey</Code><Message>Not here</Message></Error>',
    "<s3:Error><Code> NoSuchKey\n</Code><Message>\tNot here </Message></s3:Error>",
    "<ErrorResponse><Error><Code>NoSuchKey</Code><Message>Not here</Message></Error></ErrorResponse>",
  ])("are read from %s", (text) => {
    expect(s3WordsOf({ text })).toEqual({ code: "NoSuchKey", message: "Not here" });
  });

  it.each([
    undefined,
    "",
    `oh ${DOCUMENT}`,
    `<html>${DOCUMENT}`,
    `x<?xml version="1.0"?>${DOCUMENT}`,
    "<Errors><Code>NoSuchKey</Code></Errors>",
    "<Error/><Code>NoSuchKey</Code>",
    "<Error><Code></Code></Error>",
    "<Error><Code> </Code></Error>",
    "<Error><Message>Not here</Message></Error>",
    "<Fault><Code>NoSuchKey</Code></Fault>",
  ])("are not found in %s", (text) => {
    expect(s3WordsOf(text === undefined ? {} : { text })).toBeUndefined();
  });

  it("are what they stand for, and may be a code alone", () => {
    const escaped = "<Error><Code>A</Code><Message>&lt;b&gt; &quot;&apos;&amp;lt; &nbsp;</Message></Error>";
    expect(s3WordsOf({ text: escaped })?.message).toBe("<b> \"'&lt; &nbsp;");
    expect(s3WordsOf({ text: "<Error><Code>A</Code></Error>" })).toEqual({ code: "A", message: "" });
  });
});

it.each([
  ["<!DOCTYPE html><p>", true],
  ["<!doctype HTML>", true],
  ["\uFEFF\n <html>", true],
  ["<HEAD>", true],
  ["<body class=x>", true],
  ["<!-- hello -->", true],
  ["see <html>", false],
  ["<Error>", false],
  ['{"a":1}', false],
  ["", false],
  [undefined, false],
])("%s is a page: %s", (text, expected) => {
  expect(isPage(text)).toBe(expected);
});

it.each([
  ["text/plain; charset=utf-8", "404 page not found\n", 'text/plain, "404 page not found"'],
  [undefined, "words", '"words"'],
  ["", "words", '"words"'],
  [" text/html ;x", undefined, "text/html, an empty body"],
  ["text/html", "<p> </p>", "text/html, an empty body"],
  [undefined, "<h1>One</h1><p class=x>two\u001b[31m\u0000three</p>", '"One two [31m three"'],
  [undefined, "a<style>p { x }</style>b<SCRIPT src=1>let y;\nz</SCRIPT>c", '"a b c"'],
  [undefined, "a<style>p</script>b", '"a p b"'],
  [undefined, "x".repeat(100), `"${"x".repeat(100)}"`],
  [undefined, "x".repeat(101), `"${"x".repeat(100)}..."`],
  [undefined, `${" ".repeat(4000)}late`, "an empty body"],
])("describes %s with %j for people", (type, text, expected) => {
  const headers = type === undefined ? {} : { headers: { "content-type": type } };
  expect(describeBody({ ...headers, ...(text === undefined ? {} : { text }) })).toBe(expected);
});
