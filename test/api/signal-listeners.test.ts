import { getEventListeners } from "node:events";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect } from "vitest";
import { BUCKET, it } from "./fixture.js";

const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
beforeEach(() => process.on("warning", onWarning));
afterEach(() => {
  process.off("warning", onWarning);
  expect(warnings.splice(0)).toEqual([]);
});

/** Gives a signal to more listeners than Node takes for a leak. */
function listen(signal: AbortSignal): void {
  for (let listeners = 0; listeners < 30; listeners += 1) signal.addEventListener("abort", () => {});
  expect(getEventListeners(signal, "abort").length).toBeGreaterThanOrEqual(30);
}

it("P16: the signal of a lock may be given to a dozen requests at once", async ({ world }) => {
  world.server.setLatency(50);
  const client = world.client();
  world.server.putObject(BUCKET, "k", "body");
  await world.mutex().withLock("x", async ({ signal }) => {
    const requests = Array.from({ length: 12 }, () =>
      client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "k" }), { abortSignal: signal }),
    );
    await Promise.all(requests);
  });
});

it("P16: so may every other signal that is handed out", async ({ world }) => {
  const mutex = world.mutex();
  const own = new AbortController();
  await mutex.withLock("x", async (outer) => {
    listen(outer.signal);
    await mutex.withLock("x", (inner) => listen(inner.signal), { reentrant: true });
    const within = await mutex.acquire("x", { within: outer });
    listen(within.signal);
    await within.release();
  });
  await mutex.withLocks(["a", "b"], (locks) => listen(locks.signal));
  await mutex.runOnce("k", ({ signal }) => listen(signal));
  await mutex.semaphore("s", { permits: 1 }).withPermits((permit) => listen(permit.signal));
  await mutex.election("e").runWhenLeader((signal) => listen(signal));
  await mutex.election("e").runWhenLeader((signal) => listen(signal), { signal: own.signal });
  const restored = await mutex.restore(await (await mutex.acquire("x")).serialize());
  listen(restored.signal);
  await restored.release();
  world.server.deleteObject(BUCKET, "once/locks/k.json");
});
