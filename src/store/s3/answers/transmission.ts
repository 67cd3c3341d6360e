import type { AnswerTiming, StoreEffects } from "../../object-store.js";
import { TimeBound } from "../../time-bound.js";
import { readBytes } from "./body.js";
import { decodeBody } from "./content-encoding.js";

/** What was seen of the one transmission of a command. */
export interface Transmission {
  /** Set once the request was handed to the HTTP handler; without it, not a byte has left. */
  readonly sentAtMs?: number;
  readonly receivedAtMs?: number;
  readonly status?: number;
  /** Names in lower case. */
  readonly headers?: AnswerHeaders;
  /** The body as UTF-8, of all but a success that its operation reads by itself. */
  readonly text?: string;
  /** As whom it was signed: the access key and the session token. */
  readonly signedBy?: string;
}

/** Those that are looked at; there are others. */
export interface AnswerHeaders {
  readonly [name: string]: string | undefined;
  readonly date?: string;
  readonly age?: string;
  readonly etag?: string;
  readonly location?: string;
  readonly "content-type"?: string;
  readonly "content-encoding"?: string;
  readonly "x-amz-bucket-region"?: string;
  readonly "x-amz-request-id"?: string;
  readonly "x-amz-server-side-encryption"?: string;
  readonly "last-modified"?: string;
  readonly "x-amz-version-id"?: string;
  readonly "x-amz-delete-marker"?: string;
}

export type TransmissionResult<Result> =
  | { readonly kind: "answer"; readonly value: Result; readonly transmission: Transmission }
  | { readonly kind: "failure"; readonly error: unknown; readonly transmission: Transmission };

export interface TransmissionLimits {
  readonly effects: StoreEffects;
  /** From the moment at which the request leaves until `work` has settled. */
  readonly timeoutMs: number;
  /** For what comes before: credentials, region, signature. */
  readonly prepareTimeoutMs: number;
  /** Whether `work` reads the body of a success by itself, piece by piece. */
  readonly streams?: boolean;
  /** After this monotonic time nothing leaves: no caller waits for it any more. */
  readonly sendByMs?: number | undefined;
}

/** Credentials, region and signature: mostly at hand, at worst a round trip to a metadata service or to STS. */
export const PREPARE_TIMEOUT_MS = 30_000;

/** More than a page of the longest keys. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Thrown instead of a transmission that was not asked for: an SDK retry, or one after the time was up. */
export class TransmissionRefused extends Error {
  override readonly name = "TransmissionRefused";
}

/** The part of an SDK command's middleware stack that is used here; the SDK's own type differs by command. */
export interface MiddlewareTarget {
  readonly middlewareStack: {
    add(middleware: AnyMiddleware, options: { step: string; priority?: string; name: string }): void;
    addRelativeTo(middleware: AnyMiddleware, options: { relation: string; toMiddleware: string; name: string }): void;
  };
}

type AnyMiddleware = (next: Handler) => Handler;
type Handler = (args: object) => Promise<HandlerResult>;
interface HandlerResult {
  response: unknown;
  output: unknown;
}

/**
 * Runs `work`, which sends `command` and reads the answer, with at most one transmission whatever the retry strategy of
 * the client is. Nothing is installed on the client: three middlewares are added to this command alone.
 */
