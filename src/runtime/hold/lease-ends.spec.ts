import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { LEASE_MS, leased } from "../../../test/protocol/leases.js";
import { holderOf, recordOf, turnOf, waiterOf } from "../../../test/protocol/samples.js";
import { S3MutexError } from "../../errors.js";
import type { GivenBack } from "./holding-queue.js";

const USABLE_MS = 9800;
const down = () => Promise.reject(new S3MutexError("store-unavailable", "down"));
const notReleased = (record: GivenBack["snapshot"]["record"]) =>
  ({ reply: { kind: "gone" }, snapshot: { record } }) as unknown as GivenBack;

it("ends by its clocks alone where it is only looked at", async () => {
  const { lease, clockwork, ends, names, context } = leased();
  lease.endWhenOver();
  await clockwork.pass(USABLE_MS - 1);
  expect(ends).toEqual([]);
  await clockwork.pass(1);
  expect(ends).toEqual(["end"]);
  expect(names()).toEqual([]);
  expect(context.holdings.leases).toEqual([]);
});

describe("left to run out", () => {
  it("it sends nothing any more, and is lost at its end as a closed one", async () => {
    const { lease, clockwork, calls, names } = leased();
    lease.keep();
    lease.leaveToRunOut();
    await clockwork.pass(USABLE_MS - 1);
    expect(lease.isHeld).toBe(true);
    await clockwork.pass(1);
    expect(lease.loss?.reason).toBe("closed");
    expect(names()).toEqual(["lost"]);
    expect([...calls.renew, ...calls.giveBack, ...calls.cancel]).toEqual([]);
  });

  it("it asks nothing where clocks disagree, and what releases it gives nothing back", async () => {
    const { lease, clockwork, calls, events } = leased();
    lease.keep();
    lease.leaveToRunOut();
    expect(await lease.release()).toBe(false);
    expect(lease.loss?.reason).toBe("closed");
    const { loss: error } = lease;
    const said = { lockName: "x", acquisitionId: "me", fencingToken: 7, reason: "closed", error };
    expect(events).toEqual([["lost", said]]);
    const other = leased();
    other.lease.keep();
    other.lease.leaveToRunOut();
    other.clockwork.wallMs += 60_000;
    expect(() => other.lease.assertHeld()).toThrow("its mutex was closed");
    await clockwork.pass(20_000);
    expect([...calls.renew, ...calls.giveBack, ...calls.cancel, ...other.calls.renew]).toEqual([]);
  });

  it("a look while clocks disagree does not end it before its time", async () => {
    const { lease, clockwork } = leased();
    lease.keep();
    lease.leaveToRunOut();
    await clockwork.pass(1000);
    clockwork.wallMs += 60_000;
    expect(lease.isHeld).toBe(false);
    await clockwork.pass(USABLE_MS - 1001);
    expect(lease.loss).toBeUndefined();
    await clockwork.pass(1);
    expect(lease.loss?.reason).toBe("closed");
  });

  it("nothing happens to what is over", async () => {
    const { lease, clockwork, names } = leased();
    await lease.release();
    lease.leaveToRunOut();
    await clockwork.pass(20_000);
    expect(names()).toEqual(["released"]);
    expect(lease.standing.isLeft).toBe(false);
  });
});

