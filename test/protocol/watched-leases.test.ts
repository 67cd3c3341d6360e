import { expect, it } from "vitest";
import { cutOff, Scene } from "../../testkit/scene.js";

/** `takeover: "observed"` with several holders of one object, whose leases one write renews. */

const POOL = "semaphores/locks/pool.json";

it("13.1.6: a long lease is watched for its own length, though the write that renewed it renewed a short one as well", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 2 });
  const short = await scene.until(pool.acquire({ leaseMs: 1000 }));
  const long = await scene.until(pool.acquire({ leaseMs: 60_000 }));
  const writes = () => new Set(scene.record(POOL)?.holders.map(({ leaseWriteId }) => leaseWriteId)).size;
  // A renewal takes along what would soon be due.
  while (writes() > 1) await scene.pass(20);
  scene.fate = cutOff(process);
  const observer = scene.client({ takeover: "observed" }).mutex.semaphore("pool", { permits: 2 });
  await expect(scene.until(observer.acquire({ permits: 2, timeoutMs: 20_000 }))).rejects.toMatchObject({
    code: "timed-out",
  });
  expect([short.held, long.held]).toEqual([false, true]);
  const both = await scene.until(observer.acquire({ permits: 2, timeoutMs: 60_000 }));
  expect([both.held, long.held]).toEqual([true, false]);
});
