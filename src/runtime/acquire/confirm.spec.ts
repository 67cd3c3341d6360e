import { describe, expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import { attemptAt, holderOf, recordOf } from "../../../test/protocol/samples.js";
import type { Attempt } from "../../core/expiry.js";
import type { Holder, LockRecord } from "../../core/record.js";
import type { Decision } from "../../core/transition/decision.js";
import type { RenewReply } from "../../core/transition/renew.js";
import type { LeaseTiming } from "../hold/lease-clock.js";
import type { LockObject } from "../swap/lock-object.js";
import type { SwapOptions } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import { confirmGrant } from "./confirm.js";

/** 9,800 ms of it are usable. */
const LEASE_MS = 10_000;
const DATED = { dateMs: 1_000_000 };
const ON_A = { kind: "if-match", etag: '"a"' } as const;

interface Grant {
  readonly contradicted?: boolean;
  /** Whether a further answer has agreed with the one that contradicts. */
  readonly isAgreed?: boolean;
  readonly undated?: true;
  /** How long after the grant was written the time of the whole call is up. */
  readonly upAfterMs?: number;
  readonly isFirstOfRecord?: boolean;
  /** How long the grant was on its way. */
  readonly tookMs?: number;
  readonly timing?: LeaseTiming;
  /** What each renewal takes, and how it ends. */
  readonly renewals?: readonly ("gone" | { readonly tookMs?: number; readonly contradicted?: boolean })[];
  /** The lease that was asked for, where a shorter one was written. */
  readonly wantedMs?: number;
  /** Whether the store has told its time. */
  readonly isDated?: boolean;
  /** What its answers so far say of the time. */
  readonly answers?: readonly { readonly dateMs?: number }[];
  /** Whether it is forgotten when the grant was written. */
  readonly isForgotten?: boolean;
  /** Whether the caller has stopped. */
  readonly isStopped?: boolean;
}

async function confirmed(given: Grant) {
  const { contradicted = false, undated, tookMs = 0, timing, renewals = [], wantedMs, isDated = true } = given;
  const { isForgotten = false, isStopped = false } = given;
  const clockwork = new Clockwork();
  const { context } = contextOn(clockwork);
  const decisions: Decision<RenewReply>[] = [];
  const writeLog = new WriteLog();
  const asked: SwapOptions[] = [];
  const sent = (
    leaseWriteId: string,
    fields: Partial<Pick<Holder, "undated" | "leaseMs" | "holdAtLeastMs">> = {},
  ): Holder => {
    writeLog.begin(leaseWriteId, ON_A, clockwork.reading);
    return holderOf({ id: "me", token: 7, leaseMs: LEASE_MS, leaseWriteId, ...fields });
  };
  const atLeast = given.isFirstOfRecord ? { holdAtLeastMs: 10 * LEASE_MS } : {};
  const startedAtMs = clockwork.monotonicMs;
  const holder = sent("w0", undated === undefined ? atLeast : { ...atLeast, undated });
  if (isForgotten) for (let index = 0; index < 64; index += 1) writeLog.begin(`other${index}`, ON_A, clockwork.reading);
  await clockwork.pass(tookMs);
  const atMs = clockwork.monotonicMs;
  const { answers = isDated ? [DATED, DATED] : [{}, {}, {}] } = given;
  const hear = (answer: { readonly dateMs?: number }, sentAtMs = clockwork.monotonicMs) =>
    context.clock.observe({ sentAtMs, receivedAtMs: sentAtMs, ...answer });
  for (const answer of answers) hear(answer, atMs);
  /** Another request hears something else. */
  let isContradicted = false;
  const contradict = async () => {
    await clockwork.pass(1);
    hear({ dateMs: (asked.length + 2) * 10_000_000 });
    isContradicted = true;
  };
  if (contradicted) await contradict();
  if (given.isAgreed) hear({ dateMs: 20_000_000 });
  const object = {
    name: "x",
    swap: async (apply: (record: LockRecord, attempt: Attempt) => Decision<RenewReply>, options: SwapOptions) => {
      asked.push(options);
      const copys = { ...holder, leaseWriteId: "written by a copy of this process" };
      // Long after the published expiry: what was not taken over is renewed all the same.
      for (const one of [holder, copys])
        decisions.push(apply(recordOf({ holders: [one] }), attemptAt(holder.expiresAtMs + 60_000)));
      const renewal = renewals[asked.length - 1] ?? {};
      if (renewal === "gone") return { reply: { kind: "gone" } };
      const next = sent(`w${asked.length}`, wantedMs === undefined ? {} : { leaseMs: wantedMs });
      await clockwork.pass(renewal.tookMs ?? 0);
      if (renewal.contradicted) await contradict();
      else if (isContradicted) hear(DATED);
      return { reply: { kind: "renewed", holder: next } };
    },
  } as unknown as LockObject;
  const { signal } = isStopped ? { signal: AbortSignal.abort() } : new AbortController();
  const grant = await confirmGrant(
    context,
    object,
    {
      holder,
      ...(given.isFirstOfRecord === undefined ? {} : { isFirstOfRecord: given.isFirstOfRecord }),
    },
    {
      ...{ writeLog, signal, timing, ...(wantedMs === undefined ? {} : { leaseMs: wantedMs }) },
      ...(given.upAfterMs === undefined ? {} : { callTime: { untilMs: startedAtMs + given.upAfterMs } }),
      ...{ role: "contender", untilMs: 0, timeoutMs: 1000 },
    },
  );
  return { grant, asked, clockwork, signal, writeLog, decisions };
}

describe("a grant is handed out as it is", () => {
  it.each<[string, Grant]>([
    ["with more than half of its lease left", { tookMs: 4799 }],
    ["undated, where the store tells no time", { undated: true, isDated: false }],
    ["undated, where one answer only has told it", { undated: true, answers: [DATED] }],
    ["undated, where one has and no other does", { undated: true, answers: [DATED, {}, {}, {}] }],
    ["though it made the record, where nothing contradicts its time", { isFirstOfRecord: true }],
    [
      "with more than half of what its holder uses of it",
      { tookMs: 1999, timing: { renewEveryMs: 1000, renewalDeadlineMs: 4000 } },
    ],
  ])("%s", async (_, given) => {
    const { grant, asked, writeLog } = await confirmed(given);
    expect(asked).toHaveLength(0);
    expect(grant).toMatchObject({ holder: { leaseWriteId: "w0" }, reading: writeLog.readingOf("w0") });
    expect(grant?.writeLog).toBe(writeLog);
  });
});

describe("a grant is renewed first", () => {
  it.each<[string, Grant]>([
    ["where half of its lease is over", { tookMs: 4800 }],
    [
      "where half of what its holder uses of it is over",
      { tookMs: 2000, timing: { renewEveryMs: 1000, renewalDeadlineMs: 4000 } },
    ],
    ["where the store's clock was not where it was thought to be", { contradicted: true }],
    ["where that is certain by now", { contradicted: true, isAgreed: true }],
    ["where it is undated and the store has told its time since", { undated: true }],
    ["where it is forgotten since when it counts", { isForgotten: true }],
    ["where its time is contradicted and the record was there before", { contradicted: true, isFirstOfRecord: false }],
  ])("%s", async (_, given) => {
    const { grant, asked, clockwork, signal } = await confirmed(given);
    expect(grant).toMatchObject({ holder: { leaseWriteId: "w1" }, reading: clockwork.reading });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ role: "holder", timeoutMs: LEASE_MS / 6, signal });
    expect(asked[0]?.untilMs).toBe(clockwork.monotonicMs + LEASE_MS);
  });

  it("where a shorter lease was written than was asked for, since the store was not known to be safe", async () => {
    const wantedMs = 6 * LEASE_MS;
    const { grant, asked, clockwork } = await confirmed({ wantedMs });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ timeoutMs: 5000, untilMs: clockwork.monotonicMs + wantedMs });
    expect(grant).toMatchObject({ holder: { leaseWriteId: "w1", leaseMs: wantedMs } });
    expect((await confirmed({ wantedMs: LEASE_MS })).asked).toHaveLength(0);
  });

  it("again where the renewal was contradicted, or took half of the lease", async () => {
    const { grant, asked } = await confirmed({
      contradicted: true,
      renewals: [{ contradicted: true }, { tookMs: 4900 }, {}],
    });
    expect(asked).toHaveLength(3);
    expect(grant).toMatchObject({ holder: { leaseWriteId: "w3" } });
  });

  it("unless the time of the call is up: then what is left has to do, and a renewal has no more than that time", async () => {
    expect((await confirmed({ tookMs: 6000, upAfterMs: 6000 })).asked).toHaveLength(0);
    const { asked, clockwork } = await confirmed({ tookMs: 6000, upAfterMs: 6001, renewals: [{}] });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.untilMs).toBe(clockwork.monotonicMs + 1);
  });

  it("and after three renewals it is handed out with whatever is left", async () => {
    const slow = { tookMs: 9799 };
    const { grant, asked } = await confirmed({ tookMs: 9799, renewals: [slow, slow, slow] });
    expect(asked).toHaveLength(3);
    expect(grant).toMatchObject({ holder: { leaseWriteId: "w3" } });
  });

  it("but not over: then the lease is too short for the store", async () => {
    const slow = { tookMs: 9800 };
    await expect(confirmed({ tookMs: 9800, renewals: [slow, slow, slow] })).rejects.toMatchObject({
      code: "store-unavailable",
      lockName: "x",
      message: 'The lease of 10000 ms for "x" runs out before the store answers (about 0 ms): use a longer lease.',
    });
  });
});

