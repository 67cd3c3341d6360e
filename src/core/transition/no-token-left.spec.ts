import { expect, it } from "vitest";
import {
  attemptAt,
  commandOf,
  ENTRY,
  holderOf,
  recordOf,
  T0,
  waiterOf,
  written,
} from "../../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "../codec.js";
import { MAX_TOKEN } from "../record.js";
import { acquire } from "./acquire.js";
import { restore } from "./restore.js";
import { transfer } from "./transfer.js";

const NOW = attemptAt(T0 + 1000, { writeId: "w1" });
const NO_TOKEN_LEFT = { reply: { kind: "no-token-left" } };

it("grants the highest token that can be read again, and none above it", () => {
  const granted = written(acquire(recordOf({ token: MAX_TOKEN - 1 }), commandOf({}), NOW));
  expect(granted.token).toBe(MAX_TOKEN);
  expect(parseRecord(serializeRecord(granted)).kind).toBe("record");
  expect(acquire(recordOf({ token: MAX_TOKEN }), commandOf({ entry: ENTRY }), NOW)).toEqual(NO_TOKEN_LEFT);
});

it("does not adopt a record of 1.x under a clock that shows more than there are tokens", () => {
  const attempt = attemptAt(MAX_TOKEN + 1);
  const free = { ...recordOf({}), writeId: undefined };
  expect(acquire(free, commandOf({}), attempt)).toEqual(NO_TOKEN_LEFT);
  expect(written(acquire(free, commandOf({}), attemptAt(MAX_TOKEN))).token).toBe(MAX_TOKEN);
});

it("queues where the lock is held, whatever its token is", () => {
  const held = recordOf({ token: MAX_TOKEN, holders: [holderOf({ token: MAX_TOKEN })] });
  expect(acquire(held, commandOf({ entry: ENTRY }), NOW).reply).toMatchObject({ kind: "waiting", enqueued: true });
});

it("ends a turn also where it cannot begin the next one in the same write", () => {
  const held = recordOf({
    token: MAX_TOKEN,
    holders: [holderOf({ token: MAX_TOKEN })],
    queue: [waiterOf({ id: "x" })],
  });
  const to = commandOf({ id: "successor", sinceMs: T0 - 5000, entry: ENTRY });
  const { reply, change } = transfer(held, { from: { id: "holder" }, to }, NOW);
  expect(reply).toMatchObject({ from: { kind: "released" }, to: { kind: "no-token-left" } });
  expect(written({ change } as never)).toMatchObject({ holders: [], token: MAX_TOKEN });
});

it("restores no hold that would need a token above it, and leaves the hold as it is", () => {
  const held = recordOf({ token: MAX_TOKEN, holders: [holderOf({ id: "a", token: 7 })] });
  const command = {
    from: { id: "a", token: 7, writeIds: ["renewal of a"] },
    id: "b",
    owner: "o",
    leaseMs: 1000,
    identity: {},
  };
  expect(restore(held, command, NOW)).toEqual(NO_TOKEN_LEFT);
  const below = written(restore({ ...held, token: MAX_TOKEN - 1 }, command, NOW));
  expect(below).toMatchObject({ token: MAX_TOKEN, holders: [{ id: "b", token: MAX_TOKEN }] });
});
