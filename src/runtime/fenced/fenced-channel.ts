import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Content,
  type Envelope,
  type FoundObject,
  parseEnvelope,
  serializeEnvelope,
} from "../../core/envelope.js";
import { changedEnvelope, type Fence, openFenced, type Refusal, resolveChange } from "../../core/transition/fenced.js";
import { reworded, S3MutexError } from "../../errors.js";
import {
  MAX_FENCED_BYTES,
  type ObjectStore,
  type ReadOutcome,
  type WriteCondition,
  type WriteOutcome,
} from "../../store/object-store.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import { fencedPolicy } from "../swap/policies.js";
import { isNoEnvelope, readTwice } from "../swap/read-twice.js";
import { RetryBudget } from "../swap/retry-budget.js";
import { timingByStore } from "../swap/told-time.js";
import { untilAnswered } from "../swap/until-answered.js";
import { CallQueue, type CallTime } from "./call-queue.js";
import { archivedError, refusalError } from "./fenced-refusal.js";

export interface ChannelOptions extends Fence {
  readonly lockName: string;
  readonly bucketName: string;
  readonly key: string;
  readonly leaseMs: number;
  /** How long a store that does not answer is asked again, in milliseconds; it is asked at least twice. */
  readonly patienceMs: () => number;
}

/** How to take over an object that was written by other means. */
export type Adoption = "json" | "text" | undefined;

/** Whose update the code that runs is part of. */
const making = new AsyncLocalStorage<FencedChannel>();

interface Version {
  readonly etag: string;
  readonly envelope: Envelope;
}

interface FoundVersion {
  readonly etag: string | undefined;
  readonly found: FoundObject;
}

/**
 * One holder's way to one fenced object. There is one for each token and object in a process, and it does one thing at a
 * time: so any other writer has another token.
 */
export class FencedChannel {
  readonly #context: Context;
  readonly #options: ChannelOptions;
  readonly #store: ObjectStore;
  /** The version that it has stamped or written, while nothing has gone wrong since. */
  #version: Version | undefined;
  #wasOpen = false;
  readonly #calls: CallQueue;

  constructor(context: Context, options: ChannelOptions) {
    this.#context = context;
    this.#options = options;
    this.#store = context.contentStore(options.bucketName);
    this.#calls = new CallQueue(context.effects, options.patienceMs);
  }

  /** Stamps the object, unless that was done. */
  open(adopt: Adoption): Promise<void> {
    return this.#inTurn(async (time) => void (await this.#opened(time, adopt)));
  }

  /** Reads the content as it is now; `fenced-out` when a newer holder has opened the object. */
  read(adopt: Adoption): Promise<Content> {
    return this.#inTurn(async (time) => {
      const known = this.#version;
      if (known === undefined) return (await this.#opened(time, adopt)).envelope;
      if ((await this.#find(this.#budget(time), known.etag)) !== "unchanged") this.#version = undefined;
      return (await this.#opened(time, undefined)).envelope;
    });
  }

  /**
   * Replaces the content by what `make` makes of it. An error of `make` comes out unchanged; every other one says by
   * `maybeApplied` whether the change may have been made all the same.
   */
  change(adopt: Adoption, make: (content: Content) => Content | Promise<Content>): Promise<void> {
    return this.#inTurn(async (time) => {
      const base = await this.#opened(time, adopt);
      const content = await this.#calls.outside(() => making.run(this, async () => make(base.envelope)));
      await this.#commit(base, content, time);
    });
  }

