import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";
import { type Told, telling } from "./telling.js";

/** 13.1.1: reads that never carry `Date`, of a process one of whose other answers was wrong. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 10_000;

/** Tells the time with writes only, and with the second of them a wrong one. */
function wrongOnce(offByMs: number): (operation: string) => Told {
  let writes = 0;
  return (operation) => {
    if (operation !== "write") return "none";
    writes += 1;
    return writes === 2 ? { offByMs } : "date";
  };
}

it.each([
  ["waits", -HOUR_MS],
  ["waits", HOUR_MS],
  ["asks now and then", -HOUR_MS],
  ["asks now and then", HOUR_MS],
])(
  "a caller that %s after an answer that was %i ms off is not kept for an hour by a holder that has died",
  async (how, offByMs) => {
    const scene = new Scene();
    const client = scene.client({ through: telling(wrongOnce(offByMs)) });
    for (let turn = 0; turn < 2; turn += 1)
      await scene.until((await scene.until(client.mutex.acquire("own"))).release());
    const dying = scene.client();
    await scene.until(dying.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    dying.process.kill();
    const diedAtMs = scene.nowMs;
    if (how === "waits") await scene.until(client.mutex.acquire(NAME, { timeoutMs: 2 * HOUR_MS }));
    else while ((await scene.until(client.mutex.tryAcquire(NAME))) === null) await scene.pass(1000);
    expect(scene.nowMs - diedAtMs).toBeLessThan(2 * LEASE_MS);
  },
);

it.each([HOUR_MS, 12_000])(
  "questions do not go by one answer that is %i ms off where no second one tells the time",
  async (offByMs) => {
    const scene = new Scene();
    const holder = scene.client();
    const lock = await scene.until(holder.mutex.acquire(NAME));
    const lead = await scene.until(holder.mutex.election("lead").campaign());
    const what = (operation: string, index: number): Told =>
      operation === "read" && index === 0 ? { offByMs } : "none";
    const asking = scene.client({ through: telling(what) });
    expect(await scene.until(asking.mutex.isLocked(NAME))).toBe(true);
    expect(await scene.until(asking.mutex.inspect(NAME))).toMatchObject({ state: "held" });
    expect(await scene.until(asking.mutex.election("lead").leader())).toMatchObject({
      fencingToken: lead.fencingToken,
    });
    expect(lock.held).toBe(true);
  },
);
