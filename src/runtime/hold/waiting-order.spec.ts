import fc from "fast-check";
import { expect, it } from "vitest";
import { compareArrivals } from "../../core/queue.js";
import { WaitingOrder } from "./waiting-order.js";

interface One {
  readonly priority: number;
  readonly sinceMs: number;
  readonly name: number;
}

it("has the order of `core`, and of callers who came in one instant the one that joined first", () => {
  const steps = fc.array(
    fc.record({
      priority: fc.integer({ min: -2, max: 2 }),
      sinceMs: fc.integer({ min: 0, max: 5 }),
      leaver: fc.option(fc.nat(20)),
    }),
  );
  fc.assert(
    fc.property(steps, (taken) => {
      const order = new WaitingOrder<One>();
      let plain: One[] = [];
      for (const [name, { priority, sinceMs, leaver }] of taken.entries()) {
        const one = { priority, sinceMs, name };
        order.join(one);
        const at = plain.findIndex((other) => compareArrivals(one, other) < 0);
        plain.splice(at === -1 ? plain.length : at, 0, one);
        const leaving = leaver === null ? undefined : plain[leaver];
        if (leaving !== undefined) {
          order.leave(leaving);
          order.leave(leaving);
          plain = plain.filter((other) => other !== leaving);
        }
        expect([...order]).toEqual(plain);
        expect(order.first).toBe(plain[0]);
        expect(order.size).toBe(plain.length);
      }
    }),
  );
});

it("goes on with those left when the one that it has come to leaves", () => {
  const order = new WaitingOrder<One>();
  const all = [0, 1, 2].map((name) => ({ priority: 0, sinceMs: 0, name }));
  for (const one of all) order.join(one);
  const seen: number[] = [];
  for (const one of order) {
    seen.push(one.name);
    order.leave(one);
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(order.size).toBe(0);
});

it("keeps the order of many who come at different times", () => {
  const order = new WaitingOrder<One>();
  const all = Array.from({ length: 2000 }, (_, name) => ({ priority: name % 3, sinceMs: (name * 7919) % 2000, name }));
  for (const one of all) order.join(one);
  expect([...order]).toEqual(all.toSorted(compareArrivals));
});

it("takes no longer for each however many there are", () => {
  const order = new WaitingOrder<One>();
  const all = Array.from({ length: 100_000 }, (_, name) => ({ priority: name % 3, sinceMs: name % 7, name }));
  const before = process.cpuUsage();
  for (const one of all) order.join(one);
  for (const one of all.toReversed()) order.leave(one);
  const { user, system } = process.cpuUsage(before);
  // Searching a list for each takes several seconds.
  expect((user + system) / 1000).toBeLessThan(1500);
  expect(order.first).toBeUndefined();
});
