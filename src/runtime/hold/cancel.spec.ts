import { expect, it } from "vitest";
import { Clockwork, contextOn, settled } from "../../../test/protocol/clockwork.js";
import { attemptAt, holderOf, recordOf, T0 } from "../../../test/protocol/samples.js";
import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import type { Decision } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import { Activity } from "../base/activity.js";
import type { Context } from "../base/context.js";
import type { LockObject } from "../swap/lock-object.js";
import type { SwapOptions } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import { cancelLeftovers, type Leftovers } from "./cancel.js";

const LEASE_MS = 6000;

function cancelling(
  leftovers: Partial<Leftovers> = {},
  {
    isUnanswered = false,
    isClosing = false,
    isClosed = false,
    fails = false,
    isUnsafe = false,
    leaving = new Set<string>(),
  } = {},
) {
  const clockwork = new Clockwork();
  const stage = contextOn(clockwork);
  if (isClosing) stage.closing.abort();
  if (isClosed) stage.closed.abort();
  const check = { refusal: isUnsafe ? new S3MutexError("store-unsafe", "unsafe") : undefined };
  const writeLog = new WriteLog();
  writeLog.begin("w", { kind: "if-match", etag: '"a"' }, clockwork.reading);
  if (!isUnanswered) writeLog.answered("w");
  const asked: SwapOptions[] = [];
  const decisions: Decision<unknown>[] = [];
  const object = {
    name: "x",
    swap: async (apply: (record: LockRecord, attempt: Attempt) => Decision<unknown>, options: SwapOptions) => {
      asked.push(options);
      const mine = holderOf({ id: "me", leaseWriteId: "w" });
      const copys = holderOf({ id: "me", leaseWriteId: "written by a copy of this process" });
      for (const holders of [[mine], [], [copys]]) decisions.push(apply(recordOf({ holders }), attemptAt(T0)));
      if (fails) throw new Error("no");
    },
  } as unknown as LockObject;
  const activity = Object.assign(new Activity(), { leaving });
  const context: Context = { ...stage.context, check: check as Context["check"], activity };
  cancelLeftovers(context, object, {
    id: "me",
    writeLog,
    leaseMs: LEASE_MS,
    entry: "possible",
    isUnused: false,
    ...leftovers,
  });
  return { ...stage, context, clockwork, writeLog, asked, decisions };
}

it("takes out what is left and not what a copy of the process goes on with, in the background, until its entries have expired and a while longer", async () => {
  const { asked, writeLog, clockwork, closed, decisions, context, warnings } = cancelling();
  expect(asked).toEqual([
    {
      writeLog,
      timeoutMs: LEASE_MS / 6,
      untilMs: clockwork.monotonicMs + LEASE_MS + 1000 + 15_000,
      role: "contender",
      outlastsStalls: true,
      signal: closed.signal,
    },
  ]);
  expect(decisions.map(({ change }) => change !== undefined)).toEqual([true, false, false]);
  await context.background.idle();
  expect(warnings).toEqual([]);
});

it.each([
  [{ entry: "none" as const }, false],
  [{ entry: "possible" as const }, false],
  [{ entry: "listed" as const }, true],
])("writes where nothing is to be seen of %o only where that may be an old version: %s", (leftovers, writes) => {
  const { decisions } = cancelling(leftovers);
  expect(decisions.at(1)?.change !== undefined).toBe(writes);
});

it("does nothing where nothing is left, and keeps an unanswered write from landing where something may", () => {
  expect(cancelling({ entry: "none" }).asked).toHaveLength(0);
  const { asked, decisions } = cancelling({ entry: "none" }, { isUnanswered: true });
  expect(asked).toHaveLength(1);
  expect(decisions.map(({ change }) => change !== undefined)).toEqual([true, true, true]);
});

it("writes nothing into a store that is known to ignore conditions, where that could erase a holder", () => {
  expect(cancelling({ entry: "listed" }, { isUnanswered: true, isUnsafe: true }).asked).toEqual([]);
});

it("does not step back where the mutex closes", () => {
  expect(cancelling({}, { isClosing: true }).asked[0]?.role).toBe("holder");
});

it("warns of what it could not do", async () => {
  const { warnings } = cancelling({}, { fails: true });
  await settled();
  expect(warnings).toEqual([[expect.stringContaining('could not clean up after "x"'), { err: new Error("no") }]]);
});

it("asks for nothing once the mutex is closed, and tells nothing of what the close has cut off", async () => {
  expect(cancelling({}, { isClosed: true }).asked).toEqual([]);
  const { closed, context, warnings } = cancelling({}, { fails: true });
  closed.abort();
  await context.background.idle();
  expect(warnings).toEqual([]);
});

it("notes that no caller has what is being taken out, and forgets it when that is over, whatever came of it", async () => {
  for (const fails of [false, true]) {
    const { context } = cancelling({}, { fails });
    expect(context.activity.isInNoHands("me")).toBe(true);
    await context.background.idle();
    expect(context.activity.isInNoHands("me")).toBe(false);
  }
});

it.each([
  [{ entry: "none" as const }, {}],
  [{}, { isClosed: true }],
  [{}, { isUnsafe: true }],
])(
  "forgets what was given up where there is nothing to take out, or nothing may be sent (%o, %o)",
  (leftovers, state) => {
    const leaving = new Set(["me", "other"]);
    cancelling({ ...leftovers }, { ...state, leaving });
    expect([...leaving]).toEqual(["other"]);
  },
);
