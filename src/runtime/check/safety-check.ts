import { isToldAt, PROOF_LIFE_MS, type Proof, proofFor, proofOf, withProof } from "../../core/proof.js";
import type { LockRecord } from "../../core/record.js";
import { elapsedForHolder, type StoreTime } from "../../core/store-time.js";
import type { S3MutexError } from "../../errors.js";
import {
  type EtagFormHint,
  type ObjectStore,
  type ReadOutcome,
  type RefusedOutcome,
  type UnknownOutcome,
  type Versioning,
  versioningOf,
} from "../../store/object-store.js";
import { unlessAborted } from "../base/abort.js";
import type { Background, Emit } from "../base/context.js";
import type { Effects } from "../base/effects.js";
import type { GrantCheck } from "../base/grant-check.js";
import type { Log } from "../base/logger.js";
import type { StoreClock } from "../base/store-clock.js";
import { readClocks, settledWithin, UNREACHABLE_MS } from "../base/timing.js";
import { isSameEtag } from "../swap/snapshot.js";
import { timingByStore } from "../swap/told-time.js";
import { CheckMarker, type Marking, ONE_ETAG, type Told } from "./check-marker.js";
import type { CheckState, CheckVerdict, FurtherLook } from "./check-state.js";
import { BOTH_CREATED, ConditionProbe, type ProbeVerdict } from "./condition-probe.js";
import { keepingFailure } from "./last-failure.js";
import { deniedError, ignoredError, notEnded, voidAtOnce } from "./unsafe-store.js";
import { WayHash } from "./way-hash.js";

export interface SafetyCheckOptions {
  readonly state: CheckState;
  readonly store: ObjectStore;
  readonly clock: StoreClock;
  readonly effects: Effects;
  readonly logger: Log;
  readonly background: Background;
  readonly emit: Emit;
  readonly bucketName: string;
  readonly keyPrefix: string;
  /** How the store is reached, as a text that is the same for all who reach it in that way. */
  readonly way: () => Promise<string>;
  /** Undefined where nothing has to be found out about that. */
  readonly etagForm?: EtagFormHint | undefined;
}

/**
 * `verify: "auto"`: before a first grant is handed out, the store is known to honour conditions: by the word of a record that was
 * read, by that of the marker of the prefix, or because this process has asked. Races are not tried, but where they were seen to be lost.
 */
export class SafetyCheck implements GrantCheck {
  readonly #options: SafetyCheckOptions;
  readonly #marker: CheckMarker;
  readonly #ways: WayHash;

  constructor(options: SafetyCheckOptions) {
    this.#options = { ...options, store: keepingFailure(options.store, options.state) };
    this.#ways = new WayHash(options.way);
    this.#marker = new CheckMarker(this.#options, this.#ways);
  }

