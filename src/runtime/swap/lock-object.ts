import { afterDecision, baseOf, begunSwap, nowAt } from "../../core/client/swap.js";
import { settles } from "../../core/client/write-log.js";
import { serializeRecord } from "../../core/codec.js";
import type { Attempt } from "../../core/expiry.js";
import type { LockRecord, LockRef } from "../../core/record.js";
import { FEW } from "../../core/schedule/enqueue.js";
import type { ClockReading } from "../../core/store-time.js";
import type { Change, Decision } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import type {
  RemoveOutcome,
  RequestOptions,
  UnknownOutcome,
  WriteCondition,
  WriteOutcome,
} from "../../store/object-store.js";
import type { Context } from "../base/context.js";
import { readClocks } from "../base/timing.js";
import { type Changed, type Conflict, type RemovedOutcome, RemoveUnsupported } from "./changed.js";
import { LeaseWatch } from "./lease-watch.js";
import { readTwice } from "./read-twice.js";
import { RetryBudget } from "./retry-budget.js";
import { isNoRecord, isSameVersion, type Snapshot, snapshotOf, versionOf } from "./snapshot.js";
import type { Place } from "./stalled.js";
import type { SwapOptions, Swapped } from "./swap-options.js";
import { CLOCKS_UNSTEADY, outOfCache, timingByStore, Witnesses } from "./told-time.js";
import { untilAnswered } from "./until-answered.js";
import type { WriteRecorder } from "./write-log.js";

export type { Snapshot } from "./snapshot.js";

type Apply<Reply> = (record: LockRecord | undefined, attempt: Attempt) => Decision<Reply>;

/** The one object of a lock: reads it, and changes it by compare-and-swap until the change is known to have been made. */
export class LockObject {
  readonly ref: LockRef;
  readonly key: string;
  readonly #context: Context;
  readonly #watch: LeaseWatch;
  #latest: Snapshot | undefined;

  constructor(context: Context, ref: LockRef, key: string) {
    this.#context = context;
    this.#watch = new LeaseWatch(context.toleranceMs);
    this.ref = ref;
    this.key = key;
  }

  get name(): string {
    return this.ref.name;
  }

  /** The version that was seen last, by any caller in this process. It may be outdated. */
  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** Judges what a caller would find now, by what was seen last and without a request; undefined where that was not a record. */
  glance<Judgement>(judge: (record: LockRecord | undefined, attempt: Attempt) => Judgement): Judgement | undefined {
    const snapshot = this.#latest?.unreadable === undefined ? this.#latest : undefined;
    const attempt = snapshot && this.#attempt(snapshot, readClocks(this.#context.effects));
    return attempt && judge(snapshot?.record, attempt);
  }

