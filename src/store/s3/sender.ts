import type { S3Client } from "@aws-sdk/client-s3";
import { S3MutexError } from "../../errors.js";
import type { RefusedOutcome, RequestOptions, StoreEffects, UnknownOutcome } from "../object-store.js";
import { s3WordsOf } from "./answers/answer.js";
import { areUnusable, providerError, wordsOf } from "./answers/bad-credentials.js";
import { failureOf, wholeStatus } from "./answers/failure.js";
import type { Operation, OperationSender, Said } from "./answers/operation.js";
import { outcomeOfFailure } from "./answers/outcomes.js";
import { PREPARE_TIMEOUT_MS, type Transmission, timingOf, transmitOnce } from "./answers/transmission.js";
import { type ClientState, type CredentialsState, socketsOf } from "./client/client-state.js";
import { answerOfProvider, areOutdated, hasOtherCredentials, searchFor } from "./credentials.js";
import { programIn } from "./learnt/conditional-delete.js";

/** An SDK clock offset that moved by as much says that the clock was why the store turned the request away. */
const CLOCK_CORRECTION_MS = 240_000;

/** Only a client that is not a real one answers without having sent. */
const MOCKED = "The S3 client answered without sending: use a real one, over the server of s3-mutex/testing if need be";

/** Sends operations over a client: one transmission each, at most so many at once. */
export class Sender implements OperationSender {
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
      const { credentials } = this.#state;
      let last = await this.#transmit(operation, options);
      // Turned away for its credentials it has done nothing, so it may be sent again with others.
      const { times, mayWait } = searchFor(credentials, this.#effects.monotonicMs());
      for (let looked = 1; looked <= times && "outdated" in last; looked += 1) {
        const { unusable } = last;
        const refusal = refusalIn(last, credentials);
        options.onRefusal?.(refusal);
        if (await this.#hasOthers(last.outdated, { ...options, mayWait, areUnusable: unusable })) {
          options.onRefusal?.();
          last = await this.#transmit(operation, options);
        } else if (looked === times && !unusable)
          return { ...last.outcome, error: withoutOthers(last.outcome.error, credentials) };
      }
      return last.outcome;
    } finally {
      leave();
    }
  }

  #hasOthers(transmission: Transmission, { giveUpAtMs, mayWait, areUnusable }: Searching): Promise<boolean> {
    const client = this.#client;
    const timeoutMs = this.#preparingMs(giveUpAtMs);
    const asking = { client, effects: this.#effects, state: this.#state.credentials, timeoutMs, mayWait, areUnusable };
    return hasOtherCredentials(asking, transmission);
  }

  #preparingMs(giveUpAtMs = Number.POSITIVE_INFINITY): number {
    return Math.max(0, Math.min(PREPARE_TIMEOUT_MS, giveUpAtMs - this.#effects.monotonicMs()));
  }

  async #transmit<Value, Outcome>(
    operation: Operation<Value, Outcome>,
    options: RequestOptions,
    isRepeated = false,
  ): Promise<Transmitted<Outcome>> {
    const { timeoutMs, giveUpAtMs } = options;
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
    const result = await transmitOnce(command, limits, work);
    const { transmission } = result;
    this.#state.server = transmission.headers?.["server"] ?? this.#state.server;
    this.#state.program = programIn(transmission) ?? this.#state.program;
    const timing = timingOf(transmission);
    if (result.kind === "answer" && timing !== undefined) {
      this.#noteTaken();
      return { outcome: operation.onSuccess(result.value, timing, transmission) };
    }
    const error = result.kind === "failure" ? result.error : new Error(MOCKED);
    const status = wholeStatus(error, transmission);
    const expected =
      status === undefined || timing === undefined ? undefined : operation.onStatus(status, said(transmission), timing);
    if (expected !== undefined) {
      this.#noteTaken();
      return { outcome: expected };
    }
    const context = {
      request: operation.request,
      credentialsWorked: this.#state.credentials.takenAtMs !== undefined,
      clockCorrected: Math.abs(this.#clockOffset() - offsetBefore) >= CLOCK_CORRECTION_MS,
    };
    const outcome = outcomeOfFailure(error, transmission, context);
    if (result.kind === "failure" && isUnbuilt(outcome, transmission)) {
      const asking = { client: this.#client, effects: this.#effects, timeoutMs: this.#preparingMs(giveUpAtMs) };
      const answer = await answerOfProvider(asking, error);
      if (answer?.failure !== undefined) {
        return { outcome: outcomeOfFailure(providerError(answer.failure.cause), transmission, context) };
      }
      // It may have failed for once, which the error does not tell: what else is the matter, the second request says again.
      if (answer !== undefined && !isRepeated) return await this.#transmit(operation, options, true);
    }
    const failure = failureOf(error, transmission);
    const unusable = areUnusable(failure);
    return unusable || areOutdated(failure) ? { outcome, outdated: transmission, unusable } : { outcome };
  }

  #noteTaken(): void {
    const { credentials } = this.#state;
    credentials.takenAtMs = this.#effects.monotonicMs();
    credentials.refusal = undefined;
  }

  #clockOffset(): number {
    return this.#client.config.systemClockOffset;
  }
}

interface Searching extends RequestOptions {
  readonly mayWait: boolean;
  readonly areUnusable: boolean;
}

type Transmitted<Outcome> = { readonly outcome: Outcome | UnknownOutcome | RefusedOutcome } | Outdated;

/** `outdated`: how it was sent, where the store did not take its credentials any more, or (`unusable`) they cannot sign. */
interface Outdated {
  readonly outcome: UnknownOutcome | RefusedOutcome;
  readonly outdated: Transmission;
  readonly unusable: boolean;
}

/**
 * Says what is known while other credentials are looked for. Those that cannot sign came after some that the store has refused: it is
 * that which the caller is to learn.
 */
function refusalIn({ outcome: { error }, unusable }: Outdated, credentials: CredentialsState): S3MutexError {
  const { refusal, failure } = credentials;
  if (unusable) return refusal === undefined ? error : withoutOthers(refusal, credentials);
  credentials.refusal = error;
  // What it failed with before the store has last taken a request is over.
  if (refusal !== undefined && failure !== undefined) return withoutOthers(error, credentials);
  return saying(error, "Asked for others, the credentials provider had not answered yet.");
}

/** Adds why there are no others, where their source has failed: only its own words say what to mend. */
function withoutOthers(error: S3MutexError, { failure }: CredentialsState): S3MutexError {
  if (failure === undefined) return error;
  return saying(error, `Asked for others, the credentials provider failed: ${wordsOf(failure.cause)}.`);
}

function saying(error: S3MutexError, sentence: string): S3MutexError {
  // None of those that carry more than a cause, such as a deadlock, comes of a request.
  const code = error.code as "access-denied" | "invalid-argument" | "store-unavailable";
  return new S3MutexError(code, `${error.message} ${sentence}`, { cause: error.cause });
}

/** Says whether nothing has left, and neither the network nor a provider that says so is why. */
function isUnbuilt(outcome: UnknownOutcome | RefusedOutcome, { sentAtMs }: Transmission): boolean {
  return sentAtMs === undefined && outcome.error.code === "invalid-argument";
}

function said(transmission: Transmission): Said {
  return { code: s3WordsOf(transmission)?.code, transmission };
}

function isUrgent(options: RequestOptions): boolean {
  return (options as { readonly urgent?: boolean }).urgent === true;
}
