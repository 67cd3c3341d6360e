import {
  ClientOf1x as Client,
  LOCK_TIMEOUT_OF_1X_MS,
  type LockOf1x,
  TOLERANCE_OF_1X_MS,
} from "../../testkit/client-of-1x.js";
import type { Scene } from "../../testkit/scene.js";
import { KEY } from "../../testkit/scene.js";

export interface OptionsOf1x {
  readonly key?: string;
  readonly lockTimeoutMs?: number;
  readonly toleranceMs?: number;
  readonly roundTripMs?: () => number;
}

/** A client of s3-mutex 1.x and one lock of it, on a network that does not fail and with a wall clock that is right. */
export class ClientOf1x {
  readonly owner: string;
  readonly #scene: Scene;
  readonly #key: string;
  readonly #roundTripMs: () => number;
  readonly #client: Client;
  /** Until when it believes to hold, by its wall clock. */
  #heldUntilMs = 0;

  constructor(scene: Scene, owner: string, options: OptionsOf1x = {}) {
    const { key = KEY, lockTimeoutMs = LOCK_TIMEOUT_OF_1X_MS, toleranceMs = TOLERANCE_OF_1X_MS } = options;
    this.#scene = scene;
    this.owner = owner;
    this.#key = key;
    this.#roundTripMs = options.roundTripMs ?? (() => 20);
    const wire = {
      read: () => this.#read(),
      write: (_: string, info: LockOf1x, etag: string | undefined) => this.#write(info, etag),
      wallMs: () => this.#wallMs(),
      random: () => 0,
      sleep: (ms: number) => scene.world.sleep(ms),
    };
    this.#client = new Client(wire, { owner, lockTimeoutMs, toleranceMs });
  }

  get held(): boolean {
    return this.#wallMs() < this.#heldUntilMs;
  }

  /** Makes one attempt; two where there is no object yet. */
  async tryAcquire(priority = 0): Promise<boolean> {
    const isThere = this.#scene.bucket.objects.has(this.#key);
    if (!isThere) await this.#client.create(this.#key);
    const untilMs = await this.#client.attempt(this.#key, priority);
    this.#heldUntilMs = untilMs ?? this.#heldUntilMs;
    return untilMs !== undefined;
  }

  async acquire(forMs: number): Promise<boolean> {
    const endMs = this.#scene.nowMs + forMs;
    while (this.#scene.nowMs < endMs) {
      if (await this.tryAcquire()) return true;
      await this.#scene.world.sleep(200);
    }
    return false;
  }

  async refresh(): Promise<boolean> {
    const untilMs = (await this.#client.refresh(this.#key)) ?? 0;
    if (untilMs > 0) this.#heldUntilMs = untilMs;
    return untilMs > 0;
  }

  release(): Promise<boolean> {
    this.#heldUntilMs = 0;
    return this.#client.release(this.#key);
  }

  #wallMs(): number {
    return Math.floor(this.#scene.nowMs);
  }

  async #request<T>(apply: () => T): Promise<T> {
    const halfMs = this.#roundTripMs() / 2;
    await this.#scene.world.sleep(halfMs);
    const answer = apply();
    await this.#scene.world.sleep(halfMs);
    return answer;
  }

  #read(): Promise<{ readonly info: LockOf1x; readonly etag: string } | undefined> {
    return this.#request(() => {
      const stored = this.#scene.bucket.objects.get(this.#key);
      return stored === undefined ? undefined : { info: JSON.parse(stored.body) as LockOf1x, etag: stored.etag };
    });
  }

  #write(info: LockOf1x, etag: string | undefined): Promise<boolean> {
    return this.#request(() => {
      if (this.#scene.bucket.objects.get(this.#key)?.etag !== etag) return false;
      this.#scene.bucket.put(this.#key, JSON.stringify(info));
      return true;
    });
  }
}
