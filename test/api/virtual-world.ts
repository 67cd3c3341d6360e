import { expect } from "vitest";
import { keyOfName } from "../../src/core/names.js";
import type { Holder, LockRecord } from "../../src/core/record.js";
import type { S3Mutex } from "../../src/index.js";
import { type ClientOptions, Scene } from "../protocol/scene.js";

/** What `World` is over HTTP, in virtual time: for tests that wait for leases, which would be chance on a busy machine. */
export class VirtualWorld {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get nowMs(): number {
    return this.#scene.nowMs;
  }

  /** An instance in a process of its own. */
  mutex(options: ClientOptions = {}): S3Mutex {
    return this.#scene.client({ maxRetries: 2, retryDelayMs: 20, ...options }).mutex;
  }

  record(lockName: string): LockRecord | undefined {
    const result = keyOfName("locks/", lockName);
    return result.ok ? this.#scene.record(result.key) : undefined;
  }

  /** The only holder of a lock, as the record has it. */
  holder(lockName: string): Holder {
    const [holder, ...others] = this.record(lockName)?.holders ?? [];
    if (holder === undefined || others.length > 0) throw new Error(`${lockName} has ${others.length} holders`);
    return holder;
  }

  sleep(ms: number): Promise<void> {
    return this.#scene.world.sleep(ms);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.sleep(5);
  }
}

/** A test whose every wait takes virtual time only; each version of a record is checked as well. */
export function inVirtualTime(body: (world: VirtualWorld) => Promise<void>): () => Promise<void> {
  return async () => {
    const scene = new Scene({ roundTripMs: () => 5 });
    await scene.until(body(new VirtualWorld(scene)), 600_000);
    expect(scene.problems).toEqual([]);
  };
}
