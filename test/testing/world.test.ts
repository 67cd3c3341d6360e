import { describe, expect, it } from "vitest";
import { World } from "../../src/testing/virtual/world.js";

/** Makes a world in which something happens every 10 ms, for as long as it is asked for. */
function ticking(): { readonly world: World; readonly passedMs: () => number; readonly ticks: () => number } {
  const world = new World(1);
  const startMs = world.nowMs;
  let ticks = 0;
  const tick = () => {
    ticks += 1;
    world.after(10, tick);
  };
  world.after(10, tick);
  return { world, passedMs: () => Math.round(world.nowMs - startMs), ticks: () => ticks };
}

describe("two let time pass at once", () => {
  it("and a wait for 300 ms ends 300 ms later, again and again, whatever others wait for", async () => {
    const { world, passedMs, ticks } = ticking();
    const other = world.until(world.sleep(5000));
    for (let n = 1; n <= 4; n += 1) {
      await world.run(300);
      expect([passedMs(), ticks()]).toEqual([n * 300, n * 30]);
    }
    await other;
    expect(passedMs()).toBe(5000);
  });

  it("each to its own end, the later one begun first or last", async () => {
    const { world, passedMs } = ticking();
    const ended: [string, number][] = [];
    const run = (name: string, ms: number) => world.run(ms).then((how) => ended.push([`${name} ${how}`, passedMs()]));
    await Promise.all([run("long", 405), run("short", 105), run("middle", 205)]);
    expect(ended).toEqual([
      ["short limit", 105],
      ["middle limit", 205],
      ["long limit", 405],
    ]);
  });

  it("who has what it waited for goes on before anything else happens", async () => {
    const { world, passedMs } = ticking();
    const other = world.run(1000);
    await world.until(world.sleep(205));
    expect(passedMs()).toBe(205);
    await other;
    expect(passedMs()).toBe(1000);
  });

  it("both learn that nothing is left to happen, and both of an error", async () => {
    const world = new World(1);
    world.after(50, () => {});
    expect(await Promise.all([world.run(100), world.run(200)])).toEqual(["quiet", "quiet"]);
    world.after(50, () => {
      throw new Error("broken");
    });
    const both = await Promise.allSettled([world.run(100), world.run(200)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    // And time can be let pass after that.
    world.after(50, () => {});
    expect(await world.run(10)).toBe("limit");
  });
});
