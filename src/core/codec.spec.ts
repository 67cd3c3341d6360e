import fc from "fast-check";
import { expect, it } from "vitest";
import { anyRecord, anyText } from "../../test/protocol/arbitraries.js";
import { holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "./codec.js";
import { type LockRecord, mirrorOf, SCHEMA } from "./record.js";

function recordIn(body: string): LockRecord {
  const parsed = parseRecord(body);
  if (parsed.kind !== "record") throw new Error(`no record: ${JSON.stringify(parsed)} in ${body}`);
  return parsed.record;
}

const FULL = recordOf({
  token: 12,
  holders: [holderOf({ id: "h", token: 12, host: "web-1", pid: 7, label: "import" })],
  queue: [waiterOf({ id: "w" })],
  recent: [turnOf({ id: "t" })],
  notBeforeMs: T0,
});

it("gives every valid record back", () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      expect(recordIn(serializeRecord(record))).toEqual(record);
    }),
    { numRuns: 500 },
  );
});

it("shows 1.x its five fields at the top, and has none of them in the record", () => {
  const body = JSON.parse(serializeRecord(FULL));
  const mirror = { locked: true, owner: "owner of h", acquiredAt: T0, expiresAt: T0 + 10_000, priority: 0 };
  expect(body).toMatchObject(mirror);
  for (const field of Object.keys(mirror)) expect(recordIn(JSON.stringify(body))).not.toHaveProperty(field);
  expect(JSON.parse(serializeRecord(recordOf()))).toMatchObject({ locked: false });
});

/** What 1.x writes. */
const HELD_BY_1X = { locked: true, owner: "old", acquiredAt: T0, expiresAt: T0 + 60_000, priority: 5 };

const KNOWN = new Set([
  ...Object.keys(JSON.parse(serializeRecord(FULL))),
  ...["freeSinceMs", "deleted", "proofs"],
  ...[...FULL.holders, ...FULL.queue, ...FULL.recent].flatMap((entry) => Object.keys(entry)),
]);
const unknownField = fc.oneof(fc.string(), anyText(8), fc.constantFrom("__proto__", "constructor", "toString", "then"));
const unknownFields = fc
  .array(fc.tuple(unknownField, fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 })
  .map((entries) => entries.filter(([field]) => !KNOWN.has(field)));

/** Spelled as text, so that `__proto__` is a field like any other. */
function withFields(json: string, fields: readonly (readonly [string, unknown])[]): string {
  const extra = fields.map(([field, value]) => `${JSON.stringify(field)}:${JSON.stringify(value)},`).join("");
  return `{${extra}${json.slice(1)}`;
}

function expectFields(json: object, fields: readonly (readonly [string, unknown])[]): void {
  for (const [field, value] of new Map(fields)) {
    expect(Object.getOwnPropertyDescriptor(json, field)?.value).toEqual(value);
  }
}

it("keeps fields that it does not know, at the top and in every entry", () => {
  fc.assert(
    fc.property(unknownFields, (fields) => {
      const list = (entries: readonly object[]) => entries.map((entry) => withFields(JSON.stringify(entry), fields));
      const { holders, queue, recent, ...rest } = { ...mirrorOf(FULL.holders), ...FULL };
      const lists = `"holders":[${list(holders)}],"queue":[${list(queue)}],"recent":[${list(recent)}],`;
      const body = withFields(`{${lists}${JSON.stringify(rest).slice(1)}`, fields);
      const again = JSON.parse(serializeRecord(recordIn(body)));
      expect(again).toEqual(JSON.parse(body));
      for (const json of [again, again.holders[0], again.queue[0], again.recent[0]]) expectFields(json, fields);
    }),
  );
  expect({}).not.toHaveProperty("polluted");
});

// ---------------------------------------------------------------------------------------------------------------------
// What is not a record

it.each(["", "null", "true", "1", '"locked"', "[]", "{", '{"schema":3}', "\uFEFF{}", "{}garbage"])(
  "takes %j for corrupt",
  (body) => {
    expect(parseRecord(body).kind).toBe("corrupt");
  },
);

it.each([
  ["[".repeat(2001), "nested too deeply"],
  ["{", "not JSON"],
  ["[]", "not a JSON object"],
  ['{"schema":"3"}', "`schema` is not a number"],
  ['{"locked":false,"color":"red"}', "neither a lock record's `schema` nor just the fields of s3-mutex 1.x"],
  ['{"schema":3}', "`writeId` is missing or not what it should be"],
])("says of %j that it is %s", (body, problem) => {
  expect(parseRecord(body)).toMatchObject({ kind: "corrupt", problem: expect.stringContaining(problem) });
});

