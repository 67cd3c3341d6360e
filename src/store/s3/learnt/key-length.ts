import type { RequestOptions, UnknownOutcome, WriteOutcome } from "../../object-store.js";
import { isLong, refusedForLength } from "../answers/key-words.js";
import type { KeyLengthState } from "../client/client-state.js";
import type { ProbeDeps } from "./probe-object.js";

/** A store that fails at random gives itself away in one of so many rounds. */
const ROUNDS = 3;
/** In an outage, when all keys fail, probes are to be few beside the requests of callers. */
const ASK_AGAIN_MS = 10_000;

/**
 * Whether it is the length of a key that a store fails on. On a file system, 255 bytes (143 on some) is the longest name, and several stores
 * answer 500 or hang up where that is exceeded, as if they were out of order. So keys of our own are tried, one of the same shape and a short
 * one, in turn: when each long one fails and each short one is written, the next try of the lock's key will fail as well.
 */
export class KeyLengths {
  readonly #state: KeyLengthState;
  readonly #deps: ProbeDeps;

  constructor(state: KeyLengthState, deps: ProbeDeps) {
    this.#state = state;
    this.#deps = deps;
  }

  /** Notes a success, and has a failure explained. */
  async judge<Outcome extends { readonly kind: string }>(
    key: string,
    outcome: Outcome | UnknownOutcome,
    options: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | ReturnType<typeof refusedForLength>> {
    if (!isLong(key)) return outcome;
    const { taken } = this.#state;
    if (outcome.kind === "ok") taken.add(shapeOf(key));
    const failed = outcome as UnknownOutcome;
    const mayBeLength = outcome.kind === "unknown" && failed.sent && !failed.throttled && failed.isForeign !== true;
    if (!mayBeLength || taken.has(shapeOf(key)) || !(await this.#isTooLong(key, options))) return outcome;
    return refusedForLength(key, failed);
  }

  #isTooLong(key: string, options: RequestOptions): Promise<boolean> {
    const state = this.#state;
    const shape = shapeOf(key);
    const running = state.probes.get(shape);
    if (running !== undefined) return running;
    const nowMs = this.#deps.effects.monotonicMs();
    if (nowMs < state.askAgainAtMs) return Promise.resolve(false);
    state.askAgainAtMs = nowMs + ASK_AGAIN_MS;
    const probe = this.#compare(key, options).finally(() => state.probes.delete(shape));
    state.probes.set(shape, probe);
    return probe;
  }

  /**
   * Compares keys of this shape with short ones. Where it was the length, the next failure is asked about anew: what holds for one shape
   * says nothing about another.
   */
  async #compare(key: string, options: RequestOptions): Promise<boolean> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const long = await this.#create(alike(key, this.#deps), options);
      if (long.kind !== "unknown" || !long.sent || long.throttled) return false;
      const short = await this.#create(`${this.#deps.keyPrefix}.s3-mutex/probe-${this.#deps.effects.newId()}`, options);
      if (short.kind !== "ok") return false;
    }
    this.#state.askAgainAtMs = 0;
    return true;
  }

  /** Creates an object, and removes it; what is left of it does no harm: no lock has such a key. */
  async #create(key: string, options: RequestOptions): Promise<WriteOutcome> {
    const { requests } = this.#deps;
    const outcome = await requests.put(key, "{}", { IfNoneMatch: "*" }, options);
    if (outcome.kind === "ok") await requests.delete(key, undefined, options);
    return outcome;
  }
}

function longestPart(key: string): string {
  return key.split("/").reduce((longest, part) => (part.length > longest.length ? part : longest), "");
}

/** Lists the lengths of its parts: what file systems go by. */
function shapeOf(key: string): string {
  return key
    .split("/")
    .map((part) => part.length)
    .join("/");
}

/** Makes a key of our own with parts of the same lengths; where its longest part has `.s3-mutex-`, no lock's has. */
function alike(key: string, { keyPrefix, effects }: ProbeDeps): string {
  const parts = key.slice(keyPrefix.length).split("/");
  const longest = longestPart(key.slice(keyPrefix.length));
  const at = parts.indexOf(longest);
  const mark = `.s3-mutex-${effects.newId()}-`;
  const named = parts.map((part, index) => {
    if (index === at) return mark.slice(0, part.length) + "x".repeat(Math.max(0, part.length - mark.length));
    return "x".repeat(part.length);
  });
  return keyPrefix + named.join("/");
}