  /** Whether a grant may be handed out. */
  get isPassed(): boolean {
    const { passed } = this.#options.state;
    return passed !== undefined && elapsedForHolder(passed.from, readClocks(this.#options.effects)) < passed.lifeMs;
  }

  /** Why nothing may be written at this moment. */
  get refusal(): S3MutexError | undefined {
    return this.#options.state.refused?.error;
  }

  get object(): string {
    return this.#marker.key;
  }

  get lastFailure(): UnknownOutcome | undefined {
    return this.isPassed ? undefined : this.#options.state.lastFailure;
  }

  /** Hears of a record that was read: it may say that the store was checked. */
  async saw(key: string, outcome: ReadOutcome, record: LockRecord | undefined): Promise<void> {
    if (outcome.kind !== "ok" || record?.proofs === undefined || record.undated || this.isPassed) return;
    const { proofs, touchedAtMs } = record;
    const proof = await this.#proofIn(key, outcome, { proofs, touchedAtMs });
    if (proof !== undefined && this.refusal === undefined) this.#believe("record", proof);
  }

  /** Hears of a write that was done: what its answer says of versions may make void what is known. */
  wrote(...[outcome, replaced]: Parameters<GrantCheck["wrote"]>): void {
    const { state } = this.#options;
    const versioning = versioningOf(outcome);
    state.versioning = versioning;
    if (replaced !== undefined && isSameEtag(outcome.etag, replaced)) {
      const verdict = this.#settle({ kind: "ignored", seen: ONE_ETAG }, versioning);
      if (verdict.kind === "refused") throw verdict.error;
    }
    const { passed } = state;
    if (passed === undefined || passed.versioning === versioning) return;
    state.passed = passed.versioning === undefined ? { ...passed, versioning } : undefined;
  }

  /** Adds to the record the proof of the client that has checked, as far as that is of use to others. */
  stamped(key: string, record: LockRecord): LockRecord {
    // What its writes have done may still be seen to be against the store; what a record says would outlast that.
    const told = this.isPassed && this.#options.state.passed?.look.isFine ? this.#told() : undefined;
    const way = this.#ways.ofKnown(key);
    if (told === undefined || record.undated || way === undefined) return record;
    const proof = proofOf({ way, atMs: told.atMs, versions: told.versioning }, this.#options.etagForm);
    return { ...record, proofs: withProof(record.proofs, proof, told.now) };
  }

  /** Begins to find out, unless that is known or under way. */
  begin(timeoutMs: number): void {
    const { state, effects } = this.#options;
    if (this.isPassed || state.running !== undefined) return;
    if (state.refused !== undefined && effects.monotonicMs() - state.refused.atMs < REFUSED_FOR_MS) return;
    state.lastFailure = undefined;
    const running = this.#run(timeoutMs).catch((error: unknown) => notEnded(error));
    state.running = running;
    void running.then(() => {
      if (state.running === running) state.running = undefined;
    });
  }

  /**
   * Resolves when a grant may be handed out.
   * @throws `store-unsafe` where the store ignores conditions; `access-denied` where it cannot be asked; `store-unavailable`
   */
  async passed(...[budget, { timeoutMs, signal }]: Parameters<GrantCheck["passed"]>): Promise<void> {
    const { state } = this.#options;
    while (!this.isPassed && !signal.aborted) {
      this.begin(timeoutMs);
      const verdict = state.running === undefined ? undefined : await unlessAborted(state.running, signal);
      if (signal.aborted || this.isPassed) return;
      const error = verdict?.kind === "refused" ? verdict.error : this.refusal;
      if (error !== undefined) throw error;
      const nowMs = this.#options.effects.monotonicMs();
      await budget.afterFailure(verdict?.kind === "unknown" ? verdict : voidAtOnce(nowMs));
    }
  }

  async looked({ untilMs, signal }: Parameters<GrantCheck["looked"]>[0]): Promise<void> {
    const { effects, state } = this.#options;
    if (state.looking === undefined) return;
    const patienceMs = Math.min(UNREACHABLE_MS, untilMs - effects.monotonicMs());
    const isKnown = await settledWithin(effects, unlessAborted(state.looking, signal), patienceMs);
    if (signal.aborted) return;
    if (this.refusal !== undefined) throw this.refusal;
    if (!isKnown) throw notEnded(new Error("what it has written could not be read")).error;
  }

  async #run(timeoutMs: number): Promise<CheckVerdict> {
    const { store, clock, keyPrefix } = this.#options;
    const options = { timeoutMs };
    const atMs = this.#boundedNow()?.earliestMs;
    const found = await store.read(this.#marker.key, options);
    clock.observe(timingByStore(found));
    if (found.kind === "unknown") return found;
    const isDenied = found.kind === "refused" && found.error.code === "access-denied";
    if (found.kind === "refused" && !isDenied) return this.#settle(found);
    // One that has seen for itself that the store is unsafe does not go by what another one, that saw nothing, has left there.
    const proof =
      found.kind === "ok" && this.refusal === undefined
        ? await this.#proofIn(this.#marker.key, found, this.#marker.parse(found))
        : undefined;
    if (proof !== undefined) return this.#believe("marker", proof);
    const probe = new ConditionProbe({ ...this.#options, ...this.#marker.tools(keyPrefix) });
    const isDoubted = this.refusal !== undefined || this.#marker.isDoubted(found);
    const verdict = await probe.ask(found, isDoubted, options);
    if (verdict.kind === "ignored" && verdict.seen === BOTH_CREATED) await this.#marker.doubt(options);
    if (verdict.kind !== "honoured") return this.#settle(verdict, probe.versioning);
    await this.#ways.of(this.#marker.key);
    const look = { isFine: false };
    const passed = this.#pass("requests", probe.versioning ?? this.#options.state.versioning, { atMs, ageMs: 0, look });
    this.#look((looked) => this.#finish(probe, look, { created: verdict.created, looked }, options));
    return passed;
  }

  #look(finish: (looked: () => void) => Promise<void>): void {
    const { state, background } = this.#options;
    let looked = () => {};
    const looking = new Promise<void>((resolve) => {
      looked = resolve;
    });
    state.looking = looking;
    const end = () => {
      looked();
      if (state.looking === looking) state.looking = undefined;
    };
    background.run(finish(looked).finally(end));
  }

  /** Writes the marker, which tells others; and shows what was not seen before: that reads show writes, and that the right ETag is one. */
  async #finish(
    probe: ConditionProbe,
    look: FurtherLook,
    seen: Pick<Marking, "created" | "looked">,
    options: { timeoutMs: number },
  ): Promise<void> {
    const { state, logger } = this.#options;
    try {
      const versioning = state.passed?.versioning ?? state.versioning;
      const told = () => (state.passed?.look === look ? this.#told() : undefined);
      const outlook = await this.#marker.write({ probe, ...seen, told }, options);
      if (outlook.kind === "ignored") this.#settle(outlook, versioning);
      look.isFine = outlook.kind === "fine";
    } catch (error) {
      // A client that closes has no time for it; the next one checks again.
      logger.debug("the marker of a checked store was not written", { err: error });
    }
  }

  #proofIn(
    key: string,
    found: ReadOutcome & { readonly kind: "ok" },
    said: { readonly proofs: unknown; readonly touchedAtMs: number } | undefined,
  ): Promise<Proof | undefined> | undefined {
    // What a cache kept says nothing about today's way to the store.
    if (said === undefined || found.timing.aged) return undefined;
    const { lastModifiedMs } = found;
    const sight = {
      now: this.#boundedNow(),
      lastModifiedMs,
      touchedAtMs: said.touchedAtMs,
      versions: versioningOf(found),
    };
    return this.#ways.of(key).then((way) => this.#ofToday(proofFor(said.proofs, { ...sight, way })));
  }

  /** Drops a proof if the last write knows better: an object of before versioning was turned on shows none while it stays (Ceph). */
  #ofToday(proof: Proof | undefined): Proof | undefined {
    const { versioning } = this.#options.state;
    return versioning === undefined || proof?.versions === versioning ? proof : undefined;
  }

  /** Believes a proof, and with it what was seen of the form of ETags in the same check, and no more than that. */
  #believe(by: "record" | "marker", { versions, atMs, etagForm }: Proof): CheckVerdict {
    if (etagForm === "unquoted") this.#options.etagForm?.believe(etagForm);
    const now = this.#boundedNow();
    const ageMs = now === undefined ? 0 : now.latestMs - atMs;
    return this.#pass(by, versions, { atMs, ageMs, look: { isFine: true } });
  }

  #pass(
    by: "record" | "marker" | "requests",
    versioning: Versioning | undefined,
    { atMs, ageMs, look }: { readonly atMs: number | undefined; readonly ageMs: number; readonly look: FurtherLook },
  ): CheckVerdict {
    const { state, effects, emit, logger } = this.#options;
    state.passed = { atMs, versioning, from: readClocks(effects), lifeMs: PROOF_LIFE_MS - ageMs, look };
    state.refused = undefined;
    const how = by === "requests" ? "it was asked" : `the ${by} says so`;
    logger.debug(`the store honours conditional writes: ${how}`);
    emit("checked", { verdict: "passed", by, ...(atMs === undefined ? {} : { checkedAt: atMs }) });
    return { kind: "passed" };
  }