  /** Makes the decision true: reads unless the version seen last will do, applies, writes, and repeats until it is known. */
  async swap<Reply>(apply: Apply<Reply>, options: SwapOptions<Reply>): Promise<Swapped<Reply>> {
    let state = begunSwap(this.#latest?.unreadable ? undefined : this.#latest, options.from);
    let keepsVersions = false;
    const witnesses = new Witnesses(this.#context.clock, options);
    const contenders = () => this.#latest?.record?.queue.length ?? 0;
    for (const budget = new RetryBudget(this.#context, this.name, options, contenders); ; ) {
      this.#throwIfAborted(options.signal);
      let snapshot = baseOf(state, () => witnesses.isTimeUnknown);
      if (snapshot === undefined) {
        snapshot = await this.#readUntilFound(options, budget, witnesses);
        state = nowAt(snapshot);
      }
      const reading = readClocks(this.#context.effects);
      const attempt = this.#attempt(snapshot, reading, { keepsVersions, isByOneAnswer: witnesses.areTooFew });
      if (attempt === undefined) {
        await budget.afterFailure(CLOCKS_UNSTEADY);
        continue;
      }
      const { reply, change } = this.#decide(apply, snapshot, attempt, options);
      const isDoubted = witnesses.needAnother(snapshot.record, change, attempt);
      const next = afterDecision(state, { changes: change !== undefined, isDoubted });
      if (next === "done") return { reply, snapshot };
      if (next === "read" || change === undefined) {
        state = nowAt<Snapshot>(undefined);
        continue;
      }
      this.#throwIfAborted(options.signal);
      const base = snapshot;
      const changing = this.#change(change, { base, attempt, reading }, budget, options);
      const reads = this.#readAlong(base, options);
      const done = await changing;
      if (done.kind === "done") return { reply, snapshot: done.snapshot };
      if (done.kind === "versioned") {
        keepsVersions = true;
        continue;
      }
      state = nowAt(await this.#waitAfter(done, base, budget, options.writeLog, reads));
    }
  }

  /** Waits, and gives what was read alongside a write that came too late, if it is newer; undefined: the object has to be read again. */
  async #waitAfter(
    failure: Conflict | UnknownOutcome,
    base: Snapshot,
    budget: RetryBudget,
    writeLog: WriteRecorder,
    reads?: Promise<Snapshot | undefined>,
  ): Promise<Snapshot | undefined> {
    if (failure.kind === "unknown") return void (await budget.afterFailure(failure));
    writeLog.lostRace();
    const newer = (await budget.afterLostRace(versionOf(base))) ? undefined : await reads;
    if (newer === undefined || isSameVersion(versionOf(newer), versionOf(base))) return undefined;
    budget.saw(versionOf(newer), this.#where(newer));
    this.#note(newer);
    return newer;
  }

  /** Looks whether the object has changed since it was seen last: 304 while it has not. Undefined where the store did not answer. */
  async poll(timeoutMs: number): Promise<Snapshot | undefined> {
    const read = await this.ask({ timeoutMs });
    return read.kind === "unknown" ? undefined : read.snapshot;
  }

  /** Polls, and gives the reason where the store did not answer. */
  ask(options: RequestOptions): Promise<Found | UnknownOutcome> {
    return this.#read(this.#latest?.etag, options);
  }

  /** Reads the object, asking again while the store does not answer. */
  async #readUntilFound(
    options: Omit<SwapOptions, "applyToUnreadable">,
    budget: RetryBudget,
    witnesses: Witnesses,
  ): Promise<Snapshot> {
    const readOnce = () =>
      untilAnswered(budget, (left) => {
        this.#throwIfAborted(options.signal);
        return this.#read(undefined, { ...left, urgent: options.role === "holder" });
      });
    let { snapshot } = await readOnce();
    for (let more = 1; more < ANSWERS_FOR_TIME && witnesses.isTimeUnknown; more += 1) ({ snapshot } = await readOnce());
    budget.saw(versionOf(snapshot), this.#where(snapshot));
    return snapshot;
  }

  #where({ deleteMarker }: Snapshot): Place {
    const { bucketName, endpoint } = this.#context;
    return { bucketName, key: this.key, endpointUrl: endpoint.url, deleteMarker };
  }

  #throwIfAborted(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new S3MutexError("aborted", "stopped", { cause: signal.reason, lockName: this.name });
  }

  #attempt(
    snapshot: Snapshot,
    reading: ClockReading,
    { keepsVersions = false, isByOneAnswer = false } = {},
  ): Attempt | undefined {
    const { clock, effects, takeover, toleranceMs } = this.#context;
    const now = clock.now(reading);
    if (now === undefined) return undefined;
    const lacksStoreTime = clock.lacksStoreTime || isByOneAnswer;
    const isObserving = takeover === "observed" || lacksStoreTime;
    const observed = isObserving ? { observedEnded: this.#watch.ended(snapshot.record, reading) } : {};
    const { landedAtMs } = snapshot;
    const told = { now, lacksStoreTime, isTimeDoubted: clock.isDoubted, landedAtMs };
    return { ...told, writeId: effects.newId(), toleranceMs, keepsVersions, ...observed };
  }

  #decide<Reply>(
    apply: Apply<Reply>,
    { record, unreadable, etag, askedAtMs }: Snapshot,
    attempt: Attempt,
    { applyToUnreadable, writeLog }: SwapOptions<Reply>,
  ): Decision<Reply> {
    // What is settled by this may have landed: the acquisition that decides sees at the same time whether it has.
    writeLog.seen(etag, askedAtMs);
    if (unreadable === undefined) return apply(record, attempt);
    if (applyToUnreadable === undefined || unreadable.code !== "corrupt-record") throw unreadable;
    return applyToUnreadable(attempt);
  }

  /**
   * Reads alongside a holder's write where others are about: the version that it knows is probably an old one, and the one to try again
   * with is at hand a round trip sooner. It is not kept: it may be older than what was written.
   */
  #readAlong<Reply>({ record }: Snapshot, { role, writeLog, timeoutMs }: SwapOptions<Reply>) {
    const waiting = record?.queue.length ?? 0;
    const isBusy = waiting > FEW || (waiting > 0 && writeLog.hasLostRaces);
    if (role !== "holder" || !isBusy) return undefined;
    const found = (read: Found | UnknownOutcome) => (read.kind === "found" ? read.snapshot : undefined);
    const reading = this.#fetch(undefined, { timeoutMs, urgent: true }).then(found, () => undefined);
    this.#context.background.run(reading.then(() => {}));
    return reading;
  }

  async #read(ifNoneMatch: string | undefined, options: RequestOptions): Promise<Found | UnknownOutcome> {
    const read = await this.#fetch(ifNoneMatch, options);
    if (read.kind === "found") this.#note(read.snapshot);
    return read;
  }

