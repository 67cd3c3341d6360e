import { isCount, isObject, type Json, parseJson } from "./json.js";
import {
  type CutShort,
  type Hold,
  type Holder,
  type LockRecord,
  MAX_TOKEN,
  type Mirror,
  mirrorOf,
  SCHEMA,
  type Shares,
  type Turn,
  type Waiter,
} from "./record.js";

/** What a body under a lock's key turned out to be. */
export type Parsed =
  | { readonly kind: "record"; readonly record: LockRecord }
  | { readonly kind: "newer-schema"; readonly schema: number }
  | { readonly kind: "corrupt"; readonly problem: string };

/**
 * Reads a body: a record of ours, one that 1.x wrote (its five fields and nothing else), or one of ours that 1.x wrote
 * last. Everything else is corrupt: never free, never overwritten.
 */
export function parseRecord(body: string): Parsed {
  if (isTooDeep(body)) return corrupt("it is nested too deeply");
  const json = parseJson(body);
  if (json === undefined) return corrupt("it is not JSON");
  if (!isObject(json)) return corrupt("it is not a JSON object");
  if (json["schema"] === undefined) return parseRecordOf1x(json);
  if (!isCount(json["schema"])) return corrupt("`schema` is not a number");
  if (json["schema"] > SCHEMA) return { kind: "newer-schema", schema: json["schema"] };
  const problem = problemOfRecord(json);
  return problem === undefined ? { kind: "record", record: heedMirror(json) } : corrupt(problem);
}

/** Writes the body of a record, with what 1.x is to see at the top. Every body is unique: it carries a write id of its own. */
export function serializeRecord(record: LockRecord): string {
  return JSON.stringify({ ...mirrorOf(record.holders), ...record });
}

/** What is nested deeper than this could be parsed, but not written again. Brackets in texts count as well: there are few. */
const MAX_BRACKETS_OPEN = 2000;

/** Says whether a body is nested too deeply, by code units: by characters it takes as long as all the rest of reading a body. */
function isTooDeep(body: string): boolean {
  let open = 0;
  for (let at = 0; at < body.length; at += 1) {
    const unit = body.charCodeAt(at);
    if (unit === BRACKET || unit === BRACE) open += 1;
    if (unit === BRACKET_CLOSED || unit === BRACE_CLOSED) open -= 1;
    if (open > MAX_BRACKETS_OPEN) return true;
  }
  return false;
}

const [BRACKET, BRACE, BRACKET_CLOSED, BRACE_CLOSED] = [0x5b, 0x7b, 0x5d, 0x7d];

function corrupt(problem: string): Parsed {
  return { kind: "corrupt", problem };
}

// ---------------------------------------------------------------------------------------------------------------------
// Beside 1.x

const FIELDS_OF_1X = ["locked", "owner", "acquiredAt", "expiresAt", "priority"];

function parseRecordOf1x(json: Json): Parsed {
  const mirror = mirrorFrom(json);
  if (mirror === undefined || Object.keys(json).some((field) => !FIELDS_OF_1X.includes(field))) {
    return corrupt("it has neither a lock record's `schema` nor just the fields of s3-mutex 1.x");
  }
  const since = mirror.locked ? mirror.acquiredAt : 0;
  const record: LockRecord = {
    schema: SCHEMA,
    writeId: undefined,
    createdAtMs: since,
    touchedAtMs: since,
    token: 0,
    limit: 1,
    holders: holdersOfMirror(mirror, []),
    queue: [],
    recent: [],
  };
  return { kind: "record", record };
}

/**
 * Believes the mirror where it differs from what the holders imply. 1.x wrote last then (it rewrites the whole body
 * that it parsed): the mirror is the truth about the holder, while queue and counter are still ours.
 */
function heedMirror(json: Json): LockRecord {
  const { locked, owner, acquiredAt, expiresAt, priority, ...rest } = json;
  const record = rest as unknown as LockRecord;
  const mirror = mirrorFrom({ locked, owner, acquiredAt, expiresAt, priority });
  if (mirror === undefined || isSameMirror(mirror, mirrorOf(record.holders))) return record;
  // What 1.x has written proves nothing about who reads it: that writer has checked nothing, and sets no time.
  const { proofs: _, ...kept } = record;
  return { ...kept, writeId: undefined, holders: holdersOfMirror(mirror, record.holders) };
}

function mirrorFrom(json: Json): Mirror | undefined {
  const { locked, owner, acquiredAt, expiresAt, priority } = json;
  if (locked === false) return { locked };
  if (locked !== true || typeof owner !== "string") return undefined;
  // A lock of 1.x without an expiry would be held forever; 1.x does not write that.
  if (!isTime(expiresAt) || !isOptional(acquiredAt, isTime) || !isOptional(priority, isTime)) return undefined;
  return { locked, owner, acquiredAt: acquiredAt ?? expiresAt, expiresAt, priority: priority ?? 0 };
}

