import { describe, expect, it } from "vitest";
import type { S3MutexError } from "../../src/index.js";
import { cutOff, Scene } from "../../testkit/scene.js";

const NAME = "scheduler";

/** Runs until its signal is aborted, and a while longer. */
async function untilAsked(scene: Scene, signal: AbortSignal, lingerMs: number): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  await scene.world.sleep(lingerMs);
}

describe("P2: resign() beside runWhenLeader", () => {
  it("asks the function to end, leads until it has, and only then another candidate does", async () => {
    const scene = new Scene();
    const election = scene.client().mutex.election(NAME, { leaseMs: 3000 });
    let leading = 0;
    let most = 0;
    const lead = async (signal: AbortSignal, lingerMs: number) => {
      leading += 1;
      most = Math.max(most, leading);
      await untilAsked(scene, signal, lingerMs);
      leading -= 1;
      return signal.reason as S3MutexError;
    };
    const first = election.runWhenLeader((signal) => lead(signal, 5000));
    await scene.pass(1000);
    const other = scene.client().mutex.election(NAME, { leaseMs: 3000 });
    const second = other.runWhenLeader((signal) => lead(signal, 0));
    await scene.pass(1000);
    const resigning = election.resign();
    await scene.pass(4500);
    // Longer than the lease: it is renewed meanwhile.
    expect([election.isLeader, other.isLeader]).toEqual([true, false]);
    expect(await scene.until(resigning)).toBe(true);
    expect(election.isLeader).toBe(false);
    expect(await scene.until(first)).toMatchObject({ code: "lost", reason: "resigned" });
    await scene.pass(1500);
    expect(other.isLeader).toBe(true);
    expect(most).toBe(1);
    expect(await scene.until(other.resign())).toBe(true);
    await scene.until(second);
  });

  it("ends runWhenLeader with undefined when the function throws on its way out, and does not campaign again", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const election = mutex.election(NAME);
    let runs = 0;
    const running = election.runWhenLeader(async (signal) => {
      runs += 1;
      await untilAsked(scene, signal, 100);
      throw new Error("interrupted");
    });
    await scene.pass(500);
    expect(await scene.until(election.resign())).toBe(true);
    expect(await scene.until(running)).toBeUndefined();
    const sent = scene.requestsOf(process).length;
    await scene.pass(30_000);
    expect(runs).toBe(1);
    expect(scene.requestsOf(process)).toHaveLength(sent);
  });

  it("from within the function does not wait for it", async () => {
    const scene = new Scene();
    const election = scene.client().mutex.election(NAME);
    const running = election.runWhenLeader(async (signal) => {
      const resigned = await election.resign();
      return [resigned, signal.aborted, election.isLeader];
    });
    expect(await scene.until(running)).toEqual([true, true, true]);
    expect(election.isLeader).toBe(false);
    expect(await scene.until(election.leader())).toBeNull();
  });

  it("rejects when the function does not end in time, which leads on until it has", async () => {
    const scene = new Scene();
    const election = scene.client().mutex.election(NAME);
    const running = election.runWhenLeader((signal) => untilAsked(scene, signal, 5000).then(() => "late"));
    await scene.pass(500);
    await expect(scene.until(election.resign({ timeoutMs: 1000 }))).rejects.toMatchObject({
      code: "timed-out",
      lockName: NAME,
    });
    expect(election.isLeader).toBe(true);
    expect(await scene.until(running)).toBe("late");
    expect(election.isLeader).toBe(false);
  });

  it("does not say of a function that has ended that it goes on: it is the store that has not taken the lead back", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const election = mutex.election(NAME);
    const running = election.runWhenLeader((signal) => untilAsked(scene, signal, 100));
    await scene.pass(500);
    scene.fate = cutOff(process);
    const askedAtMs = scene.world.nowMs;
    await expect(scene.until(election.resign({ timeoutMs: 1000 }))).rejects.toMatchObject({
      code: "store-unavailable",
      message: expect.stringMatching(/has ended.*has not taken the lead back within 1000 ms/),
      lockName: NAME,
    });
    expect(scene.world.nowMs - askedAtMs).toBeLessThan(1100);
    await scene.until(running);
  });

  it("gives a handle back within its time, or says that the store has not taken it", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const election = mutex.election(NAME);
    await scene.until(election.campaign());
    scene.fate = cutOff(process);
    const askedAtMs = scene.world.nowMs;
    await expect(scene.until(election.resign({ timeoutMs: 1000 }))).rejects.toMatchObject({
      code: "store-unavailable",
      lockName: NAME,
    });
    expect(scene.world.nowMs - askedAtMs).toBeLessThan(1100);
  });

  it("is about who leads now: neither about who campaigns, nor about the next turn", async () => {
    const scene = new Scene();
    const election = scene.client().mutex.election(NAME);
    const turns: string[] = [];
    const candidate = (name: string) =>
      election.runWhenLeader(async (signal) => {
        turns.push(name);
        await untilAsked(scene, signal, 0);
        return name;
      });
    const [first, second] = [candidate("first"), candidate("second")];
    await scene.pass(1000);
    expect(await scene.until(election.resign())).toBe(true);
    expect(await scene.until(first)).toBe("first");
    await scene.pass(1000);
    expect(turns).toEqual(["first", "second"]);
    expect(election.isLeader).toBe(true);
    expect(await scene.until(election.resign())).toBe(true);
    expect(await scene.until(second)).toBe("second");
  });

  it("is false when the lead was lost before", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const election = mutex.election(NAME, { leaseMs: 3000 });
    const stop = new AbortController();
    const running = election.runWhenLeader((signal) => untilAsked(scene, signal, 3000), { signal: stop.signal });
    await scene.pass(500);
    scene.fate = cutOff(process);
    await scene.pass(2900);
    expect(election.isLeader).toBe(false);
    expect(await scene.until(election.resign())).toBe(false);
    stop.abort();
    await scene.until(running);
  });

  it.each([
    [{ timeoutMs: -1 }, /timeoutMs is -1/],
    [{ timeoutMs: "soon" }, /timeoutMs is "soon"/],
    [null, /options is null/],
  ])("refuses %j", async (options, message) => {
    const election = new Scene().client().mutex.election(NAME);
    await expect(election.resign(options as never)).rejects.toThrow(message);
  });
});

