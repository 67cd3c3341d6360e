import fc from "fast-check";
import { expect, it } from "vitest";
import { WaitingOrder } from "./waiting-order.js";

interface One {
  readonly priority: number;
  readonly name: number;
}

it("has the highest priority first, and of equals who came first, whoever joins and leaves when", () => {
  const steps = fc.array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), leaver: fc.option(fc.nat(20)) }));
  fc.assert(
    fc.property(steps, (taken) => {
      const order = new WaitingOrder<One>();
      let plain: One[] = [];
      for (const [name, { priority, leaver }] of taken.entries()) {
        const one = { priority, name };
        order.join(one);
        const at = plain.findIndex((other) => other.priority < priority);
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

it("goes on with who is left when the one that it has come to leaves", () => {
  const order = new WaitingOrder<One>();
  const all = [0, 1, 2].map((name) => ({ priority: 0, name }));
  for (const one of all) order.join(one);
  const seen: number[] = [];
  for (const one of order) {
    seen.push(one.name);
    order.leave(one);
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(order.size).toBe(0);
});

it("takes no longer for each however many there are", () => {
  const order = new WaitingOrder<One>();
  const all = Array.from({ length: 100_000 }, (_, name) => ({ priority: name % 3, name }));
  const before = process.cpuUsage();
  for (const one of all) order.join(one);
  for (const one of all.toReversed()) order.leave(one);
  const { user, system } = process.cpuUsage(before);
  // Searching a list for each takes several seconds.
  expect((user + system) / 1000).toBeLessThan(1500);
  expect(order.first).toBeUndefined();
});
