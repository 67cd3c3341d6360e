import { isExpired } from "../../core/expiry.js";
import { type Identity, identityOf } from "../../core/record.js";
import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";
import type { LockObject } from "../swap/lock-object.js";
import { leaderPolicy, type Policy } from "../swap/policies.js";
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

  /** Reads one answer. @throws `store-unavailable` when there is none in time */
  async read(): Promise<Leader | null> {
    return this.#readUntilAnswered(this.#budget(leaderPolicy(this.#context)));
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
    const policy = leaderPolicy(this.#context, Number.POSITIVE_INFINITY);
    return this.#readUntilAnswered(this.#budget(policy, signal), signal);
  }

  #budget(policy: Policy, signal?: AbortSignal): RetryBudget {
    return new RetryBudget(this.#context, this.#object.name, { ...policy, signal });
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

/** A user who asks for less gets this: about what a read takes, where the store is not near. */
const MIN_INTERVAL_MS = 100;