function isSameMirror(one: Json, other: Json): boolean {
  return FIELDS_OF_1X.every((field) => one[field] === other[field]);
}

/** Gives the holder that 1.x knows, under an id made of its owner, so that it is the same one whenever it is read. */
function holdersOfMirror(mirror: Mirror, known: readonly Holder[]): Holder[] {
  if (!mirror.locked) return [];
  const { owner, acquiredAt, expiresAt, priority } = mirror;
  const id = `1.x/${owner}`;
  return [
    {
      id,
      owner,
      via: "name",
      mode: "exclusive",
      token: known.find((holder) => holder.id === id)?.token ?? 0,
      priority,
      leaseMs: Math.max(1, expiresAt - acquiredAt),
      acquiredAtMs: acquiredAt,
      renewedAtMs: acquiredAt,
      expiresAtMs: expiresAt,
      leaseWriteId: `${id}/${expiresAt}`,
    },
  ];
}

// ---------------------------------------------------------------------------------------------------------------------
// Validation: field by field, so that a message can say which

type Check = (value: unknown) => boolean;

const isPositive: Check = (value) => isCount(value) && value > 0;
const isToken: Check = (value) => isCount(value) && value <= MAX_TOKEN;
const isTime = (value: unknown): value is number => Number.isFinite(value);
const isString: Check = (value) => typeof value === "string";
const isOneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

function isOptional<T>(value: unknown, check: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || check(value);
}

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

type Shape<T> = { readonly [Field in keyof Required<T>]: Check };

function hasShape<T>(shape: Shape<T>): Check {
  const problemOf = problemOfShape(shape);
  return (value) => isObject(value) && problemOf(value) === undefined;
}

function problemOfShape<T>(shape: Shape<T>): (json: Json) => string | undefined {
  const checks = Object.entries<Check>(shape);
  return (json) => {
    for (const [field, check] of checks) {
      if (!check(json[field])) return `\`${field}\` is missing or not what it should be`;
    }
    return undefined;
  };
}

/** The first has one at least. */
const isSharesList: Check = (value) => isListOf(isCount)(value) && isPositive((value as readonly unknown[])[0]);

const IDENTITY = { host: optional(isString), pid: optional(isCount), label: optional(isString) };

const HOLDER: Shape<Holder> = {
  ...IDENTITY,
  id: isString,
  owner: isString,
  via: isOneOf("name", "handle"),
  mode: isOneOf("exclusive", "shared"),
  permits: optional(isPositive),
  token: isToken,
  priority: isTime,
  leaseMs: isTime,
  acquiredAtMs: isTime,
  renewedAtMs: isTime,
  expiresAtMs: isTime,
  undated: optional(isOneOf(true)),
  leaseWriteId: isString,
  holdAtLeastMs: optional(isTime),
  releasedAtMs: optional(isTime),
};

const HOLD: Shape<Hold> = { kind: optional(isOneOf("semaphore")), name: isString, token: isCount };

const WAITER: Shape<Waiter> = {
  ...IDENTITY,
  id: isString,
  owner: isString,
  mode: isOneOf("exclusive", "shared"),
  permits: optional(isPositive),
  priority: isTime,
  sinceMs: isTime,
  expiresAtMs: isTime,
  roundTripMs: isTime,
  holds: isListOf(hasShape(HOLD)),
};

const TURN: Shape<Turn> = {
  ...IDENTITY,
  id: isString,
  owner: isString,
  token: isCount,
  fromMs: isTime,
  toMs: isTime,
  ended: isOneOf("released", "expired", "forced", "deleted"),
};

const isCuts = optional(hasShape({ untilMs: isTime, tokens: isListOf(isCount) }));

const RECORD: Shape<LockRecord> = {
  schema: isOneOf(SCHEMA),
  writeId: isString,
  createdAtMs: isTime,
  touchedAtMs: isTime,
  token: isToken,
  limit: isCount,
  shares: optional(hasShape<Shares>({ version: isPositive, permits: isSharesList })),
  sharesVersion: optional(isPositive),
  holders: isListOf(hasShape(HOLDER)),
  queue: isListOf(hasShape(WAITER)),
  recent: isListOf(hasShape(TURN)),
  cutShort: optional(hasShape<CutShort>({ forced: isCuts, deleted: isCuts })),
  freeSinceMs: optional(isTime),
  notBeforeMs: optional(isTime),
  deleted: optional(isOneOf(true)),
  undated: optional(isOneOf(true)),
  // Judged where it is used: a proof that is not understood counts for nothing, and does not keep a caller from the lock.
  proofs: () => true,
};

const problemOfShapeOfRecord = problemOfShape<LockRecord>(RECORD);

/** Says what is wrong with a record. A limit of 0 is the share of one of several records at times, and the limit of no other. */
function problemOfRecord(json: Json): string | undefined {
  const isWithout = json["limit"] === 0 && json["sharesVersion"] === undefined;
  return problemOfShapeOfRecord(json) ?? (isWithout ? "`limit` is 0" : undefined);
}
