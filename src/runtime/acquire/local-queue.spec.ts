import { expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import { attemptAt, holderOf, recordOf, T0 } from "../../../test/protocol/samples.js";
import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import type { ReleaseCommand } from "../../core/transition/release.js";
import { S3MutexError } from "../../errors.js";
import type { LockObject } from "../swap/lock-object.js";
import { WriteLog } from "../swap/write-log.js";
import type { AcquireRequest } from "./acquire-request.js";
import { Acquisition } from "./acquisition.js";
import { LocalQueue } from "./local-queue.js";

const REQUEST = {
  ...{ via: "handle", mode: "exclusive", permits: 1, limit: 1, leaseMs: 10_000, holdAtLeastMs: 0, label: undefined },
  ...{ patienceMs: 60_000, signal: undefined, holds: () => [] },
} as const;

type Request = { readonly priority: number; readonly waitedBeforeMs?: number };

/** Callers of one process, on an object that is reached by what is given. */
function callersOn(clockwork: Clockwork, object: object = {}) {
  const { context } = contextOn(clockwork);
  const known = { name: "x", key: "x", latest: undefined, ...object } as unknown as LockObject;
  const localQueue = new LocalQueue(context, known, () => {});
  const join = (request: Request) => {
    const acquisition = new Acquisition(context, localQueue, { ...REQUEST, ...request } as unknown as AcquireRequest);
    localQueue.join(acquisition);
    return acquisition;
  };
  const maySend = (acquisition: Acquisition) => localQueue.restMs(acquisition) === 0;
  return { localQueue, join, maySend };
}

it("serves callers by when they began to wait, also in the queue of another record", async () => {
  const clockwork = new Clockwork();
  const { localQueue, join, maySend } = callersOn(clockwork);

  const early = join({ priority: 0 });
  await clockwork.pass(100);
  const late = join({ priority: 0 });
  expect([early, late].map(maySend)).toEqual([true, false]);

  const moved = join({ priority: 0, waitedBeforeMs: 5000 });
  expect([moved, early, late].map(maySend)).toEqual([true, false, false]);

  const urgent = join({ priority: 1 });
  expect([urgent, moved, early, late].map(maySend)).toEqual([true, false, false, false]);

  localQueue.leave(urgent);
  localQueue.leave(moved);
  expect([early, late].map(maySend)).toEqual([true, false]);
});

it("lets a caller ask the store itself when a write without an answer may have passed the lock to it", async () => {
  const clockwork = new Clockwork();
  const swap = async (apply: (record: LockRecord, attempt: Attempt) => unknown) => {
    apply(recordOf({ holders: [holderOf({ id: "holder" })] }), attemptAt(T0 + 1000));
    throw new S3MutexError("store-unavailable", "no answer");
  };
  const { localQueue, join, maySend } = callersOn(clockwork, { swap });
  const successor = join({ priority: 0 });
  const untilMs = clockwork.monotonicMs + 1000;
  const policy = { role: "holder", timeoutMs: 1000, untilMs, writeLog: new WriteLog() } as const;
  const giving = localQueue.giveBack({ id: "holder" } as ReleaseCommand, policy);
  await expect(giving).rejects.toMatchObject({ code: "store-unavailable" });

  const urgent = join({ priority: 1 });
  const untried = join({ priority: 0 });
  expect([urgent, successor, untried].map(maySend)).toEqual([true, true, false]);
});
