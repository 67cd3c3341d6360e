import type { Scene } from "./scene.js";
import { KEY } from "./scene.js";

interface LockInfo {
  readonly locked: boolean;
  readonly owner?: string;
  readonly acquiredAt?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
}

export interface OptionsOf1x {
  readonly key?: string;
  readonly lockTimeoutMs?: number;
  readonly toleranceMs?: number;
  readonly roundTripMs?: () => number;
}

/** What s3-mutex 1.x does on the wire: its whole algorithm, by its own wall clock, on a network that does not fail. */
export class ClientOf1x {
  readonly owner: string;
  readonly #scene: Scene;
  readonly #key: string;
  readonly #lockTimeoutMs: number;
  readonly #toleranceMs: number;
  readonly #roundTripMs: () => number;
  /** Until when it believes to hold, by its wall clock, which is right. */
  #heldUntilMs = 0;

  constructor(scene: Scene, owner: string, options: OptionsOf1x = {}) {
    this.#scene = scene;
    this.owner = owner;
    this.#key = options.key ?? KEY;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? 60_000;
    this.#toleranceMs = options.toleranceMs ?? 1000;
    this.#roundTripMs = options.roundTripMs ?? (() => 20);
  }

  get held(): boolean {
    return this.#wallMs() < this.#heldUntilMs;
  }

  /** One attempt. */
  async tryAcquire(priority = 0): Promise<boolean> {
    const found = await this.#read();
    if (found === undefined) {
      await this.#write({ locked: false }, undefined);
      return this.tryAcquire(priority);
    }
    const { info, etag } = found;
    const hasExpired = info.expiresAt !== undefined && this.#wallMs() > info.expiresAt + this.#toleranceMs;
    if (info.locked && !hasExpired) return false;
    const acquiredAt = this.#wallMs();
    const expiresAt = acquiredAt + this.#lockTimeoutMs;
    const taken = await this.#write({ locked: true, owner: this.owner, acquiredAt, expiresAt, priority }, etag);
    if (taken) this.#heldUntilMs = expiresAt;
    return taken;
  }

  async acquire(forMs: number): Promise<boolean> {
    const endMs = this.#scene.nowMs + forMs;
    while (this.#scene.nowMs < endMs) {
      if (await this.tryAcquire()) return true;
      await this.#scene.world.sleep(200);
    }
    return false;
  }

  /** Rewrites the whole body that it has read, fields that it does not know included. */
  async refresh(): Promise<boolean> {
    const found = await this.#read();
    if (found === undefined || !found.info.locked || found.info.owner !== this.owner) return false;
    const expiresAt = this.#wallMs() + this.#lockTimeoutMs;
    const refreshed = await this.#write({ ...found.info, expiresAt }, found.etag);
    if (refreshed) this.#heldUntilMs = expiresAt;
    return refreshed;
  }

  async release(): Promise<boolean> {
    this.#heldUntilMs = 0;
    const found = await this.#read();
    if (found === undefined || !found.info.locked || found.info.owner !== this.owner) return false;
    return this.#write({ locked: false }, found.etag);
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

  #read(): Promise<{ info: LockInfo; etag: string } | undefined> {
    return this.#request(() => {
      const stored = this.#scene.bucket.objects.get(this.#key);
      return stored === undefined ? undefined : { info: JSON.parse(stored.body) as LockInfo, etag: stored.etag };
    });
  }

  /** `If-Match`, or `If-None-Match: *` without an ETag. */
  #write(info: LockInfo, etag: string | undefined): Promise<boolean> {
    return this.#request(() => {
      if (this.#scene.bucket.objects.get(this.#key)?.etag !== etag) return false;
      this.#scene.bucket.put(this.#key, JSON.stringify(info));
      return true;
    });
  }
}
