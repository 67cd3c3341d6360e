import { expect, it } from "vitest";
import type { Leader } from "../../src/runtime/inspect/leader-watch.js";
import { cutOff, Scene } from "../../testkit/scene.js";

const NAME = "scheduler";

it("has one leader at a time, and tells all who it is", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ label: "first" });
  const first = mutex.election(NAME);
  expect(await scene.until(first.leader())).toBeNull();
  const leading = await scene.until(first.campaign());
  expect(first.isLeader).toBe(true);
  expect(await scene.until(first.leader())).toMatchObject({ isSelf: true, label: "first" });
  const other = scene.client().mutex.election(NAME);
  const seen = await scene.until(other.leader());
  expect(seen).toMatchObject({ owner: mutex.ownerId, fencingToken: leading.fencingToken, isSelf: false });
  await expect(scene.until(other.campaign({ timeoutMs: 300 }))).rejects.toMatchObject({ code: "timed-out" });
  expect(other.isLeader).toBe(false);
  expect(await scene.until(other.resign())).toBe(false);
});

it("has a new leader within a second of a resignation, however long the old one led", async () => {
  const scene = new Scene();
  const first = scene.client().mutex.election(NAME);
  await scene.until(first.campaign());
  const campaign = scene.client().mutex.election(NAME).campaign();
  for (const ledForMs of [1000, 10_000, 600_000]) {
    await scene.pass(ledForMs);
    expect(first.isLeader).toBe(true);
  }
  const resignedAtMs = scene.nowMs;
  expect(await scene.until(first.resign())).toBe(true);
  expect(first.isLeader).toBe(false);
  await scene.until(campaign);
  expect(scene.nowMs - resignedAtMs).toBeLessThan(1000);
});

it("has a new leader within lease, tolerance and clock bounds of a death, and a poll", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  await scene.until(mutex.election(NAME).campaign());
  const campaign = scene.client().mutex.election(NAME).campaign();
  await scene.pass(20_000);
  const diedAtMs = scene.nowMs;
  process.kill();
  await scene.until(campaign);
  expect(scene.nowMs - diedAtMs).toBeLessThan(15_000 + 1000 + 1100 + 500);
});

it("steps down at its renewal deadline when it cannot renew, before another candidate leads", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const election = mutex.election(NAME, { leaseMs: 12_000, renewalDeadlineMs: 6000, retryMs: 2000 });
  const leading = await scene.until(election.campaign());
  const campaign = scene.client().mutex.election(NAME, { leaseMs: 12_000 }).campaign();
  await scene.pass(3000);
  scene.fate = cutOff(process);
  const cutAtMs = scene.nowMs;
  await scene.until(new Promise<void>((resolve) => leading.signal.addEventListener("abort", () => resolve())));
  const steppedDownMs = scene.nowMs - cutAtMs;
  expect(steppedDownMs).toBeGreaterThan(3900);
  expect(steppedDownMs).toBeLessThanOrEqual(6000);
  expect(election.isLeader).toBe(false);
  await scene.until(campaign);
  expect(scene.nowMs - cutAtMs).toBeGreaterThan(9000);
});

it.each([
  [{ leaseMs: 10_000, renewalDeadlineMs: 10_000 }, /renewalDeadlineMs is 10000: .*lease of 10000/],
  [{ leaseMs: 10_000, renewalDeadlineMs: 3000, retryMs: 3000 }, /retryMs is 3000: .*renewalDeadlineMs of 3000/],
  [{ leaseMs: 10_000, retryMs: 0 }, /retryMs is 0/],
  [{ leaseMs: 1 }, /leaseMs is 1/],
])("refuses timing that cannot work: %j", (options, message) => {
  const { mutex } = new Scene().client();
  expect(() => mutex.election(NAME, options)).toThrow(message);
});

it("runs a function while it leads, and again after a loss", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const election = mutex.election(NAME, { leaseMs: 3000 });
  const runs: { token: number; lost: boolean }[] = [];
  const running = election.runWhenLeader(async (signal, token) => {
    const run = { token, lost: false };
    runs.push(run);
    if (runs.length === 2) return "done";
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    run.lost = true;
    return "stepped down";
  });
  await scene.pass(1000);
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  expect(await scene.until(running)).toBe("done");
  expect(runs).toMatchObject([{ lost: true }, { lost: false }]);
  expect(runs[1]?.token).toBeGreaterThan(runs[0]?.token as number);
  expect(await scene.until(election.leader())).toBeNull();
});

it("ends when it is told to, whether it leads or waits, and passes on what the function throws", async () => {
  const scene = new Scene();
  const stop = new AbortController();
  const leads = scene.client().mutex.election(NAME);
  const leading = leads.runWhenLeader(
    (signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    { signal: stop.signal },
  );
  await scene.pass(200);
  const waiting = scene
    .client()
    .mutex.election(NAME)
    .runWhenLeader(() => "never", { signal: stop.signal });
  await scene.pass(200);
  stop.abort();
  expect(await scene.until(Promise.all([leading, waiting]))).toEqual([undefined, undefined]);
  expect(await scene.until(leads.leader())).toBeNull();
  const failing = leads.runWhenLeader(() => {
    throw new Error("no disk");
  });
  await expect(scene.until(failing)).rejects.toThrow("no disk");
});

it("shows observers each change of leader, once", async () => {
  const scene = new Scene();
  const seen: (string | null)[] = [];
  const stop = new AbortController();
  const onlooker = scene.client().mutex.election(NAME);
  const watching = (async () => {
    for await (const leader of onlooker.observe({ signal: stop.signal, intervalMs: 200 })) {
      seen.push((leader as Leader | null)?.label ?? null);
    }
  })();
  for (const label of ["a", "b"]) {
    const election = scene.client({ label }).mutex.election(NAME);
    await scene.until(election.campaign());
    await scene.pass(1000);
    await scene.until(election.resign());
    await scene.pass(1000);
  }
  stop.abort();
  await scene.until(watching);
  expect(seen).toEqual([null, "a", null, "b", null]);
});