  #inTurn<T>(work: (time: CallTime) => Promise<T>): Promise<T> {
    if (making.getStore() === this) {
      const { key, lockName } = this.#options;
      const message = `The function that updates ${JSON.stringify(key)} uses the same object, and would wait for itself: use what it was given.`;
      return Promise.reject(new S3MutexError("deadlock", message, { lockName, cycle: [] }));
    }
    return this.#calls.run(work);
  }

  #budget(time: CallTime): RetryBudget {
    const { startedAtMs, untilMs } = time.left();
    const { leaseMs, lockName } = this.#options;
    const options = { ...fencedPolicy(leaseMs, untilMs), startedAtMs, signal: this.#context.closed };
    return new RetryBudget(this.#context, lockName, options);
  }

  async #opened(time: CallTime, adopt: Adoption): Promise<Version> {
    if (this.#version !== undefined) return this.#version;
    const attempted = new Set<string>();
    for (const budget = this.#budget(time); ; ) {
      const { found, etag } = await this.#find(budget);
      const { lock, token } = this.#options;
      const writeId = this.#context.effects.newId();
      const isReopening = this.#wasOpen;
      const decision = openFenced(found, { lock, token, writeId, attempted, isReopening, adopt });
      if (decision.kind === "refused") throw this.#refused(decision.refusal, false);
      if (decision.kind === "opened") return this.#keep(etag as string, decision.envelope);
      attempted.add(writeId);
      const outcome = await this.#write(budget, decision.envelope, etag);
      if (outcome.kind === "ok") return this.#keep(outcome.etag, decision.envelope);
      await (outcome.kind === "unknown"
        ? budget.afterFailure(outcome)
        : budget.afterLostRace({ etag, writeId: writeIdOf(found) }));
    }
  }

  async #commit(opened: Version, content: Content, time: CallTime): Promise<void> {
    const { effects } = this.#context;
    const changeId = effects.newId();
    let base = opened;
    let attempted = false;
    // Whatever goes wrong: the next one opens the object anew, and the stamp keeps what was sent here from landing later.
    this.#version = undefined;
    try {
      for (const budget = this.#budget(time); ; ) {
        const { lock, token } = this.#options;
        const next = changedEnvelope(base.envelope, content, { token, changeId, writeId: effects.newId() });
        const outcome = await this.#write(budget, next, base.etag);
        if (outcome.kind === "ok") return void this.#keep(outcome.etag, next);
        attempted ||= outcome.kind !== "unknown" || outcome.sent;
        await (outcome.kind === "unknown"
          ? budget.afterFailure(outcome)
          : budget.afterLostRace({ etag: base.etag, writeId: base.envelope.writeId }));
        const { found, etag } = await this.#find(budget);
        const decision = resolveChange(found, { lock, token, base: base.envelope, changeId });
        if (decision.kind === "refused") throw this.#refused(decision.refusal, attempted);
        const { envelope } = decision;
        if (decision.kind === "done") return void (envelope !== undefined && this.#keep(etag as string, envelope));
        base = { etag: etag as string, envelope: decision.envelope };
      }
    } catch (error) {
      throw attempted ? asUnresolved(error) : error;
    }
  }

  #keep(etag: string, envelope: Envelope): Version {
    this.#wasOpen = true;
    this.#version = { etag, envelope };
    return this.#version;
  }

  #refused(refusal: Refusal, attempted: boolean): S3MutexError {
    const maybeApplied = attempted && (refusal.kind !== "fenced-out" || refusal.maybeApplied);
    return refusalError(refusal, { ...this.#options, maybeApplied });
  }

  /** Reads the object, asking again while the store does not answer. */
  async #find(budget: RetryBudget): Promise<FoundVersion>;
  async #find(budget: RetryBudget, ifNoneMatch: string): Promise<FoundVersion | "unchanged">;
  async #find(budget: RetryBudget, ifNoneMatch?: string): Promise<FoundVersion | "unchanged"> {
    const condition = ifNoneMatch === undefined ? {} : { ifNoneMatch };
    const outcome = await untilAnswered(budget, async (left) => {
      this.#throwIfClosed();
      const options = { ...left, ...condition };
      const read = await readTwice(this.#store, this.#options.key, options, isNoEnvelope);
      this.#observe(read);
      return read;
    });
    if (outcome.kind === "refused") throw outcome.error;
    if (outcome.kind === "archived") throw archivedError(this.#options);
    if (outcome.kind === "unchanged") return "unchanged";
    const found = foundIn(outcome);
    const { bucketName, key } = this.#options;
    const deleteMarker = outcome.kind === "absent" ? outcome.deleteMarker : undefined;
    budget.saw(
      { etag: found.etag, writeId: writeIdOf(found.found) },
      { bucketName, key, endpointUrl: this.#context.endpoint.url, deleteMarker },
    );
    return found;
  }

  async #write(
    budget: RetryBudget,
    envelope: Envelope,
    etag: string | undefined,
  ): Promise<Exclude<WriteOutcome, { kind: "refused" }>> {
    this.#throwIfClosed();
    const body = serializeEnvelope(envelope);
    const bytes = Buffer.byteLength(body);
    const { key, lockName } = this.#options;
    if (bytes > MAX_FENCED_BYTES) {
      const message = `The content of ${JSON.stringify(key)} is too large: with its envelope it would have ${bytes} bytes, and ${MAX_FENCED_BYTES} is the most; keep less in it, such as the key of an object with the rest. Nothing was changed.`;
      throw new S3MutexError("invalid-argument", message, { lockName });
    }
    const condition: WriteCondition = etag === undefined ? { kind: "if-absent" } : { kind: "if-match", etag };
    const outcome = await budget.answer((left) => this.#store.write(key, body, condition, left));
    this.#observe(outcome);
    if (outcome.kind === "refused") throw outcome.error;
    return outcome;
  }

  #observe(outcome: ReadOutcome | WriteOutcome): void {
    // Another bucket may be another service, with a clock of its own.
    if (this.#options.bucketName === this.#context.bucketName) this.#context.clock.observe(timingByStore(outcome));
  }

  #throwIfClosed(): void {
    if (this.#context.closed.aborted) throw wasClosed();
  }
}

function foundIn(
  outcome: Exclude<ReadOutcome, { kind: "unknown" | "refused" | "archived" | "unchanged" }>,
): FoundVersion {
  if (outcome.kind === "absent") return { etag: undefined, found: { kind: "absent" } };
  const { etag } = outcome;
  if (outcome.kind !== "ok") return { etag, found: { kind: "foreign", body: undefined } };
  return { etag, found: parseEnvelope(outcome.body) };
}

function writeIdOf(found: FoundObject): string | undefined {
  return found.kind === "envelope" ? found.envelope.writeId : undefined;
}

/** Makes the same error say that the change may have been made, or may still be. */
function asUnresolved(error: unknown): unknown {
  if (!(error instanceof S3MutexError) || error.code === "fenced-out" || error.maybeApplied) return error;
  const message = `${error.message} Whether the change was made is not known.`;
  return reworded(error, message, { cause: error, maybeApplied: true });
}
