import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { StoreRequest } from "../../index.js";

interface Answered {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

/** These say how things are; what else is not a success is a refusal. */
const TELLING: ReadonlySet<number> = new Set([304, 404, 409, 412]);

/** What the store, or who is before it, has said last in place of an answer: no other code of this process asks it. */
export class LastFailure {
  #message: string | undefined;
  readonly #note = (message: unknown) => {
    const { outcome, error } = message as StoreRequest;
    if (error !== undefined) this.#message = error.message;
    else if (outcome === "ok") this.#message = undefined;
  };

  /** Of a request that is not over, since other credentials are waited for that it could be sent with again. */
  #refusal: string | undefined;
  readonly #noteAnswer = (message: unknown) => {
    const { request, response } = message as Answered;
    const { statusCode = 0, statusMessage = "" } = response;
    const isRefused = statusCode >= 400 && !TELLING.has(statusCode);
    this.#refusal = isRefused ? `${statusCode} ${statusMessage} to a ${request.method}.` : undefined;
  };

  constructor() {
    subscribe("s3-mutex:request", this.#note);
    subscribe("http.client.response.finish", this.#noteAnswer);
  }

  /** As a further sentence, or nothing. */
  get sentence(): string {
    const said = this.#message ?? this.#refusal;
    return said === undefined ? "" : ` The last answer: ${said}`;
  }

  stop(): void {
    unsubscribe("s3-mutex:request", this.#note);
    unsubscribe("http.client.response.finish", this.#noteAnswer);
  }
}