it("names the first field that is not what it should be", () => {
  const body = JSON.parse(serializeRecord({ ...FULL, freeSinceMs: T0, deleted: true }));
  for (const field of Object.keys(body).filter((name) => !(name in mirrorOf(FULL.holders)) && name !== "schema")) {
    const parsed = parseRecord(JSON.stringify({ ...body, [field]: { not: "that" } }));
    expect(parsed).toMatchObject({ kind: "corrupt", problem: expect.stringContaining(`\`${field}\``) });
  }
});

it("takes entries for corrupt in which any required field is missing or of another type", () => {
  for (const list of ["holders", "queue", "recent"] as const) {
    const [entry = {}] = FULL[list];
    for (const field of Object.keys(entry).filter((name) => !["host", "pid", "label"].includes(name))) {
      for (const value of [undefined, null, {}, [{}]]) {
        const broken = { ...FULL, [list]: [{ ...entry, [field]: value }] } as LockRecord;
        expect(parseRecord(JSON.stringify(broken)), `${list}.${field}`).toMatchObject({ kind: "corrupt" });
      }
    }
  }
});

/** Of the right type all of them, and yet nothing that such a field can say. */
it.each([
  ["holders", { via: "mail" }],
  ["holders", { mode: "none" }],
  ["holders", { permits: 0 }],
  ["holders", { permits: 1.5 }],
  ["holders", { permits: "1" }],
  ["holders", { token: -1 }],
  ["holders", { token: 2 ** 52 + 1 }],
  ["holders", { host: 1 }],
  ["holders", { pid: -1 }],
  ["holders", { label: {} }],
  ["queue", { mode: "none" }],
  ["queue", { permits: 0 }],
  ["queue", { holds: [null] }],
  ["queue", { holds: [{ name: "a" }] }],
  ["queue", { holds: [{ name: "a", token: 1 }, {}] }],
  ["queue", { holds: [{ name: "a", token: 1, kind: "lock" }] }],
  ["queue", { pid: "7" }],
  ["recent", { ended: "vanished" }],
  ["recent", { token: 0.5 }],
  ["recent", { label: 1 }],
])("takes a record for corrupt where one of its %s says %j", (list, changes) => {
  const [entry] = FULL[list as "holders" | "queue" | "recent"];
  expect(parseRecord(JSON.stringify({ ...FULL, [list]: [entry] })).kind).toBe("record");
  const broken = parseRecord(JSON.stringify({ ...FULL, [list]: [entry, { ...entry, ...changes }] }));
  expect(broken).toMatchObject({ kind: "corrupt", problem: expect.stringContaining(`\`${list}\``) });
});

it.each([
  { deleted: false },
  { undated: false },
  { limit: 0 },
  { limit: 1.5 },
  { sharesVersion: 0 },
  { shares: { version: 0, permits: [1] } },
  { shares: { version: 1, permits: [0, 1] } },
  { shares: { version: 1, permits: [] } },
  { shares: { version: 1, permits: [1, -1] } },
  { shares: [1] },
  { token: 2 ** 52 + 1 },
  { holders: [[]] },
  { queue: ["a"] },
])("takes a record for corrupt that says %j", (changes) => {
  expect(parseRecord(JSON.stringify({ ...FULL, ...changes })).kind).toBe("corrupt");
});

it("reads permits, holds of semaphores, and the highest token there is room for", () => {
  const record: LockRecord = {
    ...FULL,
    limit: 3,
    token: 2 ** 52,
    holders: [holderOf({ permits: 1, token: 2 ** 52 })],
    queue: [waiterOf({ permits: 2, holds: [{ kind: "semaphore", name: "pool", token: 0 }] })],
  };
  expect(recordIn(serializeRecord(record))).toEqual(record);
});

it("says that 0 is not a limit where it is not one of several", () => {
  const parsed = parseRecord(JSON.stringify({ ...FULL, limit: 0 }));
  expect(parsed).toEqual({ kind: "corrupt", problem: "`limit` is 0" });
});

it("reads what one of several records of a semaphore says, nothing as its share included", () => {
  const others: Partial<LockRecord>[] = [
    { limit: 2, shares: { version: 7, permits: [2, 0, 3] } },
    { limit: 3, sharesVersion: 7 },
    { limit: 0, sharesVersion: 7 },
  ];
  for (const changes of others) {
    const record: LockRecord = { ...FULL, ...changes };
    expect(recordIn(serializeRecord(record))).toEqual(record);
  }
});