export async function transmitOnce<Result>(
  command: object,
  limits: TransmissionLimits,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<TransmissionResult<Result>> {
  const transmitter = new Transmitter(limits);
  transmitter.install(command as MiddlewareTarget);
  try {
    const value = await transmitter.run(work);
    return { kind: "answer", value, transmission: transmitter.seen() };
  } catch (error) {
    return { kind: "failure", error, transmission: transmitter.seen() };
  }
}

class Transmitter {
  readonly #limits: TransmissionLimits;
  readonly #time: TimeBound;
  #seen: Transmission = {};
  #failure: { readonly error: unknown } | undefined;
  #response: unknown;

  constructor(limits: TransmissionLimits) {
    this.#limits = limits;
    this.#time = new TimeBound(limits.effects);
    this.#time.signal.addEventListener("abort", () => destroyBody(this.#response), { once: true });
  }

  seen(): Transmission {
    return this.#seen;
  }

  /**
   * Adds middleware, from outside to inside: `rethrow` outside of the SDK's retries, `carry` right inside of them but outside of the signer
   * (which corrects the clock by the errors that it sees), `transmit` next to the HTTP handler. A failure passes the retry strategy as if
   * it were an answer: no strategy, not even a user's own, can wait for it or repeat it.
   */
  install({ middlewareStack }: MiddlewareTarget): void {
    middlewareStack.add((next) => (args) => this.#rethrow(next, args), {
      step: "build",
      priority: "low",
      name: "s3MutexRethrow",
    });
    middlewareStack.addRelativeTo((next) => (args) => this.#carry(next, args), {
      relation: "after",
      toMiddleware: "retryMiddleware",
      name: "s3MutexCarry",
    });
    middlewareStack.add((next) => (args) => this.#transmit(next, args), {
      step: "deserialize",
      priority: "low",
      name: "s3MutexTransmit",
    });
  }

  run<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.#time.set(this.#limits.prepareTimeoutMs, "The request could not be prepared");
    return this.#time.run(work);
  }

  async #rethrow(next: Handler, args: object): Promise<HandlerResult> {
    try {
      const result = await next(args);
      this.#throwFailure();
      return result;
    } catch (error) {
      // What failed counts, whatever the retry strategy made of it.
      this.#throwFailure();
      throw error;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #carry(next: Handler, args: object): Promise<HandlerResult> {
    try {
      return await next(args);
    } catch (error) {
      // That a repetition was refused is not news; why there was one is.
      if (!(error instanceof TransmissionRefused && this.#failure !== undefined)) this.#failure = { error };
      return { response: this.#response ?? {}, output: { $metadata: {} } };
    }
  }

  async #transmit(next: Handler, args: object): Promise<HandlerResult> {
    const { effects, sendByMs = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#time.isOver || effects.monotonicMs() >= sendByMs) {
      throw new TransmissionRefused("The time for this request was up before it was sent");
    }
    // A 301 says that this bucket is elsewhere and that nothing was done: `followRegionRedirects` may go there.
    if (this.#seen.sentAtMs !== undefined && this.#seen.status !== 301) {
      throw new TransmissionRefused("A request is sent once; whether to repeat it is decided elsewhere");
    }
    this.#failure = undefined;
    const { headers = {} } = (args as { request?: HttpRequest }).request ?? {};
    withoutExpect(headers);
    this.#seen = { sentAtMs: this.#limits.effects.monotonicMs(), signedBy: signerOf(headers) };
    this.#time.set(this.#limits.timeoutMs, "No complete answer");
    const result = await next(args);
    this.#noteAnswer(result.response);
    await this.#readAhead(result.response as HttpAnswer);
    return result;
  }

  /** Keeps what was said: the SDK tells of a page that is not of S3 only that it could not read it. */
  async #readAhead(response: HttpAnswer): Promise<void> {
    const { statusCode = 0, body } = response;
    if (statusCode < 300 && this.#limits.streams === true) return;
    const read = await readBytes(body, undefined, MAX_TEXT_BYTES, this.#time.signal);
    const encoding = this.#seen.headers?.["content-encoding"];
    // What a proxy has compressed, neither the SDK nor the code after it would understand.
    const bytes = read.kind === "bytes" ? decodeBody(read.bytes, encoding, MAX_TEXT_BYTES) : Buffer.alloc(0);
    response.body = bytes;
    this.#seen = { ...this.#seen, text: bytes.toString("utf8") };
  }

  #noteAnswer(response: unknown): void {
    this.#response = response;
    if (this.#time.isOver) destroyBody(response);
    const { statusCode, headers } = response as { statusCode?: number; headers?: Record<string, string> };
    this.#seen = {
      ...this.#seen,
      receivedAtMs: this.#limits.effects.monotonicMs(),
      ...(statusCode === undefined ? {} : { status: statusCode }),
      headers: lowerCased(headers ?? {}),
    };
  }
}

interface HttpAnswer {
  readonly statusCode?: number;
  body?: unknown;
}

interface HttpRequest {
  readonly headers?: Record<string, string>;
}

/**
 * Drops `Expect`, so that bodies are sent at once: a server that never says 100 Continue would cost a lease, and one that refuses to (417)
 * every write. The SDK does not sign that header.
 */
function withoutExpect(headers: Record<string, string>): void {
  for (const name of Object.keys(headers)) if (name.toLowerCase() === "expect") delete headers[name];
}

function signerOf(headers: Readonly<Record<string, string>>): string {
  const { authorization = "", "x-amz-security-token": token = "" } = lowerCased(headers);
  return identityOf(/Credential=([^/,\s]+)/.exec(authorization)?.[1] ?? "", token);
}

/** Makes one text for the signer: equal only for the same access key with the same session. */
export function identityOf(accessKeyId: string, sessionToken = ""): string {
  return JSON.stringify([accessKeyId, sessionToken]);
}

function lowerCased(headers: Readonly<Record<string, string>>): AnswerHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Destroys a body that is not read: its socket would never return to the pool. */
function destroyBody(response: unknown): void {
  const body = (response as { body?: { destroy?: () => void } } | undefined)?.body;
  if (typeof body?.destroy === "function") body.destroy();
}

/** Parses a date of HTTP, and gives NaN for other texts, of which `Date.parse` makes times that were not meant: "0" is a day in 2000. */
function httpDateMs(date: string | undefined): number {
  return date?.endsWith(" GMT") ? Date.parse(date) : Number.NaN;
}

/** Reads when the store says that what it shows was written. */
export function writtenAt({ headers }: Transmission): { readonly lastModifiedMs?: number } {
  const lastModifiedMs = httpDateMs(headers?.["last-modified"]);
  return Number.isNaN(lastModifiedMs) ? {} : { lastModifiedMs };
}

/** Gives the timing of the answer, where there was one. */
export function timingOf(transmission: Transmission): AnswerTiming | undefined {
  const { sentAtMs, receivedAtMs, headers } = transmission;
  if (sentAtMs === undefined || receivedAtMs === undefined) return undefined;
  const dateMs = httpDateMs(headers?.date);
  // An answer with an age comes out of a cache, and its date says when the cache was filled.
  if (Number(headers?.age ?? 0) > 0) return { sentAtMs, receivedAtMs, aged: true };
  if (Number.isNaN(dateMs)) return { sentAtMs, receivedAtMs };
  return { sentAtMs, receivedAtMs, dateMs };
}
