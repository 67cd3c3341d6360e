import { S3MutexError } from "../../errors.js";
import type { Effects } from "../../runtime/base/effects.js";
import { settledWithin, sleep } from "../../runtime/base/timing.js";
import { type RefusedOutcome, THROTTLE_PAUSE_MS, type UnknownOutcome } from "../../store/object-store.js";
import { asTaken, inForm } from "../../store/s3/answers/etag-shape.js";
import type { EtagForm } from "../../store/s3/client/client-state.js";
import type { PutCondition } from "../../store/s3/learnt/key-requests.js";
import type { Observations } from "./observations.js";
import type { OlderObject } from "./older-object.js";
import { isDone, isRefusal, nameOfPut, type ProbeAnswer, type ProbeOutcome, unlessBusy } from "./probe-answer.js";
import type { ProbeRequests } from "./probe-requests.js";
import type { Thoroughness } from "./thoroughness.js";

/** A request that did not say what was asked, so that the check has to be made again, or cannot be made. */
export class NoAnswer extends Error {
  readonly outcome: UnknownOutcome | RefusedOutcome;
  /** Whether another write was said to be under way each time, for longer than any is. */
  readonly isAlwaysBusy: boolean;

  constructor(outcome: UnknownOutcome | RefusedOutcome, isAlwaysBusy = false) {
    super(outcome.error.message, { cause: outcome.error });
    this.outcome = outcome;
    this.isAlwaysBusy = isAlwaysBusy;
  }
}

/** Gives the answer; whatever else a request came to is for the caller of the checks. */
export function answered(outcome: ProbeOutcome, isAlwaysBusy = false): ProbeAnswer {
  if (outcome.kind === "answer") return outcome;
  throw new NoAnswer(outcome, isAlwaysBusy);
}

const MIN_SHARE_MS = 100;
/** Until then an answer that is out of date may be followed by one that is not: to tell late from never. */
export const SETTLE_MS = 2500;
const SETTLE_STEP_MS = 50;
/** Reads may be repeated as they are; what a repeated write would mean is for each check to say. */
const READ_TRIES = 4;

/** What all checks of one store share: keys that no other client uses, requests over several connections, what was learnt. */
export class Examination {
  readonly effects: Effects;
  readonly observations: Observations;
  readonly thoroughness: Thoroughness;
  readonly folder: string;
  readonly keys = new Set<string>();
  #lanes: readonly ProbeRequests[];
  /** Finds out whether each endpoint still answers; throws where one does not. */
  #mustAnswer: (() => Promise<void>) | undefined;
  #asking: Promise<void> | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #startedAtMs: number;
  #givenUp: { readonly why: unknown } | undefined;
  #turn = 0;
  #bodies = 0;
  #stems = 0;
  /** Found out by the first check: how an ETag is sent in a condition. Undefined: no form is accepted. */
  form: EtagForm | undefined = "as-returned";
  /** With it: in which shape ETags are taken as they are shown. */
  takenShape = "";
  older: OlderObject | undefined;
  mayDelete = true;
  /** Without the right to list: reads of what is not there are refused, and the verdict is given by that. */
  hidesAbsence = false;
  /** `Enabled` or `Suspended`, as the bucket says or its answers show. */
  versions: string | undefined;
  /** Whether creations are refused over a delete marker; asked for once. */
  refusesOverMarkers: Promise<boolean> | undefined;
  honoursDeletes = false;
  /** The same without a race, which may not be enough to use it. */
  holdsDeletes = false;

  constructor(
    effects: Effects,
    observations: Observations,
    thoroughness: Thoroughness,
    lanes: readonly ProbeRequests[],
    place: { readonly keyPrefix: string; readonly signal?: AbortSignal | undefined },
  ) {
    this.effects = effects;
    this.observations = observations;
    this.thoroughness = thoroughness;
    this.#lanes = lanes;
    this.#startedAtMs = effects.monotonicMs();
    this.#signal = place.signal;
    this.folder = `${place.keyPrefix}.s3-mutex/doctor-${effects.newId()}/`;
  }

