import { expect } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { S3MutexError } from "../../src/index.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { LockManager } from "../../src/web-locks/index.js";
import { lockManagerOf } from "../../src/web-locks/lock-manager.js";
import { type ClientOptions, Scene } from "../../testkit/scene.js";

export const LEASE_MS = 15_000;

const TOLERANCE_MS = 1000;

/** A waiter that knows an old record looks again after two seconds. */
const AT_ONCE_MS = 4000;

/** One client of the standard, in a process of its own. */
export interface Client {
  readonly locks: LockManager;
  readonly mutex: S3Mutex;
  readonly process: SimProcess;
}

/** Lock managers in virtual time. */
export class ManagerWorld {
  readonly scene: Scene;

  constructor(seed = 1) {
    this.scene = new Scene({ seed });
  }

  client(options: ClientOptions = {}): Client {
    const { mutex, process } = this.scene.client({ lockTimeoutMs: LEASE_MS, ...options });
    return { locks: lockManagerOf(mutex, process.effects), mutex, process };
  }

  /** Holds a lock until told otherwise; resolves when it is held. */
  async hold(locks: LockManager, name: string): Promise<{ release: () => void; over: Promise<Ending> }> {
    let release = () => {};
    let over: Promise<Ending> | undefined;
    const begun = new Promise<void>((begin) => {
      const call = () =>
        new Promise<void>((resolve) => {
          release = resolve;
          begin();
        });
      over = ending(locks.request(name, call));
    });
    await this.scene.until(begun, 60_000);
    return { release, over: over as Promise<Ending> };
  }

  /** Finds which of these names have a holder or a waiter, by the records. What has died leaves its entry, which keeps no caller out. */
  inUse(names: readonly string[]): string[] {
    return names.filter((name) => {
      const { holders = [], queue = [] } = this.scene.record(`locks/${name}.json`) ?? {};
      return [...holders, ...queue].some(({ expiresAtMs }) => expiresAtMs + TOLERANCE_MS > this.scene.nowMs);
    });
  }

  /** Expects that nothing is left: not in the bucket, not in `query()`, and nothing that this manager is asked for has to wait. */
  async expectFree({ locks }: Pick<Client, "locks">, names: readonly string[], context = ""): Promise<void> {
    expect(this.inUse(names), `held or waited for ${context}`).toEqual([]);
    expect(await this.scene.until(locks.query(), AT_ONCE_MS), context).toEqual({ held: [], pending: [] });
    for (const name of names) {
      const asked = ending(locks.request(name, () => "in"));
      expect(await this.scene.until(asked, AT_ONCE_MS), `${name} ${context}`).toBe("in");
      const refused = locks.request(name, { ifAvailable: true }, (lock) => lock?.name);
      expect(await this.scene.until(refused, AT_ONCE_MS), `${name} ${context}`).toBe(name);
    }
  }
}

export type Ending = unknown;

/** Tells what a request came to: what the callback returned, or the name of the error; for one of ours, its code. */
export async function ending(request: Promise<unknown>): Promise<Ending> {
  return request.then(
    (value) => value,
    (error: unknown) => (error instanceof S3MutexError ? error.code : error instanceof Error ? error.name : error),
  );
}

/** The store answers, and does not do it. */
export const DENIED = {
  kind: "answered",
  applied: false,
  outcome: { kind: "refused", about: "permissions", error: new S3MutexError("access-denied", "the policy says no") },
} as const satisfies Fate;

export async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await Promise.resolve();
}
