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

const KNOWN = new Set([
  ...Object.keys(JSON.parse(serializeRecord(FULL))),
  ...["freeSinceMs", "deleted"],
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
// 1.x

const HELD_BY_1X = { locked: true, owner: "old", acquiredAt: T0, expiresAt: T0 + 60_000, priority: 5 };

it("reads the constant record of a lock that 1.x released as free, without a write id", () => {
  const record = recordIn('{"locked":false}');
  expect(record).toMatchObject({ writeId: undefined, token: 0, limit: 1, holders: [], queue: [], recent: [] });
});

it("reads a record that 1.x holds as held by its owner", () => {
  const { holders, writeId } = recordIn(JSON.stringify(HELD_BY_1X));
  expect(writeId).toBeUndefined();
  expect(holders).toHaveLength(1);
  expect(holders[0]).toMatchObject({ owner: "old", via: "name", mode: "exclusive", token: 0, priority: 5 });
  expect(holders[0]).toMatchObject({ leaseMs: 60_000, renewedAtMs: T0, expiresAtMs: T0 + 60_000 });
});

it("knows the holder of 1.x again after a refresh: the same id, another renewal", () => {
  const [before] = recordIn(JSON.stringify(HELD_BY_1X)).holders;
  const [after] = recordIn(JSON.stringify({ ...HELD_BY_1X, expiresAt: T0 + 90_000 })).holders;
  expect(after?.id).toBe(before?.id);
  expect(after?.renewal).not.toBe(before?.renewal);
});

it.each([
  ["a locked record without an owner", { locked: true, expiresAt: 5 }],
  ["one without an expiry, which would be held for ever", { locked: true, owner: "old", acquiredAt: 1 }],
  ["an expiry that is no number", { ...HELD_BY_1X, expiresAt: "soon" }],
  ["no `locked`", { owner: "old", expiresAt: 5 }],
  ["a `locked` that is no boolean", { ...HELD_BY_1X, locked: "true" }],
  ["a field that 1.x does not write", { locked: false, color: "red" }],
  ["an empty object", {}],
])("takes %s for no record at all", (_, json) => {
  expect(parseRecord(JSON.stringify(json)).kind).toBe("corrupt");
});

it("makes 1.x's lock the truth where the mirror differs from the holders; queue, counter and limit stay", () => {
  const record = recordOf({ token: 12, queue: [waiterOf()], holders: [holderOf()], recent: [turnOf()] });
  const rewritten = { ...JSON.parse(serializeRecord(record)), ...HELD_BY_1X };
  const { holders, writeId, queue, token, recent } = recordIn(JSON.stringify(rewritten));
  expect(holders).toMatchObject([{ owner: "old", expiresAtMs: HELD_BY_1X.expiresAt }]);
  expect(writeId).toBeUndefined();
  expect({ queue, token, recent }).toEqual({ queue: record.queue, token: 12, recent: record.recent });
});

it("takes any difference of any mirrored field for a write of 1.x", () => {
  const record = recordOf({ holders: [holderOf({ priority: 1 })] });
  const body = JSON.parse(serializeRecord(record));
  for (const change of [{ owner: "x" }, { acquiredAt: T0 + 1 }, { expiresAt: T0 + 1 }, { priority: 2 }]) {
    const { holders, writeId } = recordIn(JSON.stringify({ ...body, ...change }));
    expect(writeId).toBeUndefined();
    expect(holders[0]?.id).toBe(`1.x/${change.owner ?? "owner of holder"}`);
  }
  expect(recordIn(JSON.stringify({ ...body, locked: false }))).toMatchObject({ holders: [], writeId: undefined });
});

it("keeps the token of a holder of 1.x that had one", () => {
  const [holder] = recordIn(JSON.stringify(HELD_BY_1X)).holders;
  if (holder === undefined) throw new Error("no holder");
  const ours = recordOf({ holders: [{ ...holder, token: 77 }] });
  const refreshed = { ...JSON.parse(serializeRecord(ours)), expiresAt: T0 + 90_000 };
  expect(recordIn(JSON.stringify(refreshed)).holders).toMatchObject([{ token: 77, expiresAtMs: T0 + 90_000 }]);
});

// ---------------------------------------------------------------------------------------------------------------------
// What is no record

it.each(["", "null", "true", "1", '"locked"', "[]", "{", '{"schema":3}', "\uFEFF{}", "{}garbage"])(
  "takes %j for corrupt",
  (body) => {
    expect(parseRecord(body).kind).toBe("corrupt");
  },
);

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

it("says that a record of a later schema is newer, whatever else is in it", () => {
  expect(parseRecord(JSON.stringify({ schema: SCHEMA + 1 }))).toEqual({ kind: "newer-schema", schema: SCHEMA + 1 });
  for (const schema of [0, SCHEMA - 1, -1, SCHEMA + 0.5, "3", null, 1e308, []]) {
    expect(parseRecord(JSON.stringify({ ...FULL, schema })).kind, String(schema)).toBe("corrupt");
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// Hostile bodies

it("never throws, and reads what it has read again the same way", () => {
  const anyBody = fc.oneof(fc.string(), anyText(), fc.json());
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
    fc.property(fc.oneof(anyBody, broken, like1x), (body) => {
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
  const fair = `${"[".repeat(500)}${"]".repeat(500)}`;
  expect(parseRecord(`{"x":${fair},${serializeRecord(FULL).slice(1)}`).kind).toBe("record");
});
