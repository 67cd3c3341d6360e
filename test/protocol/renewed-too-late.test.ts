import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import { type Client, FINE, NAME, Scene } from "../../testkit/scene.js";

/** A renewal that was answered when its lease was over keeps nothing: another process may be inside by then. */

const LEASE_MS = 10_000;
/** Shorter than a call by name waits for the store. */
const SHORT_MS = 3000;

interface Renewing {
  /** Renews, in the process of the client. */
  renew(): Promise<boolean>;
  readonly client: Client;
}

/** What a user renews, and how. */
const WAYS: Readonly<Record<string, (scene: Scene, leaseMs: number) => Promise<Renewing>>> = {
  "a lock by name": async (scene, leaseMs) => {
    const client = scene.client({ lockTimeoutMs: leaseMs });
    await scene.until(client.mutex.acquireLock(NAME));
    return { client, renew: () => client.mutex.refreshLock(NAME) };
  },
  "a lock by name, through another instance of its owner": async (scene, leaseMs) => {
    const [one, client] = ["us", "us"].map((ownerId) => scene.client({ ownerId, lockTimeoutMs: leaseMs }));
    await scene.until((client as Client).mutex.isLocked(NAME));
    await scene.until((one as Client).mutex.acquireLock(NAME));
    return { client: client as Client, renew: () => (client as Client).mutex.refreshLock(NAME) };
  },
  "a handle": async (scene, leaseMs) => {
    const client = scene.client();
    const lock = await scene.until(client.mutex.acquire(NAME, { leaseMs }));
    return { client, renew: () => lock.renew() };
  },
  "a handle that becomes a share": async (scene, leaseMs) => {
    const client = scene.client();
    const lock = await scene.until(client.mutex.acquire(NAME, { leaseMs }));
    return { client, renew: () => lock.downgrade() };
  },
};

function begun(way: string, scene: Scene, leaseMs = LEASE_MS): Promise<Renewing> {
  const begin = WAYS[way];
  if (begin === undefined) throw new Error(way);
  return begin(scene, leaseMs);
}

const STANDSTILLS = Object.keys(WAYS).flatMap((way) =>
  [false, true].flatMap((suspends) => [5, 15, 25].map((atMs) => ({ way, suspends, atMs }))),
);

it.each(STANDSTILLS)(
  "$way: false, where its process stood still $atMs ms after it was asked (its clocks too: $suspends)",
  async ({ way, suspends, atMs }) => {
    for (const forMs of [9700, 15_000, 40_000]) {
      const scene = new Scene();
      const { client, renew } = await begun(way, scene);
      const renewed: unknown[] = [];
      client.mutex.on("renewed", ({ expiresAt }) => renewed.push(expiresAt > scene.nowMs));
      await scene.pass(2000);
      let isAnotherIn = false;
      const told = renew().then((kept) => kept && isAnotherIn);
      await scene.pass(atMs);
      client.process.freeze(forMs, suspends);
      const other = scene.client().mutex.acquire(NAME, { timeoutMs: 120_000 });
      other.then(
        () => {
          isAnotherIn = true;
        },
        () => {},
      );
      expect(await scene.until(told, 200_000), `stood still for ${forMs} ms`).toBe(false);
      // Nothing that is over is said to be renewed.
      expect(renewed).not.toContain(false);
      expect(scene.problems).toEqual([]);
    }
  },
);

it.each(Object.keys(WAYS).slice(0, 3))("%s: false, where the answer was waited for until it was over", async (way) => {
  for (const silentMs of [1000, 2500, 3500]) {
    const scene = new Scene();
    const { client, renew } = await begun(way, scene, SHORT_MS);
    await scene.pass(200);
    const before = scene.record()?.writeId;
    let landedAtMs = Number.NaN;
    // The write lands and is not answered; then the store says nothing for a while.
    scene.fate = ({ process, operation }) => {
      if (process !== client.process || scene.nowMs >= landedAtMs + silentMs) return FINE;
      if (scene.record()?.writeId !== before) return { kind: "lost" };
      if (operation !== "write") return FINE;
      landedAtMs = scene.nowMs;
      return { kind: "answer-lost" };
    };
    const kept = await scene.until(
      renew().catch(() => false),
      60_000,
    );
    const leftMs = (scene.record()?.holders[0]?.expiresAtMs ?? 0) - scene.nowMs;
    expect(kept && leftMs <= 0, `silent for ${silentMs} ms`).toBe(false);
  }
});

it.each([5000, 3_600_000])(
  "goes on where the wall clock is set by %i ms while the renewal is under way",
  async (stepMs) => {
    for (const way of Object.keys(WAYS).slice(0, 3)) {
      const scene = new Scene();
      const { client, renew } = await begun(way, scene);
      await scene.pass(1000);
      const told = renew();
      await scene.pass(10);
      client.process.stepWall(stepMs);
      expect(await scene.until(told, 30_000), way).toBe(true);
      expect(await scene.until(client.mutex.isOwnedByUs(NAME), 30_000), way).toBe(true);
    }
  },
);

it("a handle is not held when it is told that it was not renewed in time, and its holder is told once", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock: Lock = await scene.until(client.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  const lost: unknown[] = [];
  client.mutex.on("lost", ({ reason }) => lost.push(reason));
  await scene.pass(1000);
  const told = lock.renew();
  await scene.pass(15);
  client.process.freeze(LEASE_MS + 5000, false);
  expect(await scene.until(told, 60_000)).toBe(false);
  expect([lock.held, lost]).toEqual([false, ["expired"]]);
  await scene.pass(1000);
  expect(lost).toEqual(["expired"]);
});