describe("given back", () => {
  it("it is over at once, tells how long it was held, and is given back once", async () => {
    const { lease, clockwork, calls, events, ends, context, published } = leased();
    lease.keep();
    await clockwork.pass(1000);
    const releasing = lease.release();
    expect(lease.isHeld).toBe(false);
    expect(() => lease.assertHeld()).toThrow("it was released");
    expect(await Promise.all([releasing, lease.release()])).toEqual([true, true]);
    expect(calls.giveBack).toHaveLength(1);
    expect(calls.commands).toEqual([{ id: "me", isUnused: false }]);
    expect(calls.giveBack[0]).toMatchObject({ role: "holder", timeoutMs: LEASE_MS / 6 });
    expect(calls.giveBack[0]?.untilMs).toBe(clockwork.monotonicMs + USABLE_MS - 1000);
    expect(events).toEqual([["released", { lockName: "x", acquisitionId: "me", fencingToken: 7, heldMs: 1000 }]]);
    expect(ends).toEqual(["end"]);
    expect(context.holdings.leases).toEqual([]);
    expect(published).toEqual([["hold:end", { lockName: "x", acquisitionId: "me", fencingToken: 7 }]]);
    expect(clockwork.pendingMs).toEqual([]);
    expect(lease.signal.aborted).toBe(false);
  });

  it("it stays held while a function nests in it", async () => {
    const { lease, calls } = leased();
    lease.share();
    expect(await lease.unshare()).toBe(true);
    expect(lease.isHeld).toBe(true);
    expect(calls.giveBack).toHaveLength(0);
    expect(await lease.release()).toBe(true);
    expect(calls.giveBack).toHaveLength(1);
  });

  it("it leaves no timer behind where a renewal is answered afterwards", async () => {
    const { lease, localQueue, renewed, clockwork } = leased();
    let answer = () => {};
    localQueue.renew = () =>
      new Promise((resolve) => {
        answer = () => resolve(renewed());
      });
    lease.keep();
    await clockwork.pass(3334);
    await lease.release();
    answer();
    await settled();
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("it can be tried again where the store did not answer, and is cleared up behind the scenes", async () => {
    const { lease, localQueue, calls } = leased();
    localQueue.giveBack = down;
    await expect(lease.release()).rejects.toThrow("down");
    expect(calls.cancel).toHaveLength(1);
    localQueue.giveBack = async () => notReleased(undefined);
    expect(await lease.release()).toBe(false);
  });
});

describe("given back when it was lost", () => {
  it("after its end it is reported as lost, and given back all the same where it was not taken over", async () => {
    const { lease, clockwork, names } = leased();
    await clockwork.pass(USABLE_MS);
    expect(await lease.release()).toBe(true);
    expect(names()).toEqual(["lost"]);
    expect(lease.loss?.reason).toBe("expired");
  });

  it("after it was lost nothing is sent", async () => {
    const { lease, calls, published } = leased();
    lease.lose("taken-over");
    lease.lose("deleted");
    expect(lease.loss?.reason).toBe("taken-over");
    expect(await lease.release()).toBe(false);
    expect(calls.giveBack).toHaveLength(0);
    expect(calls.cancel).toHaveLength(1);
    expect(published.map((said) => (said as [string])[0])).toEqual(["hold:end"]);
  });

  it.each([
    ["deleted", undefined, 0],
    ["taken-over", recordOf({ holders: [holderOf({ id: "other" })] }), 0],
    ["force-released", recordOf({ recent: [turnOf({ id: "me", token: 7, ended: "forced" })] }), 0],
    ["taken-over", recordOf({ queue: [waiterOf({ id: "me" })] }), 1],
  ] as const)(
    "where it is gone, it was lost (%s), and only what is left of it is cleared up",
    async (reason, record, cancels) => {
      const { lease, localQueue, calls, names } = leased();
      localQueue.giveBack = async () => notReleased(record);
      expect(await lease.release()).toBe(false);
      expect(lease.loss?.reason).toBe(reason);
      expect(names()).toEqual(["lost"]);
      expect(calls.cancel).toHaveLength(cancels);
    },
  );
});

describe("handed over", () => {
  it("it ends here without being given back", async () => {
    const { lease, calls, ends, context } = leased();
    lease.keep();
    expect(await lease.leave()).toMatchObject({ id: "me", token: 7, leaseMs: LEASE_MS, writeIds: ["w0"] });
    expect([lease.isHeld, lease.signal.aborted]).toEqual([false, false]);
    expect(ends).toEqual(["end"]);
    expect(context.holdings.leases).toEqual([]);
    expect(await lease.release()).toBe(false);
    expect([...calls.renew, ...calls.giveBack, ...calls.cancel]).toEqual([]);
    expect(() => lease.assertHeld()).toThrow(/it was handed over/);
  });

  it("it is what a renewal that is under way makes of it, and is not renewed otherwise", async () => {
    const { lease, calls } = leased();
    const renewing = lease.renew();
    expect(await lease.leave()).toMatchObject({ writeIds: ["w1"] });
    expect(await renewing).toBe(true);
    expect(calls.renew).toHaveLength(1);
  });

  it("it is asked for first where the clocks disagree", async () => {
    const { lease, clockwork, calls } = leased();
    clockwork.wallMs += 60_000;
    expect(await lease.leave()).toMatchObject({ writeIds: ["w1"] });
    expect(calls.renew).toHaveLength(1);
  });

  it("nothing is handed over that is over", async () => {
    const { lease, clockwork, calls, ends } = leased();
    await clockwork.pass(USABLE_MS);
    await expect(lease.leave()).rejects.toMatchObject({ code: "lost", reason: "expired" });
    expect(calls.renew).toHaveLength(0);
    expect(ends).toEqual(["end"]);
  });
});

it("is lost where a caller asks after its end, and what its clearing up comes to is a warning", async () => {
  const { lease, localQueue, clockwork, warnings, names } = leased();
  localQueue.cancel = down;
  await clockwork.pass(USABLE_MS);
  expect(lease.isHeld).toBe(false);
  expect(lease.loss).toBeUndefined();
  expect(() => lease.assertHeld()).toThrow("its lease ran out");
  await settled();
  expect(names()).toEqual(["lost"]);
  expect(warnings).toContainEqual([expect.stringContaining('could not clean up after "x"'), expect.anything()]);
});

it("a loss tells what the store has refused, where that renewal still waits for other credentials", async () => {
  const refusal = new S3MutexError("access-denied", "400 ExpiredToken.");
  const lossAfter = async (...told: (S3MutexError | undefined)[]) => {
    const { lease, localQueue, clockwork, calls } = leased();
    localQueue.renew = () => new Promise<never>(() => {});
    lease.keep();
    await clockwork.pass(4000);
    for (const error of told) calls.renew[0]?.options.onRefusal?.(error);
    await clockwork.pass(USABLE_MS);
    return lease.loss;
  };
  const refused = await lossAfter(refusal);
  expect(refused).toMatchObject({ reason: "store-unavailable", cause: refusal });
  expect(refused?.message).toMatch(/the store refused to renew it until the lease was over: 400 ExpiredToken\.$/);
  const sentAgain = await lossAfter(refusal, undefined);
  expect(sentAgain?.message).toMatch(/no renewal got through .*; the last answer: 400 ExpiredToken\.$/);
});

it("a loss tells what was answered last, also where nothing came after it", async () => {
  const { lease, localQueue, clockwork, calls } = leased();
  localQueue.renew = () => new Promise<never>(() => {});
  lease.keep();
  await clockwork.pass(4000);
  const { onFailure } = calls.renew[0]?.options ?? {};
  onFailure?.(new S3MutexError("store-unavailable", "507 full."), true);
  onFailure?.(new S3MutexError("store-unavailable", "no answer"), false);
  await clockwork.pass(USABLE_MS);
  expect(lease.loss).toMatchObject({ reason: "store-unavailable", cause: { message: "no answer" } });
  expect(lease.loss?.message).toMatch(/the last answer: 507 full\.$/);
});
