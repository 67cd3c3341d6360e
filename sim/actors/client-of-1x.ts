import type { WriteCondition } from "../../src/store/object-store.js";
import { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import type { Believer } from "../checkers/beliefs.js";
import type { ClientPlan } from "../plan.js";
import { keyOf, type Participant, type Scene } from "../scene.js";

interface LockInfo {
  readonly locked: boolean;
  readonly owner?: string;
  readonly acquiredAt?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
}

/** What the SDK makes of an error after its last attempt: the call rejects. */
class StoreError extends Error {}

/** The defaults of its README, but for the lease, which is that of the run. */
const MAX_RETRIES = 5;
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 5000;
/** The SDK tries so often, and takes a socket that is silent for so long for reset. */
const SDK_ATTEMPTS = 3;
const SOCKET_MS = 3000;

/**
 * A process that still runs s3-mutex 1.x: the algorithm of its README, on a network that fails as that of all does. It judges
 * by its own wall clock, rewrites the whole body that it has read, leaves a constant body behind, and believes the 412 that
 * its SDK got for its own success.
 */
export class ClientOf1x implements Participant {
  readonly name: string;
  readonly process: SimProcess;
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #store;
  #isClosed = false;

  constructor(scene: Scene, plan: ClientPlan, name: string) {
    this.#scene = scene;
    this.name = name;
    this.process = new SimProcess(scene.bucket.world, name, plan.clocks);
    this.#store = scene.bucket.storeFor(this.process, "1.x");
    this.#random = scene.bucket.world.random.fork();
  }

  async play(): Promise<void> {
    while (!this.#scene.isOver() && !this.process.isDead && !this.#isClosed) {
      await this.#turn(this.#random.pick(this.#scene.plan.locks)).catch(ignoreStoreErrors);
      await this.#pause(this.#random.between(1, 500));
    }
  }

  /** Its patience has an end whatever one wishes, and it knows no queue: nothing is promised to it. */
  async lastWish(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#scene.onClosed(this, []);
  }

  async #turn(name: string): Promise<void> {
    const untilMs = await this.#acquire(name);
    if (untilMs === undefined) return;
    const belief = { untilMs };
    const believer: Believer = {
      client: this.name,
      token: undefined,
      owner: this.name,
      believes: () => !this.process.isDead && this.#wallMs() < belief.untilMs,
    };
    this.#scene.beliefs.begin(name, believer);
    await this.#pause(this.#random.between(1, 300));
    if (this.#random.chance(0.4))
      belief.untilMs = (await this.#refresh(name).catch(ignoreStoreErrors)) ?? belief.untilMs;
    await this.#pause(this.#random.between(1, 300));
    this.#scene.beliefs.end(name, believer);
    await this.#release(name);
  }

  /** Until when it holds it, by its wall clock; undefined when it gave up. */
  async #acquire(name: string): Promise<number | undefined> {
    const { leaseMs, toleranceMs } = this.#scene.plan;
    if ((await this.#read(name)) === undefined) await this.#write(name, { locked: false }, { kind: "if-absent" });
    for (let attempt = 0; attempt < MAX_RETRIES; attempt += 1) {
      const found = await this.#read(name);
      const acquiredAt = this.#wallMs();
      const expiresAt = acquiredAt + leaseMs;
      const isFree = !found?.info.locked || (found.info.expiresAt ?? 0) + toleranceMs < acquiredAt;
      if (found !== undefined && isFree) {
        const taken = { locked: true, owner: this.name, acquiredAt, expiresAt, priority: 0 };
        if (await this.#write(name, taken, { kind: "if-match", etag: found.etag })) return expiresAt;
      }
      const delayMs = Math.min(RETRY_DELAY_MS * 2 ** attempt, MAX_RETRY_DELAY_MS);
      await this.#pause(delayMs * (1 + 0.3 * this.#random.number()));
    }
    return undefined;
  }

  async #refresh(name: string): Promise<number | undefined> {
    const found = await this.#read(name);
    if (!found?.info.locked || found.info.owner !== this.name) return 0;
    const expiresAt = this.#wallMs() + this.#scene.plan.leaseMs;
    const condition = { kind: "if-match", etag: found.etag } as const;
    return (await this.#write(name, { ...found.info, expiresAt }, condition)) ? expiresAt : undefined;
  }

  async #release(name: string): Promise<void> {
    const found = await this.#read(name);
    if (!found?.info.locked || found.info.owner !== this.name) return;
    await this.#write(name, { locked: false }, { kind: "if-match", etag: found.etag });
  }

  async #read(name: string): Promise<{ readonly info: LockInfo; readonly etag: string } | undefined> {
    const outcome = await this.#retrying(() => this.#store.read(keyOf(name), { timeoutMs: SOCKET_MS }));
    if (outcome.kind !== "ok") return undefined;
    return { info: JSON.parse(outcome.body) as LockInfo, etag: outcome.etag };
  }

  /** False when the condition did not hold, or did not hold any more when the SDK tried again. */
  async #write(name: string, info: LockInfo, condition: WriteCondition): Promise<boolean> {
    const body = JSON.stringify(info);
    const send = () => this.#store.write(keyOf(name), body, condition, { timeoutMs: SOCKET_MS });
    return (await this.#retrying(send)).kind === "ok";
  }

  async #retrying<T extends { readonly kind: string }>(
    send: () => Promise<T>,
  ): Promise<Exclude<T, { kind: "unknown" }>> {
    for (let attempt = 1; !this.#isClosed; attempt += 1) {
      const outcome = await send();
      if (outcome.kind !== "unknown") return outcome as Exclude<T, { kind: "unknown" }>;
      if (attempt === SDK_ATTEMPTS) break;
      await this.#pause(50 * 2 ** attempt * this.#random.number());
    }
    throw new StoreError("no answer");
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.effects.setTimer(ms, resolve, { keepAlive: true }));
  }

  #wallMs(): number {
    return this.process.effects.wallMs();
  }
}

function ignoreStoreErrors(error: unknown): undefined {
  if (error instanceof StoreError) return undefined;
  throw error;
}
