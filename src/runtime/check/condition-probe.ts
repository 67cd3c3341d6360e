import { S3MutexError } from "../../errors.js";
import {
  isBusy,
  isComparedAndRefused,
  NEVER_THERE,
  type ObjectStore,
  type ReadOutcome,
  type RefusedOutcome,
  type RequestOptions,
  THROTTLE_PAUSE_MS,
  type UnknownOutcome,
  type Versioning,
  versioningOf,
  type WriteCondition,
  type WriteOutcome,
} from "../../store/object-store.js";
import type { Effects } from "../base/effects.js";
import { sleep } from "../base/timing.js";

/** What the store's answers come to. */
export type ProbeVerdict =
  /** `created`: the body that the store says is the object's now; undefined where it was there before. */
  | { readonly kind: "honoured"; readonly created: string | undefined }
  | { readonly kind: "ignored"; readonly seen: string }
  | UnknownOutcome
  | RefusedOutcome;

export interface ProbeTools {
  readonly store: ObjectStore;
  readonly effects: Effects;
  /** An object that only the check uses. */
  readonly key: string;
  /** Another one, for where that key is of no use; the same one for all of a day, since the client may not be allowed to remove it. */
  readonly spareKey: string;
  /** Makes a key that is raced for, never the same twice: what is there already says nothing about races. */
  readonly newRaceKey: () => string;
  /** A body for it, never the same twice. */
  readonly newBody: () => string;
}

/**
 * Asks a store whether it honours conditions, in one round trip where it is quick to say: of two creations sent at once only one may
 * succeed, and none over what exists; and a replacement of a version that there never was may not succeed. What holds only where
 * such questions come one by one is asked in turn afterwards. Whether the right ETag is recognised shows with the first write that needs it.
 */
export class ConditionProbe {
  readonly #tools: ProbeTools;
  /** Bodies that were sent and that the store says it has not taken, each with its condition. */
  readonly refused = new Map<string, WriteCondition>();
  /** The body that was there before them, or is since; undefined where that is not known. */
  standing: string | undefined;
  versioning: Versioning | undefined;
  /** The key that conditions are tried on. */
  key: string;
  /** Whether several have raced for one key here, of which one alone has won. */
  hasRaced = false;
  /** Whether an object is known to be there: where there is none yet, a replacement is not compared with anything. */
  #exists = false;
  /** Whether a caller waits for the verdict. */
  #isAwaited = true;

  constructor(tools: ProbeTools) {
    this.#tools = tools;
    this.key = tools.key;
  }