  #note(snapshot: Snapshot): void {
    this.#watch.note(snapshot.record, readClocks(this.#context.effects));
    this.#keep(snapshot);
  }

  async #fetch(ifNoneMatch: string | undefined, options: RequestOptions): Promise<Found | UnknownOutcome> {
    const { store, clock, check, bucketName } = this.#context;
    const before = this.#latest;
    const condition = ifNoneMatch === undefined ? {} : { ifNoneMatch };
    const outcome = await readTwice(store, this.key, { ...options, ...condition }, isNoRecord);
    clock.observe(timingByStore(outcome));
    if (outcome.kind === "refused") throw outcome.error;
    if (outcome.kind === "unknown") return outcome;
    if (outcome.timing.aged && clock.now() === undefined) return outOfCache(this.key, outcome.timing);
    const askedAtMs = outcome.timing.sentAtMs;
    const snapshot =
      outcome.kind === "unchanged" && before !== undefined
        ? { ...before, askedAtMs }
        : snapshotOf({ ref: this.ref, key: this.key, bucketName }, outcome, askedAtMs);
    if (!check.isPassed) await check.saw(this.key, outcome, snapshot.record);
    return { kind: "found", snapshot };
  }

  async #change(
    decided: Change,
    { base, attempt, reading }: { readonly base: Snapshot; readonly attempt: Attempt; readonly reading: ClockReading },
    budget: RetryBudget,
    { writeLog, role }: Pick<SwapOptions, "writeLog" | "role">,
  ): Promise<Changed> {
    const { clock, check } = this.#context;
    const isWrite = decided.kind === "write";
    const change: Change = isWrite ? { ...decided, record: check.stamped(this.key, decided.record) } : decided;
    const condition: WriteCondition =
      base.etag === undefined ? { kind: "if-absent" } : { kind: "if-match", etag: base.etag };
    writeLog.begin(attempt.writeId, condition, reading);
    const outcome = await budget.answer((left) =>
      this.#send(change, condition, { ...left, urgent: role === "holder" }),
    );
    if (settles(outcome)) writeLog.answered(attempt.writeId);
    if (outcome.kind === "unsupported") throw new RemoveUnsupported();
    if (outcome.kind === "versioned") return outcome;
    clock.observe(timingByStore(outcome));
    if (outcome.kind === "refused") throw outcome.error;
    if (outcome.kind === "unknown") return outcome;
    if (outcome.kind !== "ok") return { kind: "conflict" };
    if (isWrite) check.wrote(outcome as WriteOutcome & { readonly kind: "ok" }, base.etag);
    const record = change.kind === "write" ? change.record : undefined;
    const snapshot = { etag: outcome.etag, record, askedAtMs: outcome.timing.sentAtMs };
    writeLog.seen(snapshot.etag, snapshot.askedAtMs);
    this.#keep(snapshot);
    return { kind: "done", snapshot };
  }

  async #send(
    change: Change,
    condition: WriteCondition,
    options: RequestOptions,
  ): Promise<WriteOutcome | Exclude<RemoveOutcome, { kind: "ok" }> | RemovedOutcome> {
    const { store } = this.#context;
    if (change.kind === "write") {
      return store.write(this.key, serializeRecord(change.record), condition, options);
    }
    const removed = await store.remove(this.key, condition.kind === "if-match" ? condition.etag : "", options);
    return removed.kind === "ok" ? { ...removed, etag: undefined } : removed;
  }

  /** Answers can overtake each other: what was asked for later is what is kept. */
  #keep(snapshot: Snapshot): void {
    if (this.#latest === undefined || snapshot.askedAtMs >= this.#latest.askedAtMs) this.#latest = snapshot;
  }
}

interface Found {
  readonly kind: "found";
  readonly snapshot: Snapshot;
}

/** So many answers say what the store tells of the time, or that it tells none: two without, a wrong one, three without. */
const ANSWERS_FOR_TIME = 6;
