import { expect, test } from "vitest";
import { S3MutexError } from "../../src/index.js";
import { drawnFate, FencedWorld, LEASE_MS } from "../fenced/fenced-world.js";
import { share } from "../scale.js";

const KEY = "once/locks/tick.json";
const TOLERANCE_MS = 1000;
const SCHEDULES = share(300);

test("a run whose process has died is taken over when its lease is over", async () => {
  const world = new FencedWorld(1);
  const dying = world.process("dying");
  const dieInside = () => {
    dying.kill();
    return new Promise(() => {});
  };
  void world.mutex(dying).runOnce("tick", dieInside);
  await world.until(world.world.sleep(500));
  expect(dying.isDead).toBe(true);
  const since = world.world.nowMs;
  const next = world.mutex(world.process("next"));
  expect(await world.until(next.runOnce("tick", () => "done"))).toEqual({ ran: true, result: "done" });
  expect(world.world.nowMs - since).toBeLessThan(LEASE_MS + TOLERANCE_MS + 2500);
});

test(`${SCHEDULES} schedules with crashes, freezes, robberies and a bad store: one result for all, never two runs among living holders`, {
  timeout: 120_000,
}, async () => {
  const bad: Record<string, readonly string[]> = {};
  const tally = { ran: 0, remembered: 0, lost: 0 };
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const problems = await play(seed, tally);
    if (problems.length > 0) bad[seed] = problems.slice(0, 3);
  }
  expect(bad).toEqual({});
  expect(tally.ran).toBeGreaterThan(share(250));
  expect(tally.remembered).toBeGreaterThan(share(500));
  expect(tally.lost).toBeGreaterThan(share(10));
});

/** Plays some processes that want the same thing done; each run has a result of its own, and only one may ever be told. */
async function play(
  seed: number,
  tally: { ran: number; remembered: number; lost: number },
): Promise<readonly string[]> {
  const fenced = new FencedWorld(seed);
  const { world, bucket } = fenced;
  const random = world.random.fork();
  const problems: string[] = [];
  const results = new Set<unknown>();
  const stored = new Set<string>();
  bucket.onChange = (key, body) => {
    const content = key === KEY && body !== undefined ? JSON.parse(body).content : undefined;
    if (content !== undefined) stored.add(content.result);
  };
  fenced.fate = (operation, key) =>
    key === KEY && random.chance(0.15) ? drawnFate(random, operation) : { kind: "fine" };

  const want = async (name: string): Promise<void> => {
    const process = fenced.process(name, { wallOffsetMs: random.between(-1e6, 1e6) });
    const mutex = fenced.mutex(process);
    await world.sleep(random.between(0, 2000));
    const run = async () => {
      if (random.chance(0.2)) process.freeze(random.between(100, LEASE_MS * 3), random.chance(0.5));
      if (random.chance(0.1)) process.kill();
      await fenced.pause(process, random.between(1, LEASE_MS));
      return name;
    };
    for (let tries = 0; tries < 3; tries += 1) {
      const told = await mutex.runOnce("tick", run).catch((error: unknown) => error);
      if (S3MutexError.is(told)) {
        if (told.code === "lost") tally.lost += 1;
        else if (told.code !== "store-unavailable") problems.push(`${told.code}: ${told.message}`);
        continue;
      }
      const { ran, result } = told as { ran: boolean; result: unknown };
      tally[ran ? "ran" : "remembered"] += 1;
      results.add(result);
      if (ran !== (result === name)) problems.push(`${name} was told ${ran} and ${result}`);
      return;
    }
  };
  // The last one wants it when all the others have done or died.
  for (const name of ["a", "b", "c"]) void want(name);
  if (random.chance(0.3)) {
    world.after(random.between(500, 3000), () => {
      void fenced.mutex(fenced.process("robber")).releaseLock("once/tick", true);
    });
  }
  await fenced.until(world.sleep(60_000));
  await fenced.until(want("z"), 120_000);
  await fenced.until(world.sleep(30_000));
  if (results.size !== 1) problems.push(`told: ${[...results]}`);
  if (stored.size !== 1) problems.push(`remembered: ${[...stored]}`);
  if (!results.has([...stored][0])) problems.push("told something that is not remembered");
  return problems;
}
