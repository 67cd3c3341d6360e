import { describe, expect, it } from "vitest";
import { begun, never, unknown } from "../../../test/protocol/calls.js";
import { settled } from "../../../test/protocol/clockwork.js";
import type { S3MutexError } from "../../errors.js";
import type { UnknownOutcome } from "../../store/object-store.js";
import type { TimeLeft } from "./retry-budget.js";

const PLACE = { bucketName: "locks", key: "locks/a.json" };

describe("an answer", () => {
  it("is waited for until the time is up, and no timer is left when it comes", async () => {
    const { clockwork, budget } = begun();
    let told: TimeLeft | undefined;
    const answer = budget.answer(async (left) => {
      told = left;
      return "fine";
    });
    expect(clockwork.pendingMs).toEqual([30_000]);
    expect(clockwork.keepsProcess).toBe(true);
    expect(await answer).toBe("fine");
    await settled();
    expect(told).toEqual({
      timeoutMs: 5000,
      giveUpAtMs: clockwork.monotonicMs + 30_000,
      onRefusal: expect.any(Function),
    });
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("rejects as the request does", async () => {
    const { clockwork, budget } = begun();
    await expect(budget.answer(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await settled();
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("that does not come is unknown, may have been sent, and says how long the store did not answer", async () => {
    const { budget, timed } = begun();
    const { tookMs, outcome } = await timed(budget.answer(never));
    expect(tookMs).toBe(30_000);
    expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: true });
    expect(outcome).toMatchObject({ error: { code: "store-unavailable" } });
    expect((outcome as UnknownOutcome).error.message).toBe(
      "no answer within 30000 ms, including what a request waits for before it leaves (credentials, its turn, an examination of the store)",
    );
  });

  it("that there was hardly any time for is said to have come too late, and not after how little", async () => {
    const { clockwork, budget, timed } = begun();
    await clockwork.pass(29_999);
    const { outcome } = await timed(budget.answer(never));
    expect((outcome as UnknownOutcome).error.message).toMatch(
      /^the caller's time was up before the answer came: 1 ms were left for it, including what a request waits for/,
    );
  });

  it("that there was a second for says how long the store did not answer", async () => {
    const { clockwork, budget, timed } = begun();
    await clockwork.pass(29_000);
    const { outcome } = await timed(budget.answer(never));
    expect((outcome as UnknownOutcome).error.message).toMatch(/^no answer within 1000 ms, /);
  });

  it("is waited for no longer than a minute, however long the caller would wait, and asked for again", async () => {
    const { budget, timed } = begun({ untilMs: Number.POSITIVE_INFINITY });
    const { tookMs, outcome } = await timed(budget.answer(never));
    expect(tookMs).toBe(60_000);
    expect((await timed(budget.afterFailure(outcome as UnknownOutcome))).outcome).toBeUndefined();
  });

  it("has time for two requests, however soon the time is up", async () => {
    const { budget, timed } = begun({ untilMs: 0 });
    expect((await timed(budget.answer(never))).tookMs).toBe(10_000);
  });
});

describe("an answer when the time is up", () => {
  it("is not asked for, which no request was sent for", async () => {
    const { clockwork, budget } = begun();
    await clockwork.pass(30_000);
    let asked = 0;
    const outcome = await budget.answer(async () => ++asked);
    expect(outcome).toMatchObject({ kind: "unknown", sent: false });
    expect((outcome as UnknownOutcome).error.message).toBe("the time was up before the next request");
    expect(asked).toBe(0);
  });

  it("is asked for a last time where the process stood still past the end, with time for two requests", async () => {
    const { clockwork, budget, timed } = begun();
    await clockwork.pass(30_501);
    expect((await timed(budget.answer(never))).tookMs).toBe(10_000);
  });

  it("and not where it came half a second late", async () => {
    const { clockwork, budget } = begun();
    await clockwork.pass(30_500);
    expect(await budget.answer(never)).toMatchObject({ sent: false });
  });
});

describe("an answer to a caller that stops", () => {
  it("to what only reads is not waited for once the caller has stopped; to a write it is", async () => {
    const stop = new AbortController();
    const { budget, timed, clockwork } = begun({ signal: stop.signal });
    const reading = budget.answer(never, { isRead: true });
    const writing = budget.answer(async () => {
      await new Promise<void>((resolve) => clockwork.effects.setTimer(100, resolve, { keepAlive: true }));
      return "written";
    });
    stop.abort();
    expect(await reading).toMatchObject({
      kind: "unknown",
      sent: true,
      error: { message: "the caller has stopped waiting" },
    });
    expect((await timed(writing)).outcome).toBe("written");
  });

  it("to what only reads comes also where it cannot be stopped", async () => {
    expect(await begun().budget.answer(async () => "read", { isRead: true })).toBe("read");
  });

  it("to a call that was stopped is that of the request, which is told that there is no time", async () => {
    const { budget, clockwork } = begun({ signal: AbortSignal.abort() });
    const left = await budget.answer(async (told) => told, { isRead: true });
    expect(left).toEqual({ timeoutMs: 5000, giveUpAtMs: clockwork.monotonicMs });
  });
});

describe("a failure", () => {
  it("is told of, and followed by a pause that grows", async () => {
    const { budget, failures, timed } = begun();
    const tookMs: number[] = [];
    for (const why of ["one", "two", "three", "four"])
      tookMs.push((await timed(budget.afterFailure(unknown(why)))).tookMs);
    expect(failures).toEqual(["one", "two", "three", "four"]);
    expect(tookMs).toEqual([0, 80, 160, 320]);
  });

  it("is followed by a pause that keeps the process, and ends with the call", async () => {
    const stop = new AbortController();
    const { budget, timed, clockwork } = begun({ signal: stop.signal });
    const pausing = budget.afterFailure(unknown("slow down", { throttled: true }));
    expect(clockwork.pendingMs).toEqual([400]);
    expect(clockwork.keepsProcess).toBe(true);
    stop.abort();
    expect((await timed(pausing)).tookMs).toBe(0);
  });

  it("may go untold", async () => {
    const { budget, timed } = begun({}, { isTold: false });
    expect((await timed(budget.afterFailure(unknown("one")))).outcome).toBeUndefined();
  });

  it("of a throttled contender is followed by a second for each contender", async () => {
    const throttled = () => unknown("slow down", { throttled: true });
    const contender = begun({ role: "contender" }, { contenders: 3 });
    expect((await contender.timed(contender.budget.afterFailure(throttled()))).tookMs).toBe(4500);
    const alone = begun({ role: "contender" });
    expect((await alone.timed(alone.budget.afterFailure(throttled()))).tookMs).toBe(1500);
    const holder = begun({}, { contenders: 3 });
    expect((await holder.timed(holder.budget.afterFailure(throttled()))).tookMs).toBe(400);
    const calm = begun({ role: "contender" }, { contenders: 3 });
    expect((await calm.timed(calm.budget.afterFailure(unknown("lost")))).tookMs).toBe(10);
  });

  it("of a throttled contender without the time for that is followed by what a single one would wait", async () => {
    const { clockwork, budget, timed } = begun({ role: "contender" }, { contenders: 10 });
    await clockwork.pass(28_000);
    expect((await timed(budget.afterFailure(unknown("slow down", { throttled: true })))).tookMs).toBe(2000);
    const late = begun({ role: "contender", untilMs: 0 }, { contenders: 10 });
    await late.clockwork.pass(1000);
    expect((await late.timed(late.budget.afterFailure(unknown("slow down", { throttled: true })))).tookMs).toBe(1500);
  });
});

describe("a write that came too soon for the store", () => {
  /** A contender with so much time left, whose store answers in 100 ms. */
  async function turnedAway(leftMs: number, throttled: boolean) {
    const told: string[] = [];
    const stage = begun({ role: "contender", onTooSoon: () => void told.push("too soon") });
    const sentAtMs = stage.clockwork.monotonicMs;
    stage.context.clock.observe({ sentAtMs, receivedAtMs: sentAtMs + 100 });
    await stage.clockwork.pass(30_000 - leftMs);
    await stage.timed(stage.budget.afterFailure(unknown("no", { throttled })));
    return told;
  }

  it("is told of where the pause and one more request take all of the time", async () => {
    expect(await turnedAway(1600, true)).toEqual(["too soon"]);
    expect(await turnedAway(1601, true)).toEqual([]);
  });

  it("and not where the store has said nothing of that", async () => {
    expect(await turnedAway(100, false)).toEqual([]);
  });

  it("is followed by no longer a pause than there is time, from the second on", async () => {
    const stage = begun({ role: "contender", untilMs: 12_000 });
    const tookMs = async () =>
      (await stage.timed(stage.budget.afterFailure(unknown("no", { throttled: true })))).tookMs;
    expect([await tookMs(), await tookMs()]).toEqual([1500, 500]);
  });
});

describe("a failure at the end of the time", () => {
  it("is the end when the time is up: the second at the latest, with what was seen last as its cause", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterFailure(unknown("one")));
    await clockwork.pass(30_000);
    const cause = unknown("two");
    await expect(budget.afterFailure(cause)).rejects.toMatchObject({
      code: "store-unavailable",
      lockName: "x",
      message: 'The store did not answer for the lock "x": two',
      cause: cause.error,
    });
  });

  it("alone is not the end, however late: there is time for two requests", async () => {
    const { budget, timed, failures } = begun({ untilMs: 0 });
    await timed(budget.afterFailure(unknown("one")));
    await expect(budget.afterFailure(unknown("two"))).rejects.toThrow("two");
    expect(failures).toEqual(["one", "two"]);
  });

  it("of a listing names no lock", async () => {
    const { clockwork, budget, timed } = begun({}, { isListing: true });
    await timed(budget.afterFailure(unknown("one")));
    await clockwork.pass(30_000);
    const error = await budget.afterFailure(unknown("two")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: "The store did not answer for a listing: two" });
    expect((error as S3MutexError).lockName).toBeUndefined();
  });

  it("says no more than that there was no time where the one before said more", async () => {
    const { clockwork, budget, timed, failures } = begun();
    await timed(budget.afterFailure(unknown("the store said 500")));
    await clockwork.pass(29_500);
    await timed(budget.afterFailure((await timed(budget.answer(never))).outcome as UnknownOutcome)).then(
      ({ outcome }) =>
        expect(outcome).toMatchObject({ message: 'The store did not answer for the lock "x": the store said 500' }),
    );
    expect(failures).toEqual(["the store said 500", "the store said 500"]);
    const unsent = begun();
    await unsent.timed(unsent.budget.afterFailure(unknown("first")));
    await unsent.timed(unsent.budget.afterFailure(unknown("nothing left", { sent: false })));
    expect(unsent.failures).toEqual(["first", "first"]);
    const alone = begun();
    await alone.timed(alone.budget.afterFailure(unknown("nothing left", { sent: false })));
    expect(alone.failures).toEqual(["nothing left"]);
  });

  it("that took long says what it says, although the time was up", async () => {
    const { budget, timed, failures } = begun();
    await timed(budget.afterFailure(unknown("the store said 500")));
    const outcome = (await timed(budget.answer(never))).outcome as UnknownOutcome;
    await expect(budget.afterFailure(outcome)).rejects.toThrow('for the lock "x": no answer within 30000 ms');
    expect(failures[1]).toContain("no answer within");
  });
});

describe("what is said of a failure", () => {
  it("is nothing where the caller has stopped, and nothing is waited for", async () => {
    const { budget, failures, clockwork } = begun({ signal: AbortSignal.abort() });
    await budget.afterFailure(unknown("one"));
    expect(failures).toEqual([]);
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("is a warning, once, when the store has not answered for three seconds", async () => {
    const { clockwork, budget, timed, warnings } = begun();
    await timed(budget.afterFailure(unknown("one")));
    await clockwork.pass(2999);
    await timed(budget.afterFailure(unknown("two")));
    expect(warnings).toEqual([]);
    await clockwork.pass(1000);
    await timed(budget.afterFailure(unknown("three")));
    await timed(budget.afterFailure(unknown("four")));
    const said = { err: expect.objectContaining({ message: "three" }) };
    expect(warnings).toEqual([[expect.stringContaining('the store does not answer for the lock "x"'), said]]);
  });
});

it("gives up early where nothing has changed in the store for so long either, and not where something has", async () => {
  const gone = begun({ unreachableMs: 12_000 });
  await gone.timed(gone.budget.afterFailure(unknown("one")));
  await gone.clockwork.pass(12_000);
  await expect(gone.budget.afterFailure(unknown("two"))).rejects.toMatchObject({ code: "store-unavailable" });
  const busy = begun({ unreachableMs: 12_000 });
  busy.budget.saw({ etag: '"a"' }, PLACE);
  await busy.timed(busy.budget.afterFailure(unknown("one")));
  await busy.clockwork.pass(5000);
  busy.budget.saw({ etag: '"b"' }, PLACE);
  await busy.clockwork.pass(11_000);
  busy.budget.saw({ etag: '"b"' }, PLACE);
  expect((await busy.timed(busy.budget.afterFailure(unknown("two")))).outcome).toBeUndefined();
  await busy.clockwork.pass(1000);
  await expect(busy.budget.afterFailure(unknown("three"))).rejects.toMatchObject({ code: "store-unavailable" });
});
