import { expect, it } from "vitest";
import { Clockwork, contextOn, settled } from "../../../test/protocol/clockwork.js";
import { attemptAt, holderOf, recordOf, T0 } from "../../../test/protocol/samples.js";
import type { Attempt } from "../../core/expiry.js";
import { type Holder, type LockRecord, MAX_TOKEN } from "../../core/record.js";
import type { Decision } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import type { StoreClock } from "../base/store-clock.js";
import type { Lease } from "../hold/lease.js";
import type { SwapOptions } from "../swap/swap-options.js";
import type { LocalQueue } from "./local-queue.js";
import { restoreLease } from "./restore.js";

const LEASE_MS = 10_000;
const ON_A = { kind: "if-match", etag: '"a"' } as const;
const HANDED_OVER = holderOf({ id: "before", token: T0, leaseMs: LEASE_MS, holdAtLeastMs: 60_000 });

type Apply = (record: LockRecord, attempt: Attempt) => Decision<{ kind: string; holder?: Holder }>;

interface Given {
  /** Who is in the record. */
  readonly holder?: Holder;
  /** The highest fencing token that there is. */
  readonly token?: number;
  /** What happens before anything is sent. */
  readonly onAsked?: (stage: ReturnType<typeof contextOn>) => void;
  /** What happens when the write has landed, before it is answered. */
  readonly onLanded?: (stage: ReturnType<typeof contextOn>) => void;
  /** Whether another process takes it over before its store time is known to be right. */
  readonly isTakenOver?: boolean;
}

async function restoring(given: Given = {}) {
  const { holder = HANDED_OVER, token = T0, onAsked = () => {}, onLanded = () => {}, isTakenOver = false } = given;
  const clockwork = new Clockwork();
  const stage = contextOn(clockwork);
  const checks: number[] = [];
  const context = { ...stage.context, check: { ...stage.context.check, begin: (ms: number) => checks.push(ms) } };
  const asked: SwapOptions[] = [];
  const after: (LockRecord | undefined)[] = [];
  let record = recordOf({ holders: [holder], token });
  const object = {
    name: "x",
    key: "locks/x.json",
    swap: async (apply: Apply, options: SwapOptions) => {
      asked.push(options);
      if (asked.length === 1) onAsked(stage);
      if (options.signal?.aborted) throw new S3MutexError("aborted", "stopped");
      if (asked.length === 2 && isTakenOver) record = recordOf({ holders: [holderOf({ id: "other" })] });
      const writeId = `w${asked.length}`;
      const { reply, change } = apply(record, attemptAt(T0 + 1000, { writeId }));
      if (change?.kind === "write") {
        record = change.record;
        options.writeLog?.begin(writeId, ON_A, clockwork.reading);
        if (asked.length === 1) onLanded(stage);
        if (isTakenOver) await contradict(clockwork, stage.context.clock);
      }
      after.push(change?.kind === "write" ? record : undefined);
      return { reply };
    },
  };
  const held: Lease[] = [];
  const localQueue = { object, hold: (lease: Lease) => held.push(lease) } as unknown as LocalQueue;
  const from = { id: "before", token: T0, leaseMs: LEASE_MS, writeIds: [HANDED_OVER.leaseWriteId] };
  const outcome = await restoreLease(context as unknown as Context, localQueue, from).catch((error: unknown) => error);
  await settled();
  return { ...stage, outcome, held, asked, after, checks, clockwork };
}

/** The store's answers do not agree about the time, so that the lease is renewed before it is handed out. */
async function contradict(clockwork: Clockwork, clock: StoreClock): Promise<void> {
  await clockwork.pass(1);
  const sentAtMs = clockwork.monotonicMs;
  for (const dateMs of [1_000_000, 10_000_000]) clock.observe({ sentAtMs, receivedAtMs: sentAtMs, dateMs });
}

const fail = () => {
  throw new S3MutexError("store-unavailable", "down");
};

it("goes on with it under an id of its own, after a look at the store itself, and finds out whether that is safe", async () => {
  const { outcome, held, asked, checks, clockwork } = await restoring();
  expect(held).toEqual([outcome]);
  expect(asked[0]).toMatchObject({ isConfirmedLater: true });
  const [lease] = held as [Lease];
  expect(lease.holder).toMatchObject({ id: "fresh", owner: "owner", leaseMs: 60_000 - 1000 });
  expect(lease.signal.aborted).toBe(false);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ from: "store", role: "holder", untilMs: clockwork.monotonicMs + LEASE_MS });
  expect(checks).toEqual([LEASE_MS / 6]);
  expect(await lease.leave()).toMatchObject({ id: "fresh", leaseMs: LEASE_MS });
});

it("writes nothing where it is gone, nor finds out anything", async () => {
  const { outcome, asked, checks, after, closing } = await restoring({ holder: holderOf({ id: "other" }) });
  expect(outcome).toMatchObject({ code: "lost", reason: "taken-over" });
  expect(after.filter((record) => record !== undefined)).toEqual([]);
  expect(checks).toEqual([]);
  // It is over: a close that comes now is nothing to it.
  closing.abort();
  expect(asked[0]?.signal?.aborted).toBe(false);
});

it("is lost to an acquirer that took it over before it could be handed out", async () => {
  const { outcome, held } = await restoring({ isTakenOver: true });
  expect(outcome).toMatchObject({ code: "lost", reason: "taken-over", lockName: "x" });
  expect(held).toEqual([]);
});

it("leaves nothing where it fails after it has landed, but for what its holder is to be held for: there was work under it", async () => {
  const { outcome, asked, after } = await restoring({ onLanded: fail });
  expect(outcome).toMatchObject({ message: "down" });
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatchObject({ role: "contender", outlastsStalls: true });
  expect(after.at(-1)?.holders).toMatchObject([{ id: "fresh", releasedAtMs: T0 + 1000 }]);
});

it("that a close could not wait for destroys nothing: it is left to run out", async () => {
  const { outcome, asked } = await restoring({
    onLanded: ({ closed }) => {
      closed.abort();
      fail();
    },
  });
  expect(outcome).toMatchObject({ code: "closed" });
  expect(asked).toHaveLength(1);
});

it("is refused by a close that comes before anything was sent: another process can have it", async () => {
  const { outcome, asked } = await restoring({ onAsked: ({ closing }) => closing.abort() });
  expect(outcome).toMatchObject({ code: "closed", lockName: "x" });
  expect(asked).toHaveLength(1);
});

it("leaves it as it was where there is no higher token to go on with", async () => {
  const { outcome, held, after } = await restoring({ token: MAX_TOKEN });
  expect(outcome).toMatchObject({ code: "corrupt-record" });
  expect(after[0]).toBeUndefined();
  expect(held).toEqual([]);
});

it("gives a lock whose holder is asked to stop where the mutex closes meanwhile", async () => {
  const { outcome } = await restoring({ onLanded: (stage) => stage.closing.abort() });
  expect((outcome as Lease).signal.reason).toMatchObject({ reason: "closed" });
});