  /** Requests over the next client in turn: what one gateway caches, another one shows. */
  get lane(): ProbeRequests {
    this.throwIfAborted();
    if (this.#givenUp !== undefined) throw this.#givenUp.why;
    this.#turn += 1;
    return this.#lanes[this.#turn % this.#lanes.length] as ProbeRequests;
  }

  /** Sends requests over these from now on; one without an answer is a reason to ask whether they still answer. */
  raceAcross(lanes: readonly ProbeRequests[], mustAnswer: () => Promise<void>): void {
    this.#lanes = lanes;
    this.#mustAnswer = mustAnswer;
  }

  /** Which program the store is, or what it calls itself, as any of the clients has seen it. */
  get program(): string | undefined {
    const [{ serverName } = {}] = this.#lanes.filter(({ isProgramKnown }) => isProgramKnown);
    return serverName ?? this.#lanes[0]?.serverName;
  }

  /** Says when something that is entitled to a share of the time that is left should be over. */
  endOfShareMs(share: number): number {
    const nowMs = this.effects.monotonicMs();
    const leftMs = this.thoroughness.totalMs - (nowMs - this.#startedAtMs);
    return nowMs + Math.max(MIN_SHARE_MS, leftMs * share);
  }

  /** Ends the checks that are under way, which ask nothing more: there will be no verdict. */
  giveUp(why: unknown): void {
    this.#givenUp ??= { why };
  }

  throwIfAborted(): void {
    if (this.#signal?.aborted !== true) return;
    throw new S3MutexError("aborted", "The examination of the store was stopped", { cause: this.#signal.reason });
  }

  /** Makes a key that no lock has: in those of locks the first dot would be escaped. */
  newKey(stem = "probe"): string {
    const key = this.newStem(stem);
    this.keys.add(key);
    return key;
  }

  /** Makes the beginning of keys that no other client has, and not a key itself. */
  newStem(stem: string): string {
    this.#stems += 1;
    return `${this.folder}${stem}-${this.#stems.toString(36)}`;
  }

  /** Makes a body: never the same twice, and always of the same length, so that no ETag can be told by the length. */
  newBody(): string {
    this.#bodies += 1;
    return `{"probe":"${this.effects.newId()}","number":${1_000_000 + this.#bodies}}`;
  }

  ifMatch(etag: string | undefined): { readonly IfMatch: string } {
    return { IfMatch: inForm(this.form ?? "as-returned", asTaken(etag ?? "", this.takenShape)) };
  }

  /** Creates a new object, and gives its ETag. */
  async create(key: string, body: string): Promise<string | undefined> {
    return await this.write(key, body, { IfNoneMatch: "*" });
  }

  async replace(key: string, body: string, etag: string | undefined): Promise<string | undefined> {
    return await this.write(key, body, this.ifMatch(etag));
  }

  /**
   * Makes a write that nothing stands in the way of, and gives its ETag. Where it is refused and the object holds the very body that was
   * sent, which no other client has, the request was done and then answered a second time: some runtimes and proxies repeat a request by
   * themselves. Locks read it back in the same way. One whose answer was lost is sent again, and may then be refused for itself.
   */
  async write(key: string, body: string, condition: PutCondition): Promise<string | undefined> {
    const { answer, isSecond } = await this.#answerTo(() => this.put(key, body, condition));
    const kind = condition.IfMatch === undefined ? "If-None-Match: * on a new key" : "If-Match with the current ETag";
    const { repeats } = this.observations;
    if (isDone(answer)) {
      repeats.answeredOnce(kind);
      return answer.etag;
    }
    const found = isRefusal(answer) ? await this.read(key) : undefined;
    if (found?.body !== body) throw new UnexpectedRefusal(`PUT with ${kind} was answered ${answer.status}`);
    if (isSecond) return found.etag;
    repeats.answeredTwice(kind);
    if (!repeats.isEachTime(kind)) return found.etag;
    throw new UnexpectedRefusal(`PUT with ${kind} was answered ${answer.status} each time, and done all the same`);
  }

  /** Sends one write, and again where the store turned it away, for coming too soon or beside another one. */
  put(key: string, body: string, condition: PutCondition): Promise<ProbeAnswer> {
    return this.#patient(nameOfPut(condition), () => this.lane.put(key, body, condition));
  }

  /** Sends a write that is to be refused however often it comes, and so again where its answer was lost. */
  async putInVain(key: string, body: string, condition: PutCondition): Promise<ProbeAnswer> {
    return (await this.#answerTo(() => this.put(key, body, condition))).answer;
  }

  /** Tells what the store says in the end to a write on whose way some answers are lost; whether it is another one's than the first's. */
  async #answerTo(write: () => Promise<ProbeAnswer>): Promise<{ answer: ProbeAnswer; isSecond: boolean }> {
    for (let tries = 1; ; tries += 1) {
      try {
        return { answer: await write(), isSecond: tries > 1 };
      } catch (error) {
        const isLost = error instanceof NoAnswer && error.outcome.kind === "unknown";
        if (!isLost || error.isAlwaysBusy || tries === READ_TRIES) throw error;
        await this.stepBack(error.outcome, tries);
      }
    }
  }

  /** Sends one delete of the version with this ETag, and again where the store turned it away. */
  deleteVersion(key: string, etag: string | undefined): Promise<ProbeAnswer> {
    return this.#patient("DELETE with If-Match", () => this.lane.delete(key, this.ifMatch(etag).IfMatch));
  }

  read(key: string, ifNoneMatch?: string): Promise<ProbeAnswer> {
    return this.#persist(() => this.lane.get(key, ifNoneMatch));
  }

  head(key: string): Promise<ProbeAnswer> {
    return this.#persist(() => this.lane.head(key));
  }

  list(...args: Parameters<ProbeRequests["list"]>): Promise<ProbeAnswer> {
    return this.#persist(() => this.lane.list(...args));
  }

  /** Deletes a key of our own; true when the store says that it was done. */
  async delete(key: string): Promise<boolean> {
    const answer = await this.#persist(() => this.lane.delete(key));
    return isDone(answer) || answer.status === 404;
  }

  /** Looks until it is as expected; for how long it was not, infinite if it never was within a while. */
  async settles(isAsExpected: () => Promise<boolean>): Promise<number> {
    const startedAtMs = this.effects.monotonicMs();
    if (await isAsExpected()) return 0;
    for (;;) {
      await this.pause(SETTLE_STEP_MS);
      const elapsedMs = this.effects.monotonicMs() - startedAtMs;
      if (await isAsExpected()) return Math.ceil(elapsedMs);
      if (elapsedMs > SETTLE_MS) return Number.POSITIVE_INFINITY;
    }
  }

  /** Says whether something is settled within so many milliseconds. */
  settledWithin(promise: Promise<unknown>, delayMs: number): Promise<boolean> {
    return settledWithin(this.effects, promise, delayMs);
  }

  pause(delayMs: number): Promise<void> {
    return sleep(this.effects, delayMs, { keepAlive: true, signal: this.#signal });
  }

  /** A store that limits the writes of a key gets fewer questions, and a pause before the next write of the same key. */
  get isThrottled(): boolean {
    const { throttled, requests } = this.observations;
    return throttled > 2 && throttled * 10 > requests;
  }

  async pauseIfThrottled(): Promise<void> {
    if (this.isThrottled) await this.pause(THROTTLE_PAUSE_MS);
  }

  /** Waits before another try after an answer that did not help. */
  async stepBack(outcome: UnknownOutcome, tries: number): Promise<void> {
    if (tries > 1) await this.allMustAnswer();
    await this.pause(outcome.throttled ? THROTTLE_PAUSE_MS : 50 * tries);
  }

  /** Asks whether all endpoints still answer; callers that come at the same time share the question. @throws where one does not any more */
  async allMustAnswer(): Promise<void> {
    this.#asking ??= this.#mustAnswer?.().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  /**
   * Asks until there is an answer: a refusal answers whether a key is taken, and so does an error that comes again and again, or one that
   * has taken longer than this.
   */
  async insist(request: () => Promise<ProbeOutcome>, longEnoughMs = Number.POSITIVE_INFINITY): Promise<ProbeOutcome> {
    const startedAtMs = this.effects.monotonicMs();
    for (let tries = 1; ; tries += 1) {
      const outcome = await request();
      const isLast = tries === READ_TRIES || this.effects.monotonicMs() - startedAtMs > longEnoughMs;
      if (outcome.kind !== "unknown" || isLast) return outcome;
      await this.stepBack(outcome, tries);
    }
  }

  async #patient(what: string, request: () => Promise<ProbeOutcome>): Promise<ProbeAnswer> {
    let isAlwaysBusy = true;
    for (let tries = 1; ; tries += 1) {
      const answer = await request();
      const outcome = unlessBusy(answer, what);
      isAlwaysBusy &&= outcome !== answer;
      const isTooSoon = outcome.kind === "unknown" && outcome.throttled;
      if (!isTooSoon || tries === READ_TRIES) return answered(outcome, isAlwaysBusy);
      await this.pause(THROTTLE_PAUSE_MS);
    }
  }

  async #persist(request: () => Promise<ProbeOutcome>): Promise<ProbeAnswer> {
    return answered(await this.insist(request));
  }
}

/** The store refused a write that it should have made. */
export class UnexpectedRefusal extends Error {}

/** Says `late` and `never` in words. */
export function lag(elapsedMs: number): string {
  return elapsedMs === Number.POSITIVE_INFINITY ? `not within ${SETTLE_MS / 1000} s` : `only after ${elapsedMs} ms`;
}
