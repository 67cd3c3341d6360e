import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { StoreRefusal, StoreRequest } from "../../index.js";

/** What the store, or who is before it, has said last in place of an answer: no other code of this process asks it. */
export class LastFailure {
  #message: string | undefined;
  readonly #note = (message: unknown) => {
    const { outcome, error } = message as StoreRequest;
    if (error !== undefined) this.#message = error.message;
    else if (outcome === "ok") this.#message = undefined;
  };

  /** Of a request that is not over, since other credentials are waited for that it could be sent with again. */
  readonly #noteRefusal = (message: unknown) => {
    this.#message = (message as StoreRefusal).error?.message;
  };

  constructor() {
    subscribe("s3-mutex:request", this.#note);
    subscribe("s3-mutex:refusal", this.#noteRefusal);
  }

  /** As a further sentence, or nothing. */
  get sentence(): string {
    return this.#message === undefined ? "" : ` The last answer: ${this.#message}`;
  }

  stop(): void {
    unsubscribe("s3-mutex:request", this.#note);
    unsubscribe("s3-mutex:refusal", this.#noteRefusal);
  }
}
