import { expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import { recordOf } from "../../../test/protocol/samples.js";
import { serializeRecord } from "../../core/codec.js";
import type { LockRecord } from "../../core/record.js";
import type { ObjectStore } from "../../store/object-store.js";
import type { Context } from "../base/context.js";
import { LockObject } from "./lock-object.js";
import type { SwapOptions } from "./swap-options.js";
import { WriteLog } from "./write-log.js";

/** A store with one record, whose token counts the reads. */
function lockOn() {
  const clockwork = new Clockwork();
  let reads = 0;
  const read: ObjectStore["read"] = async () => {
    reads += 1;
    const timing = { sentAtMs: clockwork.monotonicMs, receivedAtMs: clockwork.monotonicMs, dateMs: 1_000_000 };
    return { kind: "ok", etag: `"${reads}"`, body: serializeRecord(recordOf({ token: reads })), timing };
  };
  const { context } = contextOn(clockwork);
  const store = { read } as unknown as ObjectStore;
  const object = new LockObject({ ...context, store, endpoint: {}, bucketName: "b" } as Context, { name: "x" }, "x");
  const poll = async () => {
    await clockwork.pass(10);
    return object.poll(1000);
  };
  const tokenSeen = async (from?: SwapOptions["from"]) => {
    const apply = (record: LockRecord | undefined) => ({ reply: record?.token });
    const policy = { role: "contender", timeoutMs: 1000, untilMs: clockwork.monotonicMs + 5000 } as const;
    return (await object.swap(apply, { ...policy, from, writeLog: new WriteLog() })).reply;
  };
  return { poll, tokenSeen, reads: () => reads };
}

it("goes by what the caller has just read, or by what is known to be newer, and reads nothing for that", async () => {
  const { poll, tokenSeen, reads } = lockOn();
  await poll();
  const seen = await poll();
  expect(await tokenSeen(seen)).toBe(2);
  await poll();
  expect(await tokenSeen(seen)).toBe(3);
  expect(reads()).toBe(3);
});

it("reads again what others saw before, where there is nothing to write, and for commands in any case", async () => {
  const { poll, tokenSeen } = lockOn();
  const old = await poll();
  await poll();
  expect(await tokenSeen()).toBe(3);
  expect(await tokenSeen("store")).toBe(4);
  expect(await tokenSeen(old)).toBe(4);
});