it("is refused where answers go on to contradict each other, and not for its lease", async () => {
  const again = { contradicted: true };
  await expect(confirmed({ contradicted: true, renewals: [again, again, again] })).rejects.toMatchObject({
    code: "store-unavailable",
    lockName: "x",
    message: expect.stringMatching(/^It is not known until when the lock "x" would be held: no two answers .* agree/),
  });
});

it("is renewed where it goes by one answer, as often as no second one tells the time", async () => {
  const { grant, asked } = await confirmed({ answers: [DATED], renewals: [{}, {}, {}] }).catch((error) => {
    expect(error).toMatchObject({ code: "store-unavailable" });
    return { grant: undefined, asked: [1, 2, 3] };
  });
  expect(grant).toBeUndefined();
  expect(asked).toHaveLength(3);
});

it("is given back where it made the record and its time is contradicted: its token may be an old one's", async () => {
  const { grant, asked, decisions } = await confirmed({ contradicted: true, isFirstOfRecord: true });
  expect(grant).toBeUndefined();
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ role: "holder", timeoutMs: LEASE_MS / 6 });
  expect(decisions[0]?.reply).toMatchObject({ kind: "released" });
  expect(decisions[0]?.change).toMatchObject({ record: { holders: [] } });
  expect(decisions[1]?.reply).toMatchObject({ kind: "not-held" });
});

it("is renewed by its own id and token, unless a copy of the process goes on with it", async () => {
  const { decisions, writeLog } = await confirmed({ contradicted: true });
  const [own, copys] = decisions;
  expect(own?.reply).toMatchObject({ kind: "renewed", holder: { id: "me", token: 7, leaseMs: LEASE_MS } });
  expect(writeLog.isOwn("w0")).toBe(true);
  expect(copys).toEqual({ reply: { kind: "gone", reason: "cloned" } });
});

it("there is nothing to hand out to a caller that has stopped", async () => {
  const { grant, asked } = await confirmed({ isStopped: true });
  expect(grant).toBeUndefined();
  expect(asked).toEqual([]);
});

it("there is nothing to hand out where the renewal finds it gone", async () => {
  const { grant, asked } = await confirmed({ contradicted: true, renewals: ["gone"] });
  expect(grant).toBeUndefined();
  expect(asked).toHaveLength(1);
});