  #settle(verdict: Exclude<ProbeVerdict, { kind: "honoured" }>, versioning?: Versioning): CheckVerdict {
    if (verdict.kind === "unknown") return verdict;
    const { state, effects, emit, logger } = this.#options;
    const error = this.#errorOf(verdict, versioning);
    const isRefusal = error.code === "store-unsafe";
    if (isRefusal) {
      state.passed = undefined;
      state.refused = { error, atMs: effects.monotonicMs() };
      logger.warn("nothing is locked here", { err: error });
    } else logger.warn("the store could not be checked", { err: error });
    emit("checked", { verdict: isRefusal ? "refused" : "not-checked", by: "requests", error });
    return { kind: "refused", error };
  }

  #errorOf(
    verdict: RefusedOutcome | { readonly kind: "ignored"; readonly seen: string },
    versioning: Versioning | undefined,
  ) {
    const { bucketName } = this.#options;
    if (verdict.kind === "ignored") return ignoredError(bucketName, verdict.seen, versioning);
    return verdict.error.code === "access-denied" ? deniedError(bucketName, this.#marker.key, verdict) : verdict.error;
  }

  /** Gives what there is to tell others; undefined where the time of the check is not known, as under bounds that one wrong answer has widened. */
  #told(): Told | undefined {
    const { atMs, versioning } = this.#options.state.passed ?? {};
    const now = this.#boundedNow();
    if (atMs === undefined || versioning === undefined || now === undefined) return undefined;
    return isToldAt(atMs, now) ? { atMs, versioning, now } : undefined;
  }

  /** Tells store time as answers bound it: the bare wall clock, where no answer has a date, does not bound it. */
  #boundedNow(): StoreTime | undefined {
    const { clock } = this.#options;
    return clock.isDateless ? undefined : clock.now();
  }
}

/** After this a refusal is asked about again, with the next call that needs it: the store, or what is before it, may be another one. */
const REFUSED_FOR_MS = 60_000;
