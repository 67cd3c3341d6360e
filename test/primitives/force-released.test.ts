import { expect, it, vi } from "vitest";
import { parseRecord } from "../../src/core/codec.js";
import type { Lock } from "../../src/index.js";
import { type Client, Scene } from "../../testkit/scene.js";

vi.setConfig({ testTimeout: 120_000 });

const LEASE_MS = 9000;
const KEY = "semaphores/locks/pool.json";

function take(client: Client, permits: number): Promise<Lock[]> {
  const semaphore = client.mutex.semaphore("pool", { permits });
  return Promise.all(Array.from({ length: permits }, () => semaphore.acquire({ leaseMs: LEASE_MS })));
}

/** Makes an operator's mutex: its locks are the semaphore's, by the key that they have anyway. */
function operatorOf(scene: Scene): Client {
  return scene.client({ keyPrefix: "semaphores/locks/" });
}

function reasonsOf(permits: readonly Lock[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { signal } of permits) {
    const reason = signal.aborted ? signal.reason.reason : "not lost";
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** Takes more turns than the record remembers. */
async function manyTurns(scene: Scene, name: string): Promise<void> {
  const { mutex } = scene.client();
  for (let turn = 0; turn < 12; turn += 1) await scene.until(mutex.withLock(name, () => scene.world.sleep(100)));
}

it.each([
  [20, "force-released", "none"],
  [20, "force-released", "others"],
  [250, "force-released", "others"],
  [20, "deleted", "others"],
])(
  "each of %i holders of a semaphore hears that it was %s, when %s came after that",
  async (permits, reason, after) => {
    const scene = new Scene();
    const held = await scene.until(take(scene.client(), permits), 10_000);
    const { mutex } = operatorOf(scene);
    const ending = reason === "deleted" ? mutex.deleteLock("pool", true) : mutex.releaseLock("pool", true);
    expect(await scene.until(ending, 5000)).toBe(true);
    if (after === "others") await scene.until(take(scene.client(), permits), 10_000);
    await scene.pass(LEASE_MS / 2);
    expect(reasonsOf(held)).toEqual({ [reason]: permits });
  },
);

it("a holder of a lock hears of force, however many have had the lock before it renews", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client({ lockTimeoutMs: 60_000 }).mutex.acquire("pool"));
  expect(await scene.until(scene.client().mutex.releaseLock("pool", true))).toBe(true);
  await manyTurns(scene, "pool");
  await scene.pass(30_000);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "force-released" });
});

it("who was taken over before the force hears that", async () => {
  const scene = new Scene();
  const frozen = scene.client();
  const lock = await scene.until(frozen.mutex.acquire("job", { leaseMs: LEASE_MS }));
  frozen.process.freeze(undefined, true);
  const other = await scene.until(scene.client().mutex.acquire("job", { leaseMs: LEASE_MS }), 3 * LEASE_MS);
  expect(await scene.until(scene.client().mutex.releaseLock("job", true))).toBe(true);
  await manyTurns(scene, "job");
  frozen.process.thaw();
  await scene.pass(LEASE_MS);
  expect(other.signal.reason).toMatchObject({ reason: "force-released" });
  expect(lock.signal.reason).toMatchObject({ reason: expect.stringMatching(/^(taken-over|expired)$/) });
});

it("forgets who was ended by force when their leases are over", async () => {
  const scene = new Scene();
  const held = await scene.until(take(scene.client(), 20), 5000);
  expect(await scene.until(operatorOf(scene).mutex.releaseLock("pool", true))).toBe(true);
  const remembered = () => {
    const parsed = parseRecord(scene.bucket.objects.get(KEY)?.body ?? "");
    return parsed.kind === "record" ? parsed.record.cutShort : undefined;
  };
  expect(remembered()?.forced?.tokens.length).toBe(20);
  await scene.pass(2 * LEASE_MS);
  expect(held.every(({ signal }) => signal.aborted)).toBe(true);
  await scene.until(scene.client().mutex.semaphore("pool", { permits: 20 }).acquire());
  expect(remembered()).toBeUndefined();
});
