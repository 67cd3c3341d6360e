import { expect, it } from "vitest";
import { holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "./codec.js";
import { type LockRecord, SCHEMA } from "./record.js";

function recordIn(body: string): LockRecord {
  const parsed = parseRecord(body);
  if (parsed.kind !== "record") throw new Error(`no record: ${JSON.stringify(parsed)} in ${body}`);
  return parsed.record;
}

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

it("takes the last renewal of 1.x for when its record was written, and a record without one for an old one", () => {
  const held = recordIn(JSON.stringify(HELD_BY_1X));
  const empty = { schema: SCHEMA, writeId: undefined, token: 0, limit: 1, queue: [], recent: [] };
  expect(held).toStrictEqual({ ...empty, createdAtMs: T0, touchedAtMs: T0, holders: held.holders });
  const free = recordIn('{"locked":false}');
  expect(free).toStrictEqual({ ...empty, createdAtMs: 0, touchedAtMs: 0, holders: [] });
});

it("gives a holder of 1.x without a renewal, or with one after its end, the shortest lease", () => {
  for (const acquiredAt of [undefined, T0 + 60_001]) {
    const [holder] = recordIn(JSON.stringify({ ...HELD_BY_1X, acquiredAt })).holders;
    expect(holder).toMatchObject({ leaseMs: 1, expiresAtMs: T0 + 60_000, acquiredAtMs: acquiredAt ?? T0 + 60_000 });
  }
});

it("takes a lock of 1.x without a priority for one of no priority", () => {
  const { holders } = recordIn(JSON.stringify({ ...HELD_BY_1X, priority: undefined }));
  expect(holders).toMatchObject([{ priority: 0 }]);
});

it("knows the holder of 1.x again after a refresh: the same id, another renewal", () => {
  const [before] = recordIn(JSON.stringify(HELD_BY_1X)).holders;
  const [after] = recordIn(JSON.stringify({ ...HELD_BY_1X, expiresAt: T0 + 90_000 })).holders;
  expect(after?.id).toBe(before?.id);
  expect(after?.leaseWriteId).not.toBe(before?.leaseWriteId);
});

it.each([
  ["a locked record without an owner", { locked: true, expiresAt: 5 }],
  ["one without an expiry, which would be held forever", { locked: true, owner: "old", acquiredAt: 1 }],
  ["an expiry that is not a number", { ...HELD_BY_1X, expiresAt: "soon" }],
  ["a beginning that is not a number", { ...HELD_BY_1X, acquiredAt: "now" }],
  ["a priority that is not a number", { ...HELD_BY_1X, priority: "high" }],
  ["no `locked`", { owner: "old", expiresAt: 5 }],
  ["a `locked` that is not a boolean", { ...HELD_BY_1X, locked: "true" }],
  ["a field that 1.x does not write", { locked: false, color: "red" }],
  ["an empty object", {}],
])("takes %s for no record at all", (_, json) => {
  expect(parseRecord(JSON.stringify(json)).kind).toBe("corrupt");
});

it("makes 1.x's lock the truth where the mirror differs from the holders; queue, counter and limit stay", () => {
  const record = recordOf({ token: 12, queue: [waiterOf()], holders: [holderOf()], recent: [turnOf()] });
  const rewritten = { ...JSON.parse(serializeRecord(record)), ...HELD_BY_1X };
  const { holders, writeId, queue, token, recent } = recordIn(JSON.stringify(rewritten));
  // The token of its earlier holder does not come from 1.x.
  expect(holders).toMatchObject([{ owner: "old", token: 0, expiresAtMs: HELD_BY_1X.expiresAt }]);
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
