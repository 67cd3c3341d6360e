import { expect, it } from "vitest";
import { S3MutexError } from "../errors.js";
import { faultOfOutcome } from "./outcome-faults.js";

const timing = { sentAtMs: 1, receivedAtMs: 2 };
const error = new S3MutexError("store-unavailable", "No answer.");
const unknown = { kind: "unknown", error, throttled: false, sent: true };

it.each([
  ["read", { kind: "ok", etag: '"1"', body: "", timing: { ...timing, dateMs: 3 } }],
  ["read", { kind: "unchanged", timing }],
  ["read", { kind: "absent", timing }],
  ["read", { kind: "oversized", etag: '"1"', timing }],
  ["read", { kind: "archived", etag: '"1"', timing }],
  ["write", { kind: "ok", etag: '"1"', timing }],
  ["write", { kind: "conflict", timing }],
  ["write", { kind: "conflict", busy: true, timing }],
  ["write", { kind: "conflict", busy: undefined, timing }],
  ["write", { kind: "conflict", busy: true, code: "OperationAborted", timing }],
  ["write", { kind: "conflict", busy: true, code: undefined, timing }],
  ["write", { kind: "absent", timing }],
  ["remove", { kind: "ok", timing }],
  ["remove", { kind: "unsupported" }],
  ["remove", { kind: "versioned" }],
  ["list", { kind: "ok", keys: ["a"], etags: new Map(), timing }],
  ["list", { kind: "ok", keys: [], etags: new Map(), timing }],
  ["read", unknown],
  ["write", { kind: "refused", error }],
] as const)("%s may come to %o", (operation, outcome) => {
  expect(faultOfOutcome(operation, outcome)).toBeUndefined();
});

it.each([
  ["read", undefined, "`kind` is undefined, not one of absent, archived, ok, oversized, refused, unchanged, unknown"],
  ["write", null, "`kind` is undefined, not one of absent, conflict, ok, refused, unknown"],
  ["write", "ok", "`kind` is undefined"],
  ["write", { kind: "unchanged", timing }, '`kind` is "unchanged"'],
  ["read", { kind: "toString" }, '`kind` is "toString"'],
  ["read", { kind: ["ok"], etag: '"1"', body: "", timing }, "`kind` is ok"],
  ["read", { kind: "ok", timing }, 'its "ok" has no usable `body`'],
  ["read", { kind: "ok", body: "x", etag: "", timing }, 'its "ok" has no usable `etag`'],
  ["read", { kind: "oversized", timing }, 'its "oversized" has no usable `etag`'],
  ["write", { kind: "ok", etag: 1, timing }, 'its "ok" has no usable `etag`'],
  ["write", { kind: "conflict", busy: "no", timing }, 'its "conflict" has no usable `busy`'],
  ["write", { kind: "conflict", busy: true, code: 409, timing }, 'its "conflict" has no usable `code`'],
  ["remove", { kind: "conflict", busy: 409, timing }, 'its "conflict" has no usable `busy`'],
  ["write", { kind: "conflict" }, 'its "conflict" has no usable `timing`'],
  ["write", { kind: "conflict", timing: { ...timing, sentAtMs: Number.NaN } }, "`timing`"],
  ["write", { kind: "conflict", timing: { sentAtMs: 1 } }, "`timing`"],
  ["write", { kind: "conflict", timing: { ...timing, dateMs: "today" } }, "`timing`"],
  ["list", { kind: "ok", keys: "ab", etags: new Map(), timing }, "`keys`"],
  ["list", { kind: "ok", keys: [1], etags: new Map(), timing }, "`keys`"],
  ["list", { kind: "ok", keys: [], etags: {}, timing }, "`etags`"],
  ["read", { ...unknown, error: new Error("x") }, "`error`"],
  ["read", { ...unknown, throttled: undefined }, "`throttled`"],
  ["read", { ...unknown, sent: "no" }, "`sent`"],
  ["remove", { kind: "refused" }, "`error`"],
] as const)("%s may not come to %o", (operation, outcome, fault) => {
  expect(faultOfOutcome(operation, outcome)).toContain(fault);
});
