import { remainingMs } from "../core/lease.js";
import { paceOf, pollDelayMs, raceDelayMs } from "../core/polling.js";
import type { Holder } from "../core/record.js";
import type { StoreTime } from "../core/store-time.js";
import { type AcquireCommand, type AcquireReply, acquire as acquireTransition } from "../core/transition/acquire.js";
import { renew } from "../core/transition/renew.js";
import { S3MutexError } from "../errors.js";
import { Attempts } from "./attempts.js";
import { cancelLeftovers } from "./cancel.js";
import { type Context, jitter } from "./context.js";
import type { Grant } from "./lease.js";
import type { LockObject, Swapped } from "./lock-object.js";
import { readClocks, requestTimeoutMs, sleep } from "./timing.js";

export interface AcquireRequest extends Pick<AcquireCommand, "via" | "mode" | "priority" | "leaseMs"> {
  readonly label: string | undefined;
  /** How long to wait, in milliseconds; `Infinity` for ever. However short, one full attempt is made. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Waits for a lock. Undefined when somebody else still has it when the time is up; rejects when aborted, and when the store
 * could not be reached. Whatever was sent until then is cancelled behind the caller's back.
 */
export async function acquireGrant(
  context: Context,
  object: LockObject,
  request: AcquireRequest,
): Promise<Grant | undefined> {
  throwIfAborted(object, request.signal);
  const acquisition = new Acquisition(context, object, request);
  const running = acquisition.run();
  const settled = new AbortController();
  const isRunning = Symbol();
  const outcome = await Promise.race([
    running,
    acquisition.timeIsUp(settled.signal).then(() => isRunning),
    whenAborted(request.signal, settled.signal).then(() => isRunning),
  ]).finally(() => settled.abort());
  if (typeof outcome !== "symbol") return outcome;
  acquisition.giveUp(running);
  throwIfAborted(object, request.signal);
  return undefined;
}

/** One caller's way to one grant; its id stays the same however often it has to ask. */
class Acquisition {
  readonly #context: Context;
  readonly #object: LockObject;
  readonly #request: AcquireRequest;
  readonly #id: string;
  readonly #attempts = new Attempts();
  readonly #stop = new AbortController();
  readonly #untilMs: number;
  readonly #arrivedAtMs: number;
  #lookedAtMs: number;
  #sinceMs: number | undefined;
  #mayBePresent = false;
  #wasAnswered = false;
  #reportAnswer: () => void = () => {};
  /** Resolves when the store has given a first definite answer: one full attempt has been made. */
  readonly #firstAnswer = new Promise<void>((resolve) => {
    this.#reportAnswer = resolve;
  });

  constructor(context: Context, object: LockObject, request: AcquireRequest) {
    this.#context = context;
    this.#object = object;
    this.#request = request;
    this.#id = context.effects.newId();
    this.#arrivedAtMs = this.#nowMs();
    this.#lookedAtMs = this.#arrivedAtMs;
    this.#untilMs = this.#arrivedAtMs + request.patienceMs;
  }

  async run(): Promise<Grant | undefined> {
    try {
      const grant = await this.#waitForGrant();
      if (grant === undefined) this.#cleanUp();
      return grant;
    } catch (error) {
      this.#cleanUp();
      throw error;
    }
  }

  /** Resolves when the caller's patience is over, though not before one full attempt was made. */
  async timeIsUp(signal: AbortSignal): Promise<void> {
    await this.#firstAnswer;
    while (!signal.aborted && this.#nowMs() < this.#untilMs) {
      await sleep(this.#context.effects, this.#untilMs - this.#nowMs(), { keepAlive: true, signal });
    }
  }

  /** Nobody waits for the outcome any more: stop, and undo what was done or may still land. */
  giveUp(running: Promise<Grant | undefined>): void {
    this.#stop.abort();
    const undo = (grant: Grant | undefined) => {
      if (grant !== undefined) this.#cleanUp();
    };
    this.#context.background.run(running.then(undo, () => {}));
  }

  async #waitForGrant(): Promise<Grant | undefined> {
    while (!this.#stop.signal.aborted) {
      const swapped = await this.#ask();
      if (swapped === undefined) return undefined;
      const { reply } = swapped;
      if (reply.kind === "adopted") continue;
      if (reply.kind === "granted") {
        this.#mayBePresent = true;
        const grant = await this.#confirm(reply.holder, swapped.contradicted);
        if (grant !== undefined) return grant;
        continue;
      }
      this.#mayBePresent ||= reply.enqueued;
      this.#wasAnswered = true;
      this.#reportAnswer();
      if (this.#nowMs() >= this.#untilMs) return undefined;
      await this.#pause(swapped, reply);
      this.#lookedAtMs = this.#nowMs();
      await this.#object.look(requestTimeoutMs(this.#request.leaseMs));
    }
    return undefined;
  }

  /** Undefined when there is no point in going on: told to stop, or out of patience with a store that did answer before. */
  async #ask(): Promise<Swapped<AcquireReply> | undefined> {
    try {
      return await this.#object.swap(
        (record, attempt) => acquireTransition(record, this.#command(attempt.now), attempt),
        {
          freshFromMs: this.#lookedAtMs,
          ...this.#swapOptions(Math.min(this.#untilMs, this.#nowMs() + UNREACHABLE_MS)),
          role: "contender",
          afterRaceMs: (races) => this.#afterRaceMs(races),
        },
      );
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      if (this.#wasAnswered && S3MutexError.is(error, "store-unavailable") && this.#nowMs() >= this.#untilMs) {
        return undefined;
      }
      throw error;
    }
  }

  #afterRaceMs(races: number): number {
    const record = this.#object.latest?.record;
    return raceDelayMs({
      races,
      sight: record === undefined ? "absent" : record.holders.length === 0 ? "free" : "held",
      hasPace: record !== undefined && paceOf(record) !== undefined,
      queueLength: record?.queue.length ?? 0,
      roundTripMs: this.#context.clock.roundTripMs,
      random: jitter(this.#context),
    });
  }

  #command(now: StoreTime): AcquireCommand {
    const { via, mode, priority, leaseMs, label, patienceMs } = this.#request;
    const { ownerId, clock } = this.#context;
    this.#sinceMs ??= now.latestMs - (this.#nowMs() - this.#arrivedAtMs);
    const identity = { ...this.#context.identity, ...(label === undefined ? {} : { label }) };
    const entry = { lifeMs: ENTRY_LIFE_MS, roundTripMs: Math.ceil(clock.roundTripMs), holds: [] };
    return {
      id: this.#id,
      owner: ownerId,
      via,
      mode,
      priority,
      leaseMs,
      identity,
      sinceMs: this.#sinceMs,
      entry: patienceMs > 0 ? entry : undefined,
    };
  }

  /**
   * A lease is handed out with at least half of it left, and only if the store's clock is where the lease's expiry assumed
   * it; otherwise it is renewed first. Undefined when it was gone by then.
   */
  async #confirm(holder: Holder, contradicted: boolean): Promise<Grant | undefined> {
    const { id, token, leaseMs } = holder;
    let current = holder;
    let isDoubtful = contradicted;
    for (let renewals = 0; ; renewals += 1) {
      const reading = this.#attempts.readingOf(current.renewal);
      const leftMs = reading === undefined ? 0 : remainingMs(leaseMs, reading, readClocks(this.#context.effects));
      const enough = renewals < MAX_CONFIRMATIONS ? leaseMs / 2 : 0;
      if (reading !== undefined && !isDoubtful && leftMs > enough) {
        return { holder: current, reading, attempts: this.#attempts };
      }
      if (renewals >= MAX_CONFIRMATIONS) throw this.#leaseTooShort();
      const command = { id, token, leaseMs, onlyUnexpired: false };
      const swapped = await this.#object.swap((record, attempt) => renew(record, command, attempt), {
        ...this.#swapOptions(this.#nowMs() + leaseMs),
        role: "holder",
      });
      if (swapped.reply.kind === "gone") return undefined;
      current = swapped.reply.holder;
      isDoubtful = swapped.contradicted;
    }
  }

  #leaseTooShort(): S3MutexError {
    const roundTripMs = Math.ceil(this.#context.clock.roundTripMs);
    return new S3MutexError(
      "store-unavailable",
      `The lease of ${this.#request.leaseMs} ms for ${JSON.stringify(this.#object.name)} runs out before the store answers (about ${roundTripMs} ms): use a longer lease.`,
      { lockName: this.#object.name },
    );
  }

  async #pause({ snapshot }: Swapped<AcquireReply>, reply: AcquireReply & { kind: "waiting" }): Promise<void> {
    const { clock, effects, toleranceMs } = this.#context;
    const now = clock.now();
    const holders = snapshot.record?.holders ?? [];
    const ends = holders.map((holder) => holder.expiresAtMs + toleranceMs);
    const starts = holders.map((holder) => holder.acquiredAtMs);
    const planned = pollDelayMs({
      position: reply.position,
      holdAgeMs: now === undefined || holders.length === 0 ? 0 : Math.max(0, now.latestMs - Math.min(...starts)),
      untilTakeoverMs: now === undefined ? 0 : Math.min(...ends) - now.earliestMs,
      roundTripMs: clock.roundTripMs,
      pace: snapshot.record === undefined ? undefined : paceOf(snapshot.record),
      isEnqueued: reply.enqueued,
      random: jitter(this.#context),
    });
    const leftMs = this.#untilMs - this.#nowMs();
    // The last look is just before the time is up, so that a lock freed meanwhile is not missed.
    const delayMs = Math.min(planned, Math.max(leftMs - clock.roundTripMs, 1));
    await sleep(effects, delayMs, { keepAlive: true, signal: this.#stop.signal });
  }

  #swapOptions(untilMs: number) {
    const timeoutMs = requestTimeoutMs(this.#request.leaseMs);
    return { attempts: this.#attempts, timeoutMs, untilMs, signal: this.#stop.signal };
  }

  #cleanUp(): void {
    cancelLeftovers(this.#context, this.#object, {
      id: this.#id,
      attempts: this.#attempts,
      leaseMs: this.#request.leaseMs,
      mayBePresent: this.#mayBePresent,
    });
  }

  #nowMs(): number {
    return this.#context.effects.monotonicMs();
  }
}

/** How long a store that has stopped answering is waited for by those whose own patience has no end. */
const UNREACHABLE_MS = 60_000;
/** How long a queue entry lives without being refreshed: that of a process that died is dropped after this. */
const ENTRY_LIFE_MS = 15_000;
/** A lease that is over again after this many renewals is too short for the store. */
const MAX_CONFIRMATIONS = 3;

function throwIfAborted(object: LockObject, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  const message = `Waiting for the lock ${JSON.stringify(object.name)} was aborted by the caller's signal.`;
  throw new S3MutexError("aborted", message, { cause: signal.reason, lockName: object.name });
}

/** Resolves when the signal is aborted; `settled` takes the listener away again. */
function whenAborted(signal: AbortSignal | undefined, settled: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener("abort", () => resolve(), { once: true, signal: settled });
  });
}
