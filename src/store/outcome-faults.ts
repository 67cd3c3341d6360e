import { S3MutexError } from "../errors.js";
import type { ObjectStore } from "./object-store.js";

type Operation = keyof ObjectStore;

/** In words; undefined where it is fine. */
type Fault = string | undefined;

/** Whether a field can be used. */
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isEtag: Check = (value) => typeof value === "string" && value !== "";
const isTime: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === "boolean";
const isFlagOrNone: Check = (value) => value === undefined || isFlag(value);
const isTextOrNone: Check = (value) => value === undefined || isText(value);
const isOurError: Check = (value) => S3MutexError.is(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isMap: Check = (value) => value instanceof Map;
const isTiming: Check = (value) => {
  const { sentAtMs, receivedAtMs, dateMs } = fieldsOf(value);
  return isTime(sentAtMs) && isTime(receivedAtMs) && (dateMs === undefined || isTime(dateMs));
};

type Needs = Readonly<Record<string, Check>>;

const TIMED: Needs = { timing: isTiming };
const NAMED: Needs = { etag: isEtag, ...TIMED };
const CONFLICT: Needs = { busy: isFlagOrNone, code: isTextOrNone, ...TIMED };
const NO_ANSWER = {
  unknown: { error: isOurError, throttled: isFlag, sent: isFlag },
  refused: { error: isOurError },
} as const;

/** For each kind of outcome, what it has to have. */
const PORT: Readonly<Record<Operation, Readonly<Record<string, Needs>>>> = {
  read: {
    ...NO_ANSWER,
    ok: { body: isText, ...NAMED },
    unchanged: TIMED,
    absent: TIMED,
    oversized: NAMED,
    archived: NAMED,
  },
  write: { ...NO_ANSWER, ok: NAMED, conflict: CONFLICT, absent: TIMED },
  remove: { ...NO_ANSWER, ok: TIMED, conflict: CONFLICT, absent: TIMED, unsupported: {}, versioned: {} },
  list: { ...NO_ANSWER, ok: { keys: isTexts, etags: isMap, ...TIMED } },
};

/**
 * Says what keeps this from being an outcome of the port: an adapter is code of the user's, and need not have been checked by a compiler.
 * What it answers is believed as a whole or not at all.
 */
export function faultOfOutcome(operation: Operation, outcome: unknown): Fault {
  const fields = fieldsOf(outcome);
  const { kind } = fields;
  const kinds = PORT[operation];
  const needs = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (needs === undefined) return `\`kind\` is ${shownKind(kind)}, not one of ${Object.keys(kinds).sort().join(", ")}`;
  const missing = Object.keys(needs).find((name) => needs[name]?.(fields[name]) === false);
  return missing === undefined ? undefined : `its "${String(kind)}" has no usable \`${missing}\``;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function shownKind(kind: unknown): string {
  return typeof kind === "string" ? JSON.stringify(kind) : String(kind);
}
