import type { S3Client } from "@aws-sdk/client-s3";
import type { RefusedOutcome, RequestOptions, StoreEffects, UnknownOutcome } from "../object-store.js";
import { s3WordsOf } from "./answer.js";
import { type ClientState, socketsOf } from "./client-state.js";
import { wholeStatus } from "./failure.js";
import type { Operation, Said } from "./operation.js";
import { outcomeOfFailure } from "./outcomes.js";
import { type Attempt, attemptOnce, timingOf } from "./single-attempt.js";

/** Credentials, region and signature: mostly at hand, at worst a round trip to a metadata service or to STS. */
const PREPARE_TIMEOUT_MS = 30_000;

/** An SDK clock offset that moved by as much says that the clock was why the store turned the request away. */
const CLOCK_CORRECTION_MS = 240_000;

/** Only a client that is no real one answers without having sent. */
const MOCKED = "The S3 client answered without sending: use a real one, over the server of s3-mutex/testing if need be";

/** Sends operations over a client: one transmission each, at most so many at once. */
export class Sender {
  readonly #client: S3Client;
  readonly #state: ClientState;
  readonly #effects: StoreEffects;

  constructor(client: S3Client, state: ClientState, effects: StoreEffects) {
    this.#client = client;
    this.#state = state;
    this.#effects = effects;
  }

  async send<Value, Outcome>(
    operation: Operation<Value, Outcome>,
    options: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | RefusedOutcome> {
    const { inFlight } = this.#state;
    inFlight.respectSockets(socketsOf(this.#client) ?? Number.POSITIVE_INFINITY);
    const leave = await inFlight.enter(isUrgent(options));
    try {
      return await this.#transmit(operation, options);
    } finally {
      leave();
    }
  }

  async #transmit<Value, Outcome>(
    operation: Operation<Value, Outcome>,
    { timeoutMs, giveUpAtMs }: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | RefusedOutcome> {
    const offsetBefore = this.#clockOffset();
    const { command, work } = operation.start();
    const { streams = false } = operation;
    const limits = {
      effects: this.#effects,
      timeoutMs,
      prepareTimeoutMs: PREPARE_TIMEOUT_MS,
      sendByMs: giveUpAtMs,
      streams,
    };
    const result = await attemptOnce(command, limits, work);
    const { attempt } = result;
    const timing = timingOf(attempt);
    if (result.kind === "answer" && timing !== undefined) {
      this.#state.credentialsWorked = true;
      return operation.onSuccess(result.value, timing, attempt);
    }
    const error = result.kind === "failure" ? result.error : new Error(MOCKED);
    const status = wholeStatus(error, attempt);
    const expected =
      status === undefined || timing === undefined ? undefined : operation.onStatus(status, said(attempt), timing);
    if (expected !== undefined) {
      this.#state.credentialsWorked = true;
      return expected;
    }
    return outcomeOfFailure(error, attempt, {
      request: operation.request,
      credentialsWorked: this.#state.credentialsWorked,
      clockCorrected: Math.abs(this.#clockOffset() - offsetBefore) >= CLOCK_CORRECTION_MS,
    });
  }

  #clockOffset(): number {
    return this.#client.config.systemClockOffset;
  }
}

function said(attempt: Attempt): Said {
  return { code: s3WordsOf(attempt)?.code, attempt };
}

function isUrgent(options: RequestOptions): boolean {
  return (options as { readonly urgent?: boolean }).urgent === true;
}
