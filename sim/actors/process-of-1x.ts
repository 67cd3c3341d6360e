import type { WriteCondition } from "../../src/store/object-store.js";
import { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import { ClientOf1x, type LockOf1x } from "../../testkit/client-of-1x.js";
import type { Believer } from "../checkers/beliefs.js";
import type { ClientPlan } from "../plan/plan.js";
import { keyOf, type Participant, type Scene } from "../scene.js";

/** What the SDK makes of an error after its last attempt: the call rejects. */
class StoreError extends Error {}

/** The SDK tries so often, and takes a socket that is silent for so long for reset. */
const SDK_ATTEMPTS = 3;
const SOCKET_MS = 3000;

/**
 * A process that still runs s3-mutex 1.x, on a network that fails as that of all does. It believes the 412 that its SDK got for its own
 * success.
 */
export class ProcessOf1x implements Participant {
  readonly name: string;
  readonly process: SimProcess;
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #store;
  readonly #client: ClientOf1x;
  #isClosed = false;

  constructor(scene: Scene, plan: ClientPlan, name: string) {
    this.#scene = scene;
    this.name = name;
    this.process = new SimProcess(scene.bucket.world, name, plan.clocks);
    this.#store = scene.bucket.storeFor(this.process, "1.x");
    this.#random = scene.bucket.world.random.fork();
    const { leaseMs: lockTimeoutMs, toleranceMs } = scene.plan;
    const wire = {
      read: (lockName: string) => this.#read(lockName),
      write: (lockName: string, info: LockOf1x, etag: string | undefined) => this.#write(lockName, info, etag),
      wallMs: () => this.#wallMs(),
      random: () => this.#random.number(),
      sleep: (ms: number) => this.#pause(ms),
    };
    this.#client = new ClientOf1x(wire, { owner: name, lockTimeoutMs, toleranceMs });
  }

  async play(): Promise<void> {
    while (!this.#scene.isOver() && !this.process.isDead && !this.#isClosed) {
      await this.#turn(this.#random.pick(this.#scene.plan.locks)).catch(ignoreStoreErrors);
      await this.#pause(this.#random.between(1, 500));
    }
  }

  /** Wishes for nothing: its patience has an end whatever one wishes, and it knows no queue, so that nothing is promised to it. */
  async lastWish(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#scene.onClosed(this, []);
  }

  async #turn(name: string): Promise<void> {
    const untilMs = await this.#client.acquire(name);
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
      belief.untilMs = (await this.#client.refresh(name).catch(ignoreStoreErrors)) ?? belief.untilMs;
    await this.#pause(this.#random.between(1, 300));
    this.#scene.beliefs.end(name, believer);
    await this.#client.release(name);
  }

  async #read(name: string): Promise<{ readonly info: LockOf1x; readonly etag: string } | undefined> {
    const outcome = await this.#retrying(() => this.#store.read(keyOf(name), { timeoutMs: SOCKET_MS }));
    if (outcome.kind !== "ok") return undefined;
    return { info: JSON.parse(outcome.body) as LockOf1x, etag: outcome.etag };
  }

  /** Writes; false when the condition did not hold, or did not hold any more when the SDK tried again. */
  async #write(name: string, info: LockOf1x, etag: string | undefined): Promise<boolean> {
    const condition: WriteCondition = etag === undefined ? { kind: "if-absent" } : { kind: "if-match", etag };
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
