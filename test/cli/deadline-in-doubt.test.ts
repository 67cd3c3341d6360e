import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { guardDeadline, planDeadline } from "../../src/cli/run/deadline.js";

/** P11 for `run`: the wall clock is set while a command runs under a lock. */

const LEASE_MS = 60_000;
const PLAN = planDeadline(LEASE_MS, undefined);

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** A lock whose remainder is counted by hand, and whose renewals are answered by hand. */
class Lock {
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  readonly said: string[] = [];
  renewals = 0;
  /** By how much the wall clock was set forward. */
  steppedMs = 0;
  #sinceMs = performance.now();
  #answer: { resolve: (renewed: boolean) => void; reject: (error: Error) => void } | undefined;

  constructor() {
    guardDeadline(this, PLAN, { terminate: () => this.said.push("terminate"), kill: () => this.said.push("kill") });
  }

  get remainingMs(): number {
    return Math.max(0, LEASE_MS - (performance.now() - this.#sinceMs) - this.steppedMs);
  }

  renew(): Promise<boolean> {
    this.renewals += 1;
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
  }

  async answer(): Promise<void> {
    this.#sinceMs = performance.now();
    this.steppedMs = 0;
    this.#answer?.resolve(true);
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(): Promise<void> {
    this.#answer?.reject(new Error("no answer"));
    await vi.advanceTimersByTimeAsync(0);
  }
}

it.each([3_600_000, 50_000])("P11: a wall clock set forward by %i ms makes `run` ask, not kill", async (stepMs) => {
  const lock = new Lock();
  await vi.advanceTimersByTimeAsync(5000);
  lock.steppedMs = stepMs;
  await vi.advanceTimersByTimeAsync(2000);
  expect(lock.said).toEqual([]);
  expect(lock.renewals).toBe(1);
  await lock.answer();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(lock.said).toEqual([]);
});

it("P11: the command is killed at once when the answer is that the lock is lost", async () => {
  const lock = new Lock();
  await vi.advanceTimersByTimeAsync(5000);
  lock.steppedMs = 3_600_000;
  await vi.advanceTimersByTimeAsync(1000);
  lock.controller.abort(new Error("taken over"));
  expect(lock.said).toEqual(["kill"]);
});

it("P11: it is killed when the store does not answer, or asked to end where the rest of the lease allows that", async () => {
  for (const [stepMs, said] of [
    [3_600_000, "kill"],
    [45_000, "terminate"],
  ] as const) {
    const lock = new Lock();
    await vi.advanceTimersByTimeAsync(5000);
    lock.steppedMs = stepMs;
    await vi.advanceTimersByTimeAsync(1000);
    expect(lock.said).toEqual([]);
    await lock.fail();
    expect(lock.said).toEqual([said]);
  }
});

it("P11: a lease that runs out while the question hangs ends the command by the time that has passed", async () => {
  const lock = new Lock();
  lock.steppedMs = 3_600_000;
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  expect(lock.said).toEqual(["terminate", "kill"]);
});
