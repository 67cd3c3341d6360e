import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import {
  attemptAt,
  commandOf,
  ENTRY,
  holderOf,
  recordOf,
  T0,
  turnOf,
  waiterOf,
  written,
} from "../../../test/protocol/samples.js";
import { problemsOfRecord } from "../../../testkit/invariants.js";
import { parseRecord } from "../codec.js";
import { type LockRecord, MAX_QUEUE, type Waiter } from "../record.js";
import { release } from "./release.js";
import { transfer } from "./transfer.js";

const AT = (ms: number) => attemptAt(T0 + ms, { writeId: `write at ${ms}` });
const FROM = { id: "holder" };
const HELD = recordOf({ holders: [holderOf()] });
const SUCCESSOR = commandOf({ id: "successor", sinceMs: T0 + 500, entry: ENTRY });
const COMMAND = { from: FROM, to: SUCCESSOR };

const heldWith = (...queue: readonly Waiter[]) => recordOf({ holders: [holderOf()], queue });
const remote = (changes: Partial<Waiter>) => waiterOf({ id: "remote", ...changes });

it("ends one turn and begins the next in one write", () => {
  const { reply, change } = transfer(HELD, COMMAND, AT(1000));
  expect(reply).toMatchObject({
    kind: "transfer",
    from: { kind: "released", holders: [{ id: "holder" }] },
    to: { kind: "granted", holder: { id: "successor", leaseWriteId: "write at 1000", token: T0 + 1000 } },
  });
  const record = written({ change } as never);
  expect(record.holders.map(({ id }) => id)).toEqual(["successor"]);
  expect(record.recent[0]).toMatchObject({ id: "holder", ended: "released", toMs: T0 + 1000 });
  expect(record.freeSinceMs).toBeUndefined();
  expect(problemsOfRecord(record)).toEqual([]);
});

it("grants a token above the last one even where store time stands still", () => {
  expect(transfer(HELD, COMMAND, AT(0)).reply.to).toMatchObject({ holder: { token: T0 + 1 } });
});

it("takes the successor's own entry out of the queue", () => {
  const own = waiterOf({ id: "successor", sinceMs: T0 + 500 });
  const record = written(transfer(heldWith(own, remote({ sinceMs: T0 + 600 })), COMMAND, AT(1000)));
  expect(record.holders.map(({ id }) => id)).toEqual(["successor"]);
  expect(record.queue.map(({ id }) => id)).toEqual(["remote"]);
});

it.each([
  ["came later", { sinceMs: T0 + 501 }, "successor"],
  ["came earlier", { sinceMs: T0 + 499 }, "remote"],
  ["came later, of higher priority", { sinceMs: T0 + 501, priority: 1 }, "remote"],
  ["came earlier, of lower priority", { sinceMs: T0 + 499, priority: -1 }, "successor"],
  ["came earlier and has died", { sinceMs: T0 + 499, expiresAtMs: T0 + 999 }, "successor"],
] as const)("serves the successor or a remote waiter who %s: local and remote taken together", (_, changes, first) => {
  const { reply, change } = transfer(heldWith(remote(changes)), COMMAND, AT(1000));
  const record = written({ change } as never);
  expect(reply.from.kind).toBe("released");
  if (first === "successor") {
    expect(record.holders.map(({ id }) => id)).toEqual(["successor"]);
  } else {
    expect(reply.to).toEqual({ kind: "waiting", position: 1, turnsAhead: 1, enqueued: true });
    expect(record.holders).toEqual([]);
    expect(record.queue.map(({ id }) => id)).toEqual(["remote", "successor"]);
    expect(record).toMatchObject({ freeSinceMs: T0 + 1000, recent: [{ id: "holder", ended: "released" }] });
  }
  expect(problemsOfRecord(record)).toEqual([]);
});

it("keeps the successor's arrival where it has to queue, so that it is not sent to the end of the queue", () => {
  const record = written(transfer(heldWith(remote({ sinceMs: T0 + 1 })), COMMAND, AT(60_000 / 5)));
  expect(record.queue.find(({ id }) => id === "successor")).toMatchObject({ sinceMs: T0 + 500, holds: [] });
});

it("releases even where the successor finds no place in the queue, or wants none", () => {
  const full = Array.from({ length: MAX_QUEUE }, (_, index) => waiterOf({ id: `w${index}` }));
  const crowded = transfer(heldWith(...full), COMMAND, AT(1000));
  expect(crowded.reply).toMatchObject({ from: { kind: "released" }, to: { kind: "waiting", enqueued: false } });
  expect(written(crowded)).toMatchObject({ holders: [], queue: full });
  const hasty = { from: FROM, to: { ...SUCCESSOR, entry: undefined } };
  const refused = transfer(heldWith(remote({})), hasty, AT(1000));
  expect(refused.reply.to).toEqual({ kind: "waiting", position: 1, turnsAhead: 1, enqueued: false });
  expect(written(refused)).toMatchObject({ holders: [], queue: [{ id: "remote" }] });
});

