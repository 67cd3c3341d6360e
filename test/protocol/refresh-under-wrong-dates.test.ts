import { expect, it } from "vitest";
import { type Client, NAME, Scene } from "../../testkit/scene.js";
import { type Told, telling } from "./telling.js";

/** 13.1.1 and rule 4: `refreshLock` goes on with a lease that has not ended, whatever one answer says of the time. */

const LEASE_MS = 10_000;
const HOUR_MS = 3_600_000;
const OFFS = [HOUR_MS, -HOUR_MS, LEASE_MS + 3000];

/** Makes a client that can be told the wrong time: by the next answer only. */
function misled(scene: Scene, options: { readonly ownerId?: string; readonly wallOffsetMs?: number } = {}) {
  const { wallOffsetMs = 0, ...others } = options;
  let next: Told = "date";
  const through = telling(() => {
    const told = next;
    next = "date";
    return told;
  });
  const mislead = (offByMs: number) => {
    next = { offByMs };
  };
  return { ...scene.client({ ...others, lockTimeoutMs: LEASE_MS, clocks: { wallOffsetMs }, through }), mislead };
}

async function refreshes(scene: Scene, { mutex }: Pick<Client, "mutex">, times: number): Promise<boolean[]> {
  const refreshed: boolean[] = [];
  for (let time = 0; time < times; time += 1) {
    await scene.pass(LEASE_MS / 2);
    refreshed.push(await scene.until(mutex.refreshLock(NAME)));
  }
  return refreshed;
}

it.each(OFFS.flatMap((offByMs) => [0, -HOUR_MS].map((wallOffsetMs) => ({ offByMs, wallOffsetMs }))))(
  "of this mutex, where one answer is off by $offByMs ms (wall clock $wallOffsetMs ms)",
  async ({ offByMs, wallOffsetMs }) => {
    const asks: ((client: Client) => Promise<unknown>)[] = [
      ({ mutex }) => mutex.refreshLock(NAME),
      ({ mutex }) => mutex.isLocked(NAME),
      ({ mutex }) => mutex.inspect("another"),
    ];
    for (const ask of asks) {
      const scene = new Scene();
      const client = misled(scene, { wallOffsetMs });
      expect(await scene.until(client.mutex.acquireLock(NAME))).toBe(true);
      await scene.pass(1000);
      client.mislead(offByMs);
      await scene.until(ask(client));
      expect(await scene.until(client.mutex.isOwnedByUs(NAME))).toBe(true);
      expect(await refreshes(scene, client, 4)).toEqual([true, true, true, true]);
      await scene.pass(LEASE_MS + 1);
      expect(await scene.until(client.mutex.refreshLock(NAME))).toBe(false);
    }
  },
);

it.each(OFFS)("of another instance of the owner, where one answer is off by %i ms", async (offByMs) => {
  for (const isFirst of [true, false]) {
    const scene = new Scene();
    const one = scene.client({ ownerId: "us", lockTimeoutMs: LEASE_MS });
    const twin = misled(scene, { ownerId: "us" });
    if (!isFirst) await scene.until(twin.mutex.isLocked("another"));
    expect(await scene.until(one.mutex.acquireLock(NAME))).toBe(true);
    await scene.pass(1000);
    twin.mislead(offByMs);
    expect(await scene.until(twin.mutex.refreshLock(NAME))).toBe(true);
    expect(await refreshes(scene, twin, 3)).toEqual([true, true, true]);
  }
});

it.each([0, -HOUR_MS])(
  "of another instance, it stays ended once it has (wall clock %i ms off)",
  async (wallOffsetMs) => {
    const scene = new Scene();
    const one = scene.client({ ownerId: "us", lockTimeoutMs: LEASE_MS });
    const twin = misled(scene, { ownerId: "us", wallOffsetMs });
    expect(await scene.until(one.mutex.acquireLock(NAME))).toBe(true);
    await scene.pass(LEASE_MS + 1);
    expect(await scene.until(twin.mutex.refreshLock(NAME))).toBe(false);
  },
);

it.each([-HOUR_MS, -LEASE_MS * 2])(
  "is told not to own what has ended, where one answer is off by %i ms",
  async (offByMs) => {
    const scene = new Scene();
    const client = misled(scene);
    expect(await scene.until(client.mutex.acquireLock(NAME))).toBe(true);
    await scene.pass(1000);
    client.mislead(offByMs);
    await scene.until(client.mutex.isLocked("another"));
    expect(await scene.until(client.mutex.isOwnedByUs(NAME))).toBe(true);
    await scene.pass(LEASE_MS);
    const owned: boolean[] = [];
    for (let time = 0; time < 4; time += 1) {
      owned.push(await scene.until(client.mutex.isOwnedByUs(NAME)));
      await scene.pass(LEASE_MS / 2);
    }
    expect(owned).toEqual([false, false, false, false]);
    expect(await scene.until(client.mutex.refreshLock(NAME))).toBe(false);
  },
);

it.each([5000, HOUR_MS])("goes on where the wall clock is set by %i ms and the store tells no time", async (stepMs) => {
  for (const answersWithoutDate of [3, Number.POSITIVE_INFINITY]) {
    const scene = new Scene();
    let dateless = answersWithoutDate === 3 ? 0 : answersWithoutDate;
    const through = telling(() => {
      dateless -= 1;
      return dateless >= 0 ? "none" : "date";
    });
    const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS, through });
    expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
    await scene.pass(500);
    if (answersWithoutDate === 3) dateless = 3;
    process.stepWall(stepMs);
    expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
    expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
  }
});
