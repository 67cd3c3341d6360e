import { expect, it as test } from "vitest";
import { parseRecord } from "../../src/core/codec.js";
import { keyOfName } from "../../src/core/names.js";
import type { Holder, LockRecord } from "../../src/core/record.js";
import type { S3Mutex } from "../../src/index.js";
import type { Operation } from "../../src/testing/virtual/store.js";
import { type ClientOptions, Scene, type SceneOptions } from "../../testkit/scene.js";

/** What `World` is over HTTP, in virtual time: for tests that wait for leases, which would be chance on a busy machine. */
export class VirtualWorld {
  readonly #scene: Scene;
  readonly #mutexes: S3Mutex[] = [];
  readonly #left = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get nowMs(): number {
    return Math.floor(this.#scene.nowMs);
  }

  /** Makes an instance in a process of its own. */
  mutex(options: ClientOptions = {}): S3Mutex {
    const { mutex } = this.#scene.client({ maxRetries: 2, retryDelayMs: 20, ...options });
    this.#mutexes.push(mutex);
    return mutex;
  }

  /** What becomes of each request from now on. */
  set fate(fate: Scene["fate"]) {
    this.#scene.fate = fate;
  }

  /** Counts how often the store was asked for this, or for anything. */
  requests(operation?: Operation): number {
    return this.#scene.sent.filter((sent) => operation === undefined || sent.operation === operation).length;
  }

  key(lockName: string): string {
    const result = keyOfName("locks/", lockName);
    if (!result.ok) throw new Error(result.problem);
    return result.key;
  }

  /** Under which keys there are objects. */
  get keys(): readonly string[] {
    return [...this.#scene.bucket.objects.keys()];
  }

  body(lockName: string): string | undefined {
    return this.#scene.bucket.objects.get(this.key(lockName))?.body;
  }

  /** Writes a body under a lock's key, past all instances. What has been free since long ago landed long ago. */
  put(lockName: string, body: unknown): void {
    const { bucket } = this.#scene;
    const key = this.key(lockName);
    const { onChange } = bucket;
    // A body that is not a record on purpose is hidden from the checks of each version.
    if (typeof body === "string") bucket.onChange = () => {};
    bucket.put(key, typeof body === "string" ? body : JSON.stringify(body));
    bucket.onChange = onChange;
    const stored = bucket.objects.get(key);
    const record = this.record(lockName);
    if (stored === undefined || record === undefined || record.holders.length > 0) return;
    bucket.objects.set(key, { ...stored, lastModifiedMs: Math.floor(record.touchedAtMs / 1000) * 1000 });
  }

  /** Says that this test leaves this lock as it is; any other that is left held or queued for is a leak. */
  leaves(lockName: string): void {
    this.#left.add(this.key(lockName));
  }

  /** Ends the test: what was taken by name is released by name; handles may be left to this. */
  async end(): Promise<void> {
    await this.sleep(MOMENT_MS);
    const named = this.#leaks().filter((text) => text.includes('"via":"name"'));
    await Promise.all(this.#mutexes.map((mutex) => mutex.close({ handles: "release" })));
    expect([...named, ...this.#leaks()], "holders and waiters that were left in the bucket").toEqual([]);
  }

  #leaks(): string[] {
    const bodies = [...this.#scene.bucket.objects].filter(([key]) => !this.#left.has(key));
    return bodies.filter(([, { body }]) => !isFree(body)).map(([key, { body }]) => `${key}: ${body}`);
  }

  record(lockName: string): LockRecord | undefined {
    return this.#scene.record(this.key(lockName));
  }

  /** Gives the only holder of a lock, as the record has it. Throws where there are fewer or more. */
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

/** Says whether a record has neither holder nor waiter, read as this library reads it. */
function isFree(body: string): boolean {
  const parsed = parseRecord(body);
  return parsed.kind === "record" && parsed.record.holders.length === 0 && parsed.record.queue.length === 0;
}

/** For what a call that has given up still clears away. */
const MOMENT_MS = 400;

/** Makes a test whose every wait takes virtual time only; each version of a record is checked as well, and what is left at its end. */
export function inVirtualTime(
  body: (world: VirtualWorld) => Promise<void>,
  options: SceneOptions = {},
): () => Promise<void> {
  return async () => {
    const scene = new Scene({ roundTripMs: () => 5, ...options });
    const world = new VirtualWorld(scene);
    await scene.until(body(world), 600_000);
    await scene.until(world.end(), 600_000);
    expect(scene.problems).toEqual([]);
  };
}

/** Adds such a test, for files that have no other tests. */
export function it(name: string, body: (world: VirtualWorld) => Promise<void>, options?: SceneOptions): void {
  test(name, inVirtualTime(body, options));
}