it("takes nothing from other holders when the hold is gone already", () => {
  const taken = recordOf({ holders: [holderOf({ id: "another", token: T0 + 9 })] });
  const { reply, change } = transfer(taken, COMMAND, AT(1000));
  expect(reply).toMatchObject({ from: { kind: "not-held" }, to: { kind: "waiting", enqueued: true } });
  expect(written({ change } as never).holders).toEqual(taken.holders);
});

it("takes a free lock for the successor where the hold ended otherwise, and says that it did", () => {
  for (const record of [undefined, recordOf(), recordOf({ recent: [turnOf({ id: "holder", ended: "forced" })] })]) {
    const { reply } = transfer(record, COMMAND, AT(1000));
    expect(reply).toMatchObject({ from: { kind: "not-held" }, to: { kind: "granted" } });
  }
});

it("gives a lock that 1.x wrote last a unique ETag first, holds and all", () => {
  const parsed = parseRecord('{"locked":false}');
  if (parsed.kind !== "record") throw new Error(parsed.kind);
  const { reply, change } = transfer(parsed.record, COMMAND, AT(1000));
  expect(reply).toMatchObject({ from: { kind: "not-held" }, to: { kind: "adopted" } });
  expect(change).toMatchObject({ kind: "write", record: { writeId: "write at 1000", holders: [] } });
});

it("does not disturb the other holders of a lock that has room for several", () => {
  const other = holderOf({ id: "other", token: T0 - 1 });
  const record = written(
    transfer(
      recordOf({ limit: 2, holders: [other, holderOf()] }),
      { ...COMMAND, to: { ...SUCCESSOR, limit: 2 } },
      AT(1000),
    ),
  );
  expect(record.holders.map(({ id }) => id)).toEqual(["other", "successor"]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Lost answers

const line = fc.uniqueArray(
  fc
    .record({
      id: fc.constantFrom("a", "b", "c", "successor"),
      priority: fc.integer({ min: -1, max: 1 }),
      sinceMs: fc.integer({ min: T0, max: T0 + 1000 }),
      isDead: fc.boolean(),
    })
    .map(({ isDead, ...rank }) => waiterOf({ ...rank, expiresAtMs: isDead ? T0 + 10 : T0 + 3_600_000 })),
  { selector: ({ id }) => id, maxLength: 4 },
);
const found = fc.oneof(
  line.map((queue) => recordOf({ holders: [holderOf()], queue })),
  line.map((queue) => recordOf({ queue, recent: [turnOf({ id: "holder" })] })),
  line.map((queue) => recordOf({ holders: [holderOf({ id: "another" })], queue })),
  fc.constant(undefined),
);

it("says the same again and writes nothing when it has taken effect before: its answer may have been lost", () => {
  fc.assert(
    fc.property(found, fc.nat({ max: 900 }), (record, laterMs) => {
      const first = transfer(record, COMMAND, AT(1000));
      fc.pre(first.change?.kind === "write");
      const again = transfer(written(first), COMMAND, AT(1000 + laterMs));
      const wasGranted = first.reply.to.kind === "granted";
      const isGranted = again.reply.to.kind === "granted";
      expect(again.reply.from.kind).toBe(first.reply.from.kind);
      // A successor that had to queue may have come to be the first: the waiters ahead of it did not take the lock.
      if (wasGranted) expect(again).toMatchObject({ reply: { to: first.reply.to } });
      if (wasGranted || !isGranted) expect(again.change).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

it("does as a release and then an acquisition would, and leaves records that are in order", () => {
  fc.assert(
    fc.property(found, (record) => {
      const attempt = AT(1000);
      const { reply, change } = transfer(record, COMMAND, attempt);
      expect(reply.from).toEqual(release(record, FROM, attempt).reply);
      if (change === undefined) return;
      const next = written({ change } as never);
      expect(problemsOfRecord(next)).toEqual([]);
      const ids = (of: LockRecord) => [...of.holders, ...of.queue].map(({ id }) => id);
      expect(ids(next)).not.toContain("holder");
      expect(ids(next).filter((id) => id === "successor").length).toBe(1);
    }),
  );
});

it("never ends a turn that began after it: a repeated release does not reach the same caller's next hold", () => {
  const next = recordOf({
    holders: [holderOf({ id: "next", owner: "owner of holder" })],
    recent: [turnOf({ id: "holder" })],
  });
  const { reply, change } = transfer(next, COMMAND, AT(1000));
  expect(reply.from).toEqual({ kind: "released", holders: [] });
  expect(change).toMatchObject({ record: { holders: [{ id: "next" }] } });
});
