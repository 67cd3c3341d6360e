import { createHash } from "node:crypto";
import { S3MutexError } from "../errors.js";
import { realEffects } from "../runtime/base/effects.js";
import type { AnswerTiming, RefusedOutcome, RequestOptions, UnknownOutcome } from "../store/object-store.js";
import { s3WordsOf } from "../store/s3/answers/answer.js";
import { providerError } from "../store/s3/answers/bad-credentials.js";
import { wholeStatus } from "../store/s3/answers/failure.js";
import type { Said } from "../store/s3/answers/operation.js";
import { outcomeOfFailure } from "../store/s3/answers/outcomes.js";
import type { Request } from "../store/s3/answers/request.js";
import { type Transmission, timingOf } from "../store/s3/answers/transmission.js";
import { InFlightLimiter } from "../store/s3/client/in-flight.js";
import { programIn } from "../store/s3/learnt/conditional-delete.js";
import { checkCredentials, type FetchCredentials, type FetchStoreOptions, type Place } from "./options.js";
import { type Method, type SignedRequest, type Transmitted, transmit } from "./transmission.js";

/** What is asked for, and how. */
export interface Asked {
  readonly request: Request;
  readonly method: Method;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is longer, in bytes, is not read. */
  readonly maxBodyBytes?: number;
}

/** A success. */
export interface Answered {
  readonly kind: "answered";
  readonly transmission: Transmission;
  readonly body: NonNullable<Transmitted["body"]>;
  readonly timing: AnswerTiming;
}

/** Everything else: an answer that is not a success (`said`), or none. */
export interface Failed {
  readonly kind: "failed";
  readonly status: number | undefined;
  readonly said: Said;
  readonly timing: AnswerTiming | undefined;
  /** What it comes to unless the operation has a name for the answer. */
  readonly outcome: UnknownOutcome | RefusedOutcome;
}

/** A wall clock that is off by more is put right by the store's, as the AWS SDK does, and S3 refuses what is signed 15 minutes off. */
const CLOCK_OFF_MS = 5 * 60_000;

/** Signs requests and sends them, each once, and at most so many at once. */
export class FetchSender {
  readonly #options: FetchStoreOptions;
  readonly #place: Place;
  readonly #inFlight: InFlightLimiter;
  #clockOffsetMs = 0;
  #credentialsWorked = false;
  #program: string | undefined;
  #server: string | undefined;

  constructor(options: FetchStoreOptions, place: Place) {
    this.#options = options;
    this.#place = place;
    this.#inFlight = new InFlightLimiter(place.maxInFlight);
  }

  /** Which program the store is, as far as that was seen, or what it or a proxy before it has called itself last. */
  get server(): string | undefined {
    return this.#program ?? this.#server;
  }

  async send(asked: Asked, options: RequestOptions): Promise<Answered | Failed> {
    const leave = await this.#inFlight.enter(options.urgent === true);
    try {
      return this.#judged(asked, await transmit(() => this.#signed(asked), options, realEffects, asked.maxBodyBytes));
    } finally {
      leave();
    }
  }

  #judged({ request }: Asked, { transmission, body, error }: Transmitted): Answered | Failed {
    const timing = timingOf(transmission);
    this.#program = programIn(transmission) ?? this.#program;
    this.#server = transmission.headers?.["server"] ?? this.#server;
    const clockCorrected = this.#correctClock(timing?.dateMs);
    if (body !== undefined && timing !== undefined) {
      this.#credentialsWorked = true;
      return { kind: "answered", transmission, body, timing };
    }
    const asked = { ...request, isNotCreated: true };
    const context = { request: asked, credentialsWorked: this.#credentialsWorked, clockCorrected };
    const outcome = outcomeOfFailure(error, transmission, context);
    const said = { code: s3WordsOf(transmission)?.code, transmission };
    return { kind: "failed", status: wholeStatus(error, transmission), said, timing, outcome };
  }

  #correctClock(dateMs: number | undefined): boolean {
    if (dateMs === undefined) return false;
    const offsetMs = dateMs - realEffects.wallMs();
    if (Math.abs(offsetMs - this.#clockOffsetMs) < CLOCK_OFF_MS) return false;
    this.#clockOffsetMs = offsetMs;
    return true;
  }

  async #signed({ request, method, query = {}, headers = {}, body }: Asked): Promise<SignedRequest> {
    const credentials = await this.#credentials();
    const signing = new this.#options.signer({
      ...credentials,
      method,
      url: this.#urlOf(request.key, query),
      headers: {
        ...headers,
        "x-amz-content-sha256": createHash("sha256")
          .update(body ?? "")
          .digest("hex"),
      },
      service: "s3",
      region: this.#place.region,
      datetime: new Date(realEffects.wallMs() + this.#clockOffsetMs).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
    const signed = await signing.sign();
    return { url: signed.url, method, headers: signed.headers, body };
  }

  /** Builds the URL, and refuses a key that it cannot hold: a URL normalizes dots between slashes, and such a key would be another one. */
  #urlOf(key: string | undefined, query: Readonly<Record<string, string>>): string {
    const path = `/${this.#place.bucketName}${key === undefined ? "" : `/${key.split("/").map(encoded).join("/")}`}`;
    const entries = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`);
    const url = `${this.#place.endpoint}${path}${entries.length === 0 ? "" : `?${entries.join("&")}`}`;
    if (new URL(url).pathname.endsWith(path)) return url;
    throw new S3MutexError(
      "invalid-argument",
      `A URL cannot hold the key ${JSON.stringify(key)}: leave out "." and ".."`,
    );
  }

  async #credentials(): Promise<FetchCredentials> {
    const { credentials } = this.#options;
    if (typeof credentials !== "function") return credentials;
    try {
      return checkCredentials(await credentials());
    } catch (cause) {
      throw providerError(cause);
    }
  }
}

function encoded(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
