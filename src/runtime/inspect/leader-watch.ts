import { isExpired } from "../../core/expiry.js";
import { type Identity, identityOf } from "../../core/record.js";
import type { Context } from "../base/context.js";
import { MAX_REQUEST_MS, sleep } from "../base/timing.js";
import type { LockObject } from "../swap/lock-object.js";
import { RetryBudget } from "../swap/retry-budget.js";
import type { Snapshot } from "../swap/snapshot.js";
import { untilAnswered } from "../swap/until-answered.js";

/** Who leads. */
export interface Leader extends Identity {
  readonly owner: string;
  /** Greater than that of every leader before. */
  readonly fencingToken: number;
  /** Since when, in epoch milliseconds of the store's clock. */
  readonly since: number;
  /** Whether it is this very instance of the mutex. */
  readonly isSelf: boolean;
}

/** Looks at who leads, without taking part. */
export class LeaderWatch {
  readonly #context: Context;
  readonly #object: LockObject;

  constructor(context: Context, object: LockObject) {
    this.#context = context;
    this.#object = object;
  }

  /** One answer. @throws `store-unavailable` when there is none in time */
  async read(): Promise<Leader | null> {
    const untilMs = this.#context.effects.monotonicMs() + PATIENCE_MS;
    return this.#readUntilAnswered(this.#budget(untilMs));
  }

  async *observe(options: {
    readonly signal: AbortSignal | undefined;
    readonly intervalMs: number;
  }): AsyncGenerator<Leader | null> {
    const { effects, closing } = this.#context;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    let last: Leader | null | undefined;
    while (!signal.aborted) {
      const leader = await this.#readForLong(signal);
      if (signal.aborted) return;
      if (leader?.fencingToken !== last?.fencingToken || last === undefined) yield leader;
      last = leader;
      await sleep(effects, Math.max(options.intervalMs, MIN_INTERVAL_MS), { keepAlive: true, signal });
    }
  }

  async #readForLong(signal: AbortSignal): Promise<Leader | null> {
    return this.#readUntilAnswered(this.#budget(Number.POSITIVE_INFINITY, signal), signal);
  }

  #budget(untilMs: number, signal?: AbortSignal): RetryBudget {
    const options = { untilMs, timeoutMs: MAX_REQUEST_MS, role: "contender" as const };
    return new RetryBudget(this.#context, this.#object.name, {
      ...options,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #readUntilAnswered(budget: RetryBudget, signal?: AbortSignal): Promise<Leader | null> {
    const read = await untilAnswered(budget, async (left) =>
      signal?.aborted ? ({ kind: "stopped" } as const) : this.#object.ask(left),
    );
    if (read.kind === "stopped") return null;
    if (read.snapshot.unreadable !== undefined) throw read.snapshot.unreadable;
    return this.#leaderOf(read.snapshot);
  }

  #leaderOf({ record, askedAtMs }: Snapshot): Leader | null {
    const { clock } = this.#context;
    const now = clock.when(askedAtMs);
    const lacksStoreTime = clock.isDateless;
    const holder = record?.holders.find((one) => now === undefined || !isExpired(one, { now, lacksStoreTime }));
    if (holder === undefined) return null;
    const { owner, token: fencingToken, acquiredAtMs: since } = holder;
    return {
      owner,
      fencingToken,
      since,
      isSelf: owner === this.#context.ownerId,
      ...identityOf(holder),
    };
  }
}

/** How long a store that does not answer is asked again. */
const PATIENCE_MS = 10_000;
/** A user who asks for less gets this: about what a read takes, where the store is not near. */
const MIN_INTERVAL_MS = 100;