it("resign() releases a handle of campaign() at once, and its signal says so", async () => {
  const scene = new Scene();
  const election = scene.client().mutex.election(NAME);
  const lock = await scene.until(election.campaign());
  expect(await scene.until(election.resign())).toBe(true);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "resigned" });
  expect(lock.held).toBe(false);
  expect(await scene.until(election.leader())).toBeNull();
  expect(await scene.until(election.resign())).toBe(false);
});

it("close() beside a resignation that is under way ends both", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const election = mutex.election(NAME);
  const running = election.runWhenLeader((signal) => untilAsked(scene, signal, 2000).then(() => "ended"));
  await scene.pass(500);
  const resigning = election.resign();
  const closing = mutex.close();
  expect(await scene.until(running)).toBe("ended");
  expect(await scene.until(resigning)).toBe(true);
  expect(await scene.until(closing)).toEqual({ leftBehind: [] });
});

it("P2: a leader that was asked to resign and outlasts a close is told that it was lost, with what its function returned", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const election = mutex.election(NAME, { leaseMs: 3000 });
  const running = election.runWhenLeader(() => scene.world.sleep(20_000).then(() => "written"));
  const other = scene.client().mutex.election(NAME, { leaseMs: 3000 });
  const next = other.runWhenLeader(() => undefined);
  await scene.pass(500);
  const resigning = election.resign();
  const [left] = (await scene.until(mutex.close({ graceMs: 1000 }))).leftBehind;
  expect(left).toMatchObject({ kind: "callback" });
  // Two were inside: its caller is not to take that for an orderly end.
  await scene.until(next);
  const error = await scene.until(running.catch((reason: unknown) => reason));
  expect(error).toMatchObject({ code: "lost", reason: "closed", result: "written" });
  expect(await scene.until(resigning)).toBe(false);
});

describe("resign() of a lead that is lost", () => {
  it.each(["force", "standing still"] as const)(
    "by %s, in a listener of `lost`: false, and the candidate goes on",
    async (how) => {
      const scene = new Scene();
      const { mutex, process } = scene.client();
      const election = mutex.election(NAME, { leaseMs: 3000 });
      const resigned: Promise<boolean>[] = [];
      mutex.once("lost", () => resigned.push(election.resign()));
      let turns = 0;
      const running = election.runWhenLeader(async (signal) => {
        turns += 1;
        await untilAsked(scene, signal, 0);
        return signal.reason as S3MutexError;
      });
      await scene.pass(500);
      if (how === "force") await scene.until(scene.client().mutex.releaseLock(NAME, true));
      else process.freeze(10_000, false);
      await scene.pass(30_000);
      expect(await scene.until(Promise.all(resigned))).toEqual([false]);
      expect([turns, election.isLeader]).toEqual([2, true]);
      expect(await scene.until(election.resign())).toBe(true);
      expect(await scene.until(running)).toMatchObject({ reason: "resigned" });
    },
  );

  it("by the clocks alone, before a timer has told: false, and the candidate goes on", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const election = mutex.election(NAME, { leaseMs: 3000 });
    let turns = 0;
    const running = election.runWhenLeader(async (signal) => {
      turns += 1;
      await untilAsked(scene, signal, 0);
    });
    await scene.pass(500);
    process.freeze(10_000, false);
    await scene.pass(9000);
    expect(await scene.until(election.resign())).toBe(false);
    await scene.pass(30_000);
    expect([turns, election.isLeader]).toEqual([2, true]);
    expect(await scene.until(election.resign())).toBe(true);
    await scene.until(running);
  });
});
