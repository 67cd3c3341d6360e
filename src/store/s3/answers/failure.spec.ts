import { describe, expect, it } from "vitest";
import { OutOfTime } from "../../time-bound.js";
import { described, failureOf, wholeStatus } from "./failure.js";
import type { Transmission } from "./transmission.js";

const answered = (status: number, text = "", headers: Record<string, string> = {}): Transmission => ({
  sentAtMs: 1,
  receivedAtMs: 2,
  status,
  headers,
  text,
});
const SENT: Transmission = { sentAtMs: 1 };
const failing = (fields: object) => Object.assign(new Error("it failed"), fields);

it("takes S3's code and words, whatever the SDK has thrown", () => {
  const text = "<Error><Code>NoSuchKey</Code><Message>Not  here\n.</Message></Error>";
  expect(failureOf(failing({ name: "NotFound" }), answered(404, text))).toEqual({
    status: 404,
    code: "NoSuchKey",
    message: "Not here ",
    isForeign: false,
    sent: true,
  });
});

it("describes what S3 has not written, and gives it no code", () => {
  const failure = failureOf(failing({ name: "NotFound" }), answered(404, "nothing here", { location: " there\n " }));
  expect(failure).toEqual({
    status: 404,
    code: "",
    message: '"nothing here"',
    isForeign: true,
    location: "there",
    sent: true,
  });
  expect(described(failure)).toBe('404 with "nothing here"');
});

it("names the bucket's region where the answer does", () => {
  const text = "<Error><Code>PermanentRedirect</Code></Error>";
  expect(failureOf(failing({}), answered(301, text, { "x-amz-bucket-region": "eu-west-1" }))).toMatchObject({
    bucketRegion: "eu-west-1",
    message: "",
  });
});

describe("without an answer", () => {
  it.each([
    [failing({ code: "ECONNRESET", name: "TimeoutError" }), "ECONNRESET", "it failed"],
    [failing({ name: "TimeoutError" }), "TimeoutError", "it failed"],
    ["a text", "UnknownError", "a text"],
    [null, "UnknownError", "null"],
    [undefined, "UnknownError", "undefined"],
    [{}, "UnknownError", "[object Object]"],
    [failing({ code: 7 }), "7", "it failed"],
  ])("%s is told by its code, or its name", (error, code, message) => {
    expect(failureOf(error, SENT)).toEqual({ status: undefined, code, message, isForeign: false, sent: true });
  });

  it.each([
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  ])("%s: there was no connection, so nothing was sent", (code) => {
    expect(failureOf(failing({ code }), SENT).sent).toBe(false);
  });

  it.each([
    [failing({ code: "EPIPE", syscall: "connect" }), false],
    [failing({ code: "EPIPE", syscall: "getaddrinfo" }), false],
    [failing({ code: "EPIPE", syscall: "write" }), true],
    [failing({ code: "EPIPE" }), true],
    [failing({ errors: [failing({ syscall: "connect" }), failing({ syscall: "connect" })] }), false],
    [failing({ errors: [failing({ syscall: "connect" }), failing({ syscall: "write" })] }), true],
    [failing({ errors: [failing({ syscall: "connect" }), null] }), true],
    [failing({ errors: "connect" }), true],
  ])("%o: sent is %s", (error, sent) => {
    expect(failureOf(error, SENT).sent).toBe(sent);
    expect(failureOf(error, {}).sent).toBe(false);
  });

  it("a connection that answered was one, whatever has become of it", () => {
    const broken = failing({ code: "EPIPE", syscall: "connect" });
    expect(failureOf(broken, answered(200))).toMatchObject({ sent: true, status: undefined, code: "EPIPE" });
  });

  it("knows what another service said before anything was sent, and not what ours said", () => {
    const error = failing({ name: "Odd", $metadata: { httpStatusCode: 429 } });
    expect(failureOf(error, {})).toMatchObject({ statusElsewhere: 429, sent: false });
    expect(failureOf(error, SENT)).not.toHaveProperty("statusElsewhere");
    expect(failureOf(failing({ name: "Odd" }), {})).not.toHaveProperty("statusElsewhere");
  });
});

it("the words of an answer that broke off do not count: what broke it does", () => {
  const text = "<Error><Code>NoSuchKey</Code><Message>Not here</Message></Error>";
  expect(failureOf(failing({ code: "ECONNRESET" }), answered(404, text))).toMatchObject({
    status: undefined,
    code: "ECONNRESET",
    message: "it failed",
  });
});

it("the status of an answer that broke off does not count", () => {
  expect(wholeStatus(failing({ name: "NoSuchKey" }), answered(404))).toBe(404);
  expect(wholeStatus(failing({ code: "ECONNRESET" }), answered(404))).toBeUndefined();
  expect(wholeStatus(new OutOfTime("late"), answered(404))).toBeUndefined();
  expect(wholeStatus(undefined, answered(404))).toBe(404);
});

it.each([
  [404, "NoSuchKey", "Not here", "404 NoSuchKey: Not here"],
  [404, "NoSuchKey", "", "404 NoSuchKey"],
  [404, "NoSuchKey", "NoSuchKey", "404 NoSuchKey"],
  [undefined, "ECONNRESET", "read ECONNRESET", "ECONNRESET: read ECONNRESET"],
])("reads in a sentence: %s %s %s", (status, code, message, sentence) => {
  expect(described({ status, code, message, isForeign: false, sent: true })).toBe(sentence);
});

it("keeps messages to a line that can be read", () => {
  const message = (text: string) => failureOf(new Error(text), SENT).message;
  expect(message(` a\n\tb  c. `)).toBe("a b c");
  expect(message("a.b")).toBe("a.b");
  expect(message("x".repeat(200))).toBe("x".repeat(200));
  expect(message("x".repeat(201))).toBe(`${"x".repeat(200)}...`);
});

it.each([
  ["a file that is not there", { syscall: "open", code: "ENOENT" }, {}, true],
  ["a file that may not be read", { syscall: "read", code: "EACCES" }, {}, true],
  ["a file that may not be looked at", { syscall: "stat", code: "EPERM" }, {}, true],
  ["a folder in its place", { syscall: "access", code: "EISDIR" }, {}, true],
  ["a file in place of its folder", { syscall: "open", code: "ENOTDIR" }, {}, true],
  ["too many open files", { syscall: "open", code: "EMFILE" }, {}, undefined],
  ["a connection that may not be made", { syscall: "connect", code: "EACCES" }, {}, undefined],
  ["a file, after the request was sent", { syscall: "open", code: "ENOENT" }, { sentAtMs: 1 }, undefined],
])("%s", (_, fields, transmission, unreadFile) => {
  expect(failureOf(Object.assign(new Error("no"), fields), transmission as Transmission).unreadFile).toBe(unreadFile);
});