  /** @param isDoubted races were lost in this store, as is known of it: it has to show that they are not now */
  async ask(found: ReadOutcome, isDoubted: boolean, options: RequestOptions): Promise<ProbeVerdict> {
    this.standing = bodyOf(found);
    this.#exists = isThere(found);
    const overExisting = this.#overExisting(options);
    const verdicts = await Promise.all([overExisting, this.#overStale(overExisting, options)]);
    const worst = (["ignored", "refused", "unknown"] as const).map((kind) => verdicts.find((one) => one.kind === kind));
    const fault = worst.find((verdict) => verdict !== undefined);
    if (fault !== undefined) return fault;
    // What cannot be read can be replaced, or no check could ever tell others of itself.
    if (isUnreadable(found)) await this.#write(this.#tools.key, this.#tools.newBody(), found.etag, options);
    const lost = isDoubted && !this.hasRaced ? await this.#raceAgain(options) : undefined;
    return lost ?? verdicts[0];
  }

  /**
   * Asks both once more of what is there now, one after the other: what is refused only beside another write of the key was, and an answer
   * that came after the creation may be of before it.
   */
  async askInTurn(options: RequestOptions): Promise<ProbeVerdict> {
    this.#isAwaited = false;
    const overExisting = await this.#overExisting(options);
    return overExisting.kind === "honoured" ? await this.#overStale(overExisting, options) : overExisting;
  }

  async #overExisting(options: RequestOptions): Promise<ProbeVerdict> {
    let created: string | undefined;
    for (let round = 1; ; round += 1) {
      const wasThere = this.#exists;
      const { done, made, outcomes } = await (wasThere ? this.#createOver(options) : this.#create(2, options));
      if (wasThere && done.length > 0) return ignored(OVER_EXISTING);
      const lost = done.length > 1 ? await this.#raceAgain(options) : undefined;
      if (lost !== undefined) return lost;
      created = made ?? created;
      const fault = await this.#faultIn(outcomes, options);
      const isRefused = isRefusedIn(outcomes);
      this.#exists ||= isRefused && fault === undefined;
      if (this.#exists && isRefused) return { kind: "honoured", created };
      if (round === ROUNDS || fault?.kind === "refused") return fault ?? saysNothing(this.key, outcomes);
      await this.#pauseAfter(fault ?? outcomes.find(isBusy));
    }
  }

  /** Creates where nothing is there yet: one of two makes what the other one may not be written over. */
  async #create(times: number, options: RequestOptions) {
    const { outcomes, done } = await this.#race(this.key, times, options);
    // Of two that were done, it may be either.
    if (done.length > 0) this.standing = done.length === 1 ? done[0] : undefined;
    return { outcomes, done, made: done[0] };
  }

  async #race(key: string, times: number, options: RequestOptions) {
    const bodies = Array.from({ length: times }, this.#tools.newBody);
    const outcomes = await Promise.all(bodies.map((body) => this.#write(key, body, undefined, options)));
    return { outcomes, done: bodies.filter((_, index) => outcomes[index]?.kind === "ok") };
  }

  /**
   * Lets more race for another key. Two creations at once were both done: the store is at fault, or what the first one had made was deleted
   * before the second one came. What is there does not tell which; of a store that loses races, more racers show it more often.
   */
  async #raceAgain(options: RequestOptions): Promise<ProbeVerdict | undefined> {
    for (let round = 1; ; round += 1) {
      const key = this.#tools.newRaceKey();
      const { outcomes, done } = await this.#race(key, RACERS, options);
      if (done.length > 1) return ignored(BOTH_CREATED);
      this.hasRaced = isRefusedIn(outcomes);
      if (this.hasRaced) return undefined;
      const failed = outcomes.find(isFailure);
      if (round === ROUNDS || failed?.kind === "refused") return failed ?? saysNothing(key, outcomes);
      await this.#pauseAfter(failed ?? outcomes.find(isBusy));
    }
  }

  /** Writes over what exists. Where it was deleted meanwhile, by a rule of the bucket or by hand, what was created just now is tried. */
  async #createOver(options: RequestOptions) {
    let before: string | undefined;
    for (let tries = 1; ; tries += 1) {
      const { outcomes, done, made = before } = await this.#create(1, options);
      if (done.length === 0 || tries === TRIES_OVER_EXISTING) return { outcomes, done, made };
      before = made;
    }
  }

  /** Says what kept a creation from being refused over what exists; undefined where nothing did, or it has to be tried once more. */
  async #faultIn(outcomes: readonly WriteOutcome[], options: RequestOptions): Promise<Failure | undefined> {
    const failed = outcomes.find(isFailure);
    if (failed !== undefined || this.#exists || !isRefusedIn(outcomes)) return failed;
    return await this.#whyAbsent(outcomes, options);
  }

  /**
   * Reads what is there, as each was refused: another client's write was there, or one was repeated on its way. Says why it is not there;
   * undefined where it is, as far as may be told: a client that may not read it goes by the refusal, since a store that ignores the condition
   * would have created it.
   */
  async #whyAbsent(outcomes: readonly WriteOutcome[], options: RequestOptions): Promise<Failure | undefined> {
    const found = await this.#tools.store.read(this.key, options);
    // A delete marker that counts as an object, as on some stores, is neither shown nor written over.
    if (found.kind === "absent") this.key = this.#tools.spareKey;
    this.standing = bodyOf(found);
    if (isThere(found) || (found.kind === "refused" && found.error.code === "access-denied")) return undefined;
    return isFailure(found) ? found : saysNothing(this.key, outcomes);
  }

  /**
   * Replaces what exists on the condition of a version that there never was. Its answer counts if a creation was answered before it;
   * else it is asked once more after that. If it is done, it has to have left after that: some stores create where there is nothing
   * to compare with.
   */
  async #overStale(overExisting: ProbeVerdict | Promise<ProbeVerdict>, options: RequestOptions): Promise<ProbeVerdict> {
    for (let round = 1; ; round += 1) {
      const wasThere = this.#exists;
      const outcome = await this.#write(this.key, this.#tools.newBody(), NEVER_THERE, options);
      const verdict = this.#staleVerdict(outcome, wasThere);
      if (verdict !== undefined) return verdict;
      if (round === ROUNDS) return isFailure(outcome) ? outcome : saysNothing(this.key, [outcome]);
      const existing = this.#exists ? undefined : await overExisting;
      if (existing !== undefined && existing.kind !== "honoured") return existing;
      if (outcome.kind === "absent" && round > 1) await this.#create(1, options);
      await this.#pauseAfter(outcome);
    }
  }