it("says that a record of a later schema is newer, whatever else is in it", () => {
  expect(parseRecord(JSON.stringify({ schema: SCHEMA + 1 }))).toEqual({ kind: "newer-schema", schema: SCHEMA + 1 });
  for (const schema of [0, SCHEMA - 1, -1, SCHEMA + 0.5, "3", null, 1e308, []]) {
    expect(parseRecord(JSON.stringify({ ...FULL, schema })).kind, String(schema)).toBe("corrupt");
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// Hostile bodies

it("never throws, and reads what it has read again the same way", () => {
  const freeText = fc.oneof(fc.string(), anyText(), fc.json());
  const [field, value] = [fc.constantFrom(...KNOWN), fc.jsonValue({ maxDepth: 2 })];
  const broken = fc
    .dictionary(field, value)
    .map((fields) => JSON.stringify({ ...mirrorOf(FULL.holders), ...FULL, ...fields }));
  const subset = fc
    .subarray(Object.keys(HELD_BY_1X))
    .chain((fields) => fc.tuple(...fields.map((name) => fc.tuple(fc.constant(name), value))));
  const like1x = subset.map((fields) =>
    JSON.stringify({ locked: false, ...Object.fromEntries(fields as [string, unknown][]) }),
  );
  fc.assert(
    fc.property(fc.oneof(freeText, broken, like1x), (body) => {
      const parsed = parseRecord(body);
      if (parsed.kind !== "record") return;
      const record = { ...parsed.record, writeId: "again" };
      expect(recordIn(serializeRecord(record))).toEqual(record);
    }),
    { numRuns: 2000 },
  );
});

it("is not taken in by `__proto__`", () => {
  const inherited = `{"__proto__":${serializeRecord(FULL)}}`;
  expect(parseRecord(inherited).kind).toBe("corrupt");
  const withProto = `{"__proto__":{"deleted":true},${serializeRecord(FULL).slice(1)}`;
  expect(recordIn(withProto).deleted).toBeUndefined();
});

it("takes numbers that a double cannot hold exactly, or at all, for corrupt where they count", () => {
  const body = serializeRecord({ ...FULL, holders: [] });
  for (const number of ["1e400", "-1e400", "9007199254740993", "1.5", "-1"]) {
    expect(parseRecord(body.replace('"token":12', `"token":${number}`)).kind, number).toBe("corrupt");
  }
  expect(parseRecord(body.replace(/"touchedAtMs":\d+/, '"touchedAtMs":1e400')).kind).toBe("corrupt");
});

it("calls what is nested too deeply to be written again corrupt", () => {
  const depth = 32_000;
  const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
  expect(parseRecord(nested).kind).toBe("corrupt");
  expect(parseRecord(`{"schema":3,"holders":${nested}}`).kind).toBe("corrupt");
  expect(parseRecord(`{"x":${nested},${serializeRecord(FULL).slice(1)}`).kind).toBe("corrupt");
  const fair = `${"[".repeat(1999)}${"]".repeat(1999)}`;
  expect(parseRecord(`{"x":${fair},${serializeRecord(FULL).slice(1)}`).kind).toBe("record");
  expect(parseRecord(`{"x":[${fair}],${serializeRecord(FULL).slice(1)}`).kind).toBe("corrupt");
  const objects = (depth: number) => `${'{"a":'.repeat(depth)}0${"}".repeat(depth)}`;
  expect(parseRecord(`{"x":${objects(1999)},${serializeRecord(FULL).slice(1)}`).kind).toBe("record");
  expect(parseRecord(`{"x":${objects(2000)},${serializeRecord(FULL).slice(1)}`).kind).toBe("corrupt");
});

it("reads as many lists and objects beside each other as there are", () => {
  const many = JSON.stringify(Array.from({ length: 5000 }, () => [{}]));
  expect(parseRecord(`{"x":${many},${serializeRecord(FULL).slice(1)}`).kind).toBe("record");
});

it("reads back that a lease began without store time", () => {
  const record = recordOf({ holders: [holderOf({ undated: true })] });
  expect(parseRecord(serializeRecord(record))).toEqual({ kind: "record", record });
});

it("a proof that is not understood does not keep a caller from the record", () => {
  const body = JSON.stringify({ ...JSON.parse(serializeRecord(FULL)), proofs: "of a later version" });
  expect(recordIn(body)).toMatchObject({ token: 12, proofs: "of a later version" });
});

it("is carried along with the record, and dropped where 1.x wrote last", () => {
  const proofs = [{ way: "here", atMs: T0, versions: "none" as const }];
  const body = JSON.parse(serializeRecord({ ...FULL, proofs }));
  expect(recordIn(JSON.stringify(body)).proofs).toEqual(proofs);
  expect(recordIn(JSON.stringify({ ...body, locked: false }))).not.toHaveProperty("proofs");
  expect(recordIn(JSON.stringify({ ...body, ...HELD_BY_1X }))).not.toHaveProperty("proofs");
});
