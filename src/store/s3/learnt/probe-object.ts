import {
  isBusy,
  NEVER_THERE,
  type ReadOutcome,
  type RequestOptions,
  type StoreEffects,
  THROTTLE_PAUSE_MS,
  type UnknownOutcome,
  type WriteOutcome,
} from "../../object-store.js";
import { unavailable } from "../answers/outcomes.js";
import type { Bare404, NoEtag } from "../answers/unproven.js";
import type { DeleteOutcome, KeyRequests, PutCondition } from "./key-requests.js";

export interface ProbeDeps {
  readonly requests: KeyRequests;
  readonly effects: StoreEffects;
  readonly keyPrefix: string;
}

/**
 * A fresh object that no other client knows of, on which a store shows how it treats conditions. No lock has its key: in
 * those of locks the dot is escaped.
 */
export class ProbeObject {
  readonly #deps: ProbeDeps;
  readonly #options: RequestOptions;
  readonly #key: string;
  #body = "";

  constructor(deps: ProbeDeps, options: RequestOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#key = `${deps.keyPrefix}.s3-mutex/probe-${deps.effects.newId()}`;
  }

  /** What was written last, or not. */
  get body(): string {
    return this.#body;
  }

  /** Creates the object. `padBytes`: longer, where it matters how long. */
  create(padBytes = 0): Promise<WriteOutcome> {
    return this.#write({ IfNoneMatch: "*" }, padBytes);
  }

  replace(ifMatch: string): Promise<WriteOutcome> {
    return this.#write({ IfMatch: ifMatch });
  }

  read(): Promise<ReadOutcome | Bare404 | NoEtag> {
    return this.#deps.requests.get(this.#key, undefined, this.#options);
  }

  delete(ifMatch: string): Promise<DeleteOutcome> {
    return this.#patient(() => this.#deps.requests.delete(this.#key, ifMatch, this.#options));
  }

  /** Asks for a deletion of what never was, which shows whether any is allowed. Of another key: some stores would leave a marker there. */
  deleteNothing(): Promise<DeleteOutcome> {
    return this.#patient(() => this.#deps.requests.delete(`${this.#key}-never`, NEVER_THERE, this.#options));
  }

  /** Deletes without a condition, which is right for a key of our own only; what it leaves behind does no harm. */
  async cleanUp(): Promise<void> {
    await this.#patient(() => this.#deps.requests.delete(this.#key, undefined, this.#options));
  }

  /**
   * Writes, and takes a conflict for one only where the object is another than what was sent: some runtimes and proxies send a request
   * twice by themselves, and then it is the second one that is answered. An answer that does not say who gave it is looked into as well.
   */
  async #write(condition: PutCondition, padBytes = 0): Promise<WriteOutcome> {
    this.#body = `{"probe":"${this.#deps.effects.newId()}${" ".repeat(padBytes)}"}`;
    const body = this.#body;
    const written = await this.#patient(() => this.#deps.requests.put(this.#key, body, condition, this.#options));
    const isAnswered = written.kind === "unknown" && written.timing !== undefined;
    if (written.kind !== "conflict" && !isAnswered) return written;
    const found = await this.read();
    return found.kind === "ok" && found.body === body ? found : written;
  }

  /** Asks once more where the store turned the request away, and did not look at its condition. */
  async #patient<Outcome extends { readonly kind: string }>(
    request: () => Promise<Outcome>,
  ): Promise<Outcome | UnknownOutcome> {
    const first = await request();
    const isThrottled = "throttled" in first && first.throttled;
    if (!isThrottled && !isBusy(first)) return first;
    await new Promise<void>((resolve) => {
      this.#deps.effects.setTimer(THROTTLE_PAUSE_MS, resolve, { keepAlive: true });
    });
    const second = await request();
    return isBusy(second) ? inconclusive("a write (409)", second) : second;
  }
}

/** Describes an answer that says nothing about the question that was asked: a later probe may get a better one. */
export function inconclusive(step: string, outcome: { readonly kind: string }): UnknownOutcome {
  if (outcome.kind === "unknown") return outcome as UnknownOutcome;
  const error = unavailable(`A probe of the store's conditions did not come to an end: ${step} was "${outcome.kind}"`);
  return { kind: "unknown", error, throttled: false, sent: true };
}