  #staleVerdict(outcome: WriteOutcome, wasThere: boolean): ProbeVerdict | undefined {
    if (outcome.kind === "ok") return wasThere ? ignored(OVER_STALE) : undefined;
    const isCompared = isComparedAndRefused(outcome) && this.#exists;
    if (isCompared) return { kind: "honoured", created: undefined };
    return outcome.kind === "refused" ? outcome : undefined;
  }

  async #write(key: string, body: string, etag: string | undefined, options: RequestOptions): Promise<WriteOutcome> {
    const condition: WriteCondition = etag === undefined ? { kind: "if-absent" } : { kind: "if-match", etag };
    const outcome = await this.#tools.store.write(key, body, condition, options);
    if (outcome.kind === "ok" && key === this.key) {
      this.#exists = true;
      this.standing = undefined;
    }
    if (outcome.kind === "ok") this.versioning = versioningOf(outcome);
    else if (outcome.kind === "conflict") this.refused.set(body, condition);
    return outcome;
  }

  async #pauseAfter(outcome: WriteOutcome | undefined): Promise<void> {
    if (outcome?.kind !== "unknown" && outcome?.kind !== "conflict") return;
    const isThrottled = outcome.kind === "unknown" && outcome.throttled;
    const pauseMs = isThrottled ? THROTTLE_PAUSE_MS : PAUSE_MS;
    await sleep(this.#tools.effects, pauseMs, { keepAlive: this.#isAwaited });
  }
}

function bodyOf(found: ReadOutcome): string | undefined {
  return found.kind === "ok" ? found.body : undefined;
}

type Unreadable = ReadOutcome & { readonly kind: "oversized" | "archived" };

/** Says whether there is an object that the store does not show, or that is too long to be looked at: nothing of ours. */
function isUnreadable(found: ReadOutcome): found is Unreadable {
  return found.kind === "oversized" || found.kind === "archived";
}

function isThere(found: ReadOutcome): boolean {
  return found.kind === "ok" || isUnreadable(found);
}

function isRefusedIn(outcomes: readonly WriteOutcome[]): boolean {
  return outcomes.some(isComparedAndRefused);
}

type Failure = UnknownOutcome | RefusedOutcome;

function isFailure(outcome: WriteOutcome | ReadOutcome): outcome is Failure {
  return outcome.kind === "unknown" || outcome.kind === "refused";
}

function ignored(seen: string): ProbeVerdict {
  return { kind: "ignored", seen };
}

const OVER_EXISTING = "PUT with If-None-Match: * wrote over an object that exists";
/** A store that honours conditions creates an object again only where it was deleted in between, and not so often in a row. */
const TRIES_OVER_EXISTING = 3;
/** So many creations race where two were done. */
const RACERS = 4;
/** What only a race shows. */
export const BOTH_CREATED = "two PUTs with If-None-Match: * of one key both succeeded";
const OVER_STALE = "PUT with If-Match and an ETag that the object never had was done";

/** So often a question is put that was not answered; then it is for the caller to decide how long to go on. */
const ROUNDS = 4;
/** A few round trips: what a moment has cost is over by then, and a caller waits for it. */
const PAUSE_MS = 50;

/** Makes the outcome of a question that no answer was about, though the store has answered each time. */
function saysNothing(key: string, outcomes: readonly WriteOutcome[]): UnknownOutcome {
  const isGone = outcomes.some(({ kind }) => kind === "absent");
  const busy = outcomes.find(isBusy);
  const code = busy?.kind === "conflict" && busy.code !== undefined ? ` (${busy.code})` : "";
  const why = busy
    ? `writes of ${key} are answered 409${code}, as while another write of it is under way. Try again later; if it stays so, use another keyPrefix.`
    : isGone
      ? `writes over ${key} are answered as where there is no object, however often it is created.`
      : `reads say that ${key} is absent, and creations of it are refused. Look at that key with the store's own tools and remove what is there, delete markers included, or use another keyPrefix.`;
  const timing = outcomes.find((outcome) => outcome.timing !== undefined)?.timing;
  const error = new S3MutexError("store-unavailable", `the check of the store did not come to an end: ${why}`);
  return { kind: "unknown", error, throttled: false, sent: true, ...(timing && { timing }) };
}
