import { expect, it } from "vitest";
import type { ObjectStore } from "../../src/store/object-store.js";
import { cutOff, NAME, Scene } from "../../testkit/scene.js";

/** 13.1.8: servers that keep the text of `Date` for a second: it is up to two seconds late. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 3000;

/** Makes each answer's `Date` late by so much, besides its rounding to whole seconds. */
function late(world: { readonly nowMs: number }, byMs: () => number) {
  return (store: ObjectStore): ObjectStore => {
    const told = <Outcome extends { readonly kind: string }>(outcome: Outcome, atMs: number): Outcome => {
      if (!("timing" in outcome)) return outcome;
      const dateMs = Math.floor((atMs - byMs()) / 1000) * 1000;
      return { ...outcome, timing: { ...(outcome.timing as object), dateMs } };
    };
    // The store has written it while the request was under way.
    const asked = () => world.nowMs + HALF_ROUND_TRIP_MS;
    return {
      read: async (key, options) => {
        const atMs = asked();
        return told(await store.read(key, options), atMs);
      },
      write: async (key, body, condition, options) => {
        const atMs = asked();
        return told(await store.write(key, body, condition, options), atMs);
      },
      remove: (key, etag, options) => store.remove(key, etag, options),
      list: (prefix, options) => store.list(prefix, options),
    };
  };
}

const HALF_ROUND_TRIP_MS = 10;

it("13.1.8: a lease that was published by late answers is not taken over by a wall clock that is half of the tolerance ahead", async () => {
  // A client may ask at any moment.
  for (let waitMs = 0; waitMs < 150; waitMs += 10) {
    let roundTripMs = 2 * HALF_ROUND_TRIP_MS;
    const scene = new Scene({ roundTripMs: () => roundTripMs });
    await scene.passToFraction(930);
    const through = late(scene.world, () => 950);
    const holder = scene.client({ clocks: { wallOffsetMs: HOUR_MS }, through });
    const lock = await scene.until(holder.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    scene.believe(lock, holder.process);
    scene.fate = cutOff(holder.process);
    // Answers that take longer leave more room for a wall clock.
    roundTripMs = 120;
    await scene.pass(2000 + waitMs);
    expect(await scene.probe(10_000, 23, { clocks: { wallOffsetMs: 490 } })).toBeDefined();
    expect(scene.problems).toEqual([]);
  }
});

it("13.1.8: nor by any other, whatever each answer is late by", async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const scene = new Scene({ seed });
    const { random } = scene.world;
    await scene.pass(random.between(0, 1000));
    const through = late(scene.world, () => random.between(0, 1000));
    const wallOf = () => random.pick([random.between(-400, 400), -HOUR_MS, HOUR_MS, -300_000]);
    const holder = scene.client({ clocks: { wallOffsetMs: wallOf() }, through });
    for (let looks = random.integer(0, 5); looks > 0; looks -= 1) {
      await scene.until(holder.mutex.isLocked(NAME));
      await scene.pass(random.between(0, 700));
    }
    const lock = await scene.until(holder.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    scene.believe(lock, holder.process);
    await scene.pass(random.between(0, 4000));
    scene.fate = cutOff(holder.process);
    const cutAtMs = scene.nowMs;
    const others = Array.from({ length: 3 }, () => scene.client({ clocks: { wallOffsetMs: wallOf() }, through }));
    const waiting = others.map(async ({ mutex, process }) => {
      const next = await mutex.acquire(NAME, { leaseMs: LEASE_MS });
      scene.believe(next, process);
      await scene.world.sleep(200);
      scene.disbelieve(next);
      await next.release();
    });
    await scene.until(Promise.all(waiting));
    expect(scene.problems, `seed ${seed}`).toEqual([]);
    expect(scene.nowMs - cutAtMs, `seed ${seed}`).toBeLessThan(30_000);
  }
});
