import { expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import type { LockObject } from "../swap/lock-object.js";
import type { AcquireRequest } from "./acquire-request.js";
import { Acquisition } from "./acquisition.js";
import { LocalQueue } from "./local-queue.js";

const REQUEST = {
  ...{ via: "handle", mode: "exclusive", permits: 1, limit: 1, leaseMs: 10_000, holdAtLeastMs: 0, label: undefined },
  ...{ patienceMs: 60_000, signal: undefined, holds: () => [] },
} as const;

it("serves callers by when they began to wait, also in the queue of another record", async () => {
  const clockwork = new Clockwork();
  const { context } = contextOn(clockwork);
  const localQueue = new LocalQueue(
    context,
    { name: "x", key: "x", latest: undefined } as unknown as LockObject,
    () => {},
  );
  const join = (request: { readonly priority: number; readonly waitedBeforeMs?: number }) => {
    const acquisition = new Acquisition(context, localQueue, { ...REQUEST, ...request } as unknown as AcquireRequest);
    localQueue.join(acquisition);
    return acquisition;
  };
  const maySend = (acquisition: Acquisition) => localQueue.restMs(acquisition) === 0;

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
