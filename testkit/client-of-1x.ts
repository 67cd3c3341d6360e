/** What 1.x keeps in the object of a lock. */
export interface LockOf1x {
  readonly locked: boolean;
  readonly owner?: string;
  readonly acquiredAt?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
}

/** How a client of 1.x reaches its store and its clocks: in virtual time, or by the SDK. */
export interface WireOf1x {
  /** Reads the object of a lock; undefined where there is none. */
  read(lockName: string): Promise<{ readonly info: LockOf1x; readonly etag: string } | undefined>;
  /** Writes by `If-Match`, or by `If-None-Match: *` without an ETag. False where the condition did not hold. */
  write(lockName: string, info: LockOf1x, etag: string | undefined): Promise<boolean>;
  wallMs(): number;
  /** Draws a number in [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export interface OptionsOf1x {
  readonly owner: string;
  readonly lockTimeoutMs: number;
  readonly toleranceMs: number;
}

/** The defaults that its README documents. */
export const LOCK_TIMEOUT_OF_1X_MS = 60_000;
export const TOLERANCE_OF_1X_MS = 1000;
const MAX_RETRIES = 5;
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 5000;
const JITTER = 0.3;

/**
 * What s3-mutex 1.x does, written anew from its README: an object that is created once, then read and written by compare-and-swap, with
 * jittered exponential backoff in between. It judges by its own wall clock, rewrites the whole body that it has read, and leaves a
 * constant body behind.
 */
export class ClientOf1x {
  readonly #wire: WireOf1x;
  readonly #options: OptionsOf1x;

  constructor(wire: WireOf1x, options: OptionsOf1x) {
    this.#wire = wire;
    this.#options = options;
  }

  /** Acquires the lock until the time that it returns, by its wall clock; undefined when it gave up. */
  async acquire(lockName: string, priority = 0): Promise<number | undefined> {
    if ((await this.#wire.read(lockName)) === undefined) await this.create(lockName);
    return this.retry(lockName, priority);
  }

  /** Makes the object; does nothing where it is there already. */
  async create(lockName: string): Promise<void> {
    await this.#wire.write(lockName, { locked: false }, undefined);
  }

  /** Tries as often as 1.x does, once there is an object. */
  async retry(lockName: string, priority = 0): Promise<number | undefined> {
    for (let attempt = 0; attempt < MAX_RETRIES; attempt += 1) {
      const untilMs = await this.attempt(lockName, priority);
      if (untilMs !== undefined) return untilMs;
      const delayMs = Math.min(RETRY_DELAY_MS * 2 ** attempt, MAX_RETRY_DELAY_MS);
      await this.#wire.sleep(delayMs * (1 + JITTER * this.#wire.random()));
    }
    return undefined;
  }

  /** Reads, and writes where the lock is free; undefined also where there is no object. */
  async attempt(lockName: string, priority = 0): Promise<number | undefined> {
    const found = await this.#wire.read(lockName);
    const { owner, lockTimeoutMs, toleranceMs } = this.#options;
    const acquiredAt = this.#wire.wallMs();
    const expiresAt = acquiredAt + lockTimeoutMs;
    if (found === undefined) return undefined;
    const isFree = !found.info.locked || (found.info.expiresAt ?? 0) + toleranceMs < acquiredAt;
    if (!isFree) return undefined;
    const taken = { locked: true, owner, acquiredAt, expiresAt, priority };
    return (await this.#wire.write(lockName, taken, found.etag)) ? expiresAt : undefined;
  }

  /** Extends the lease to the time that it returns; 0 where it has the lock no more, undefined where another write came first. */
  async refresh(lockName: string): Promise<number | undefined> {
    const found = await this.#wire.read(lockName);
    if (!found?.info.locked || found.info.owner !== this.#options.owner) return 0;
    const expiresAt = this.#wire.wallMs() + this.#options.lockTimeoutMs;
    return (await this.#wire.write(lockName, { ...found.info, expiresAt }, found.etag)) ? expiresAt : undefined;
  }

  async release(lockName: string): Promise<boolean> {
    const found = await this.#wire.read(lockName);
    if (!found?.info.locked || found.info.owner !== this.#options.owner) return false;
    return this.#wire.write(lockName, { locked: false }, found.etag);
  }
}
