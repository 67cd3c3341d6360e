import { createHash } from "node:crypto";
import { S3MutexError } from "../errors.js";
import { realEffects } from "../runtime/base/effects.js";
import {
  type ListOutcome,
  MAX_BODY_BYTES,
  type ReadOptions,
  type ReadOutcome,
  type RefusedOutcome,
  type RemoveOutcome,
  type RequestOptions,
  type StoreAdapter,
  type UnknownOutcome,
  type WriteCondition,
  type WriteOutcome,
} from "../store/object-store.js";
import { s3WordsOf } from "../store/s3/answers/answer.js";
import { wholeStatus } from "../store/s3/answers/failure.js";
import type { Said } from "../store/s3/answers/operation.js";
import { outcomeOfBadAnswer, outcomeOfFailure } from "../store/s3/answers/outcomes.js";
import {
  isAboutAnother,
  isConflict,
  isForeignPage,
  isListing,
  isReceipt,
  notOfS3,
} from "../store/s3/answers/receipts.js";
import type { Request } from "../store/s3/answers/request.js";
import { type Attempt, timingOf, writtenAt } from "../store/s3/answers/single-attempt.js";
import { InFlightLimiter } from "../store/s3/client/in-flight.js";
import { BodyHashes } from "../store/s3/learnt/body-hash.js";
import { markerIn, versionIn } from "../store/s3/learnt/versions.js";
import { parseListing } from "./listing.js";
import { checkCredentials, checkedPlace, type FetchCredentials, type FetchStoreOptions } from "./options.js";
import { type SignedRequest, type Transmitted, transmit } from "./transmission.js";

/**
 * A store for `new S3Mutex({ store: fetchStore({ ... }) })`: any S3 over the global `fetch`, path style. Each request is sent once,
 * no redirect is followed, and errors say what those of an S3 client say. It learns no ways of stores: one that wants ETags in another
 * form than it shows them, or says in words of its own that an object is missing, needs an S3 client. What is deleted stays as a
 * small object, since not every store honours conditions on DELETE.
 * @throws `invalid-argument`
 */
export function fetchStore(options: FetchStoreOptions): StoreAdapter {
  return new FetchStore(options);
}

/** What is asked for, and how. */
interface Asked {
  readonly request: Request;
  readonly method: "GET" | "PUT";
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A wall clock that is off by more is put right by the store's, as the AWS SDK does, and S3 refuses what is signed 15 minutes off. */
const CLOCK_OFF_MS = 5 * 60_000;

const MAX_IN_FLIGHT = 40;

class FetchStore implements StoreAdapter {
  readonly bucketName: string;
  readonly #options: FetchStoreOptions;
  readonly #endpoint: string;
  readonly #region: string;
  readonly #hashes = new BodyHashes({});
  readonly #inFlight = new InFlightLimiter(MAX_IN_FLIGHT);
  #clockOffsetMs = 0;
  #credentialsWorked = false;

  constructor(options: FetchStoreOptions) {
    this.#options = options;
    const { bucketName, region, endpoint } = checkedPlace(options);
    this.bucketName = bucketName;
    this.#region = region;
    this.#endpoint = endpoint;
  }

  async way(): Promise<string> {
    return JSON.stringify([this.#endpoint, "path", this.bucketName]);
  }

  inBucket(bucketName: string): StoreAdapter {
    return new FetchStore({ ...this.#options, bucketName });
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const { ifNoneMatch, maxBodyBytes = MAX_BODY_BYTES } = options;
    const request: Request = { action: "s3:GetObject", bucket: this.bucketName, key };
    const headers = ifNoneMatch === undefined ? {} : { "if-none-match": ifNoneMatch };
    const seen = await this.#send({ request, method: "GET", headers }, options, maxBodyBytes);
    if (seen.kind === "failed") {
      const { status, said, timing, outcome } = seen;
      if (status === 304 && ifNoneMatch !== undefined && timing !== undefined) {
        if (!isAboutAnother(said.attempt, ifNoneMatch)) return { kind: "unchanged", timing };
        const { ifNoneMatch: _other, ...unconditional } = options;
        return await this.read(key, unconditional);
      }
      const marker = markerIn(said.attempt);
      const isAbsent = status === 404 && (said.code === "NoSuchKey" || marker.deleteMarker !== undefined);
      return isAbsent && timing !== undefined ? { kind: "absent", ...marker, timing } : outcome;
    }
    const { attempt, body, timing } = seen;
    const etag = strongEtagIn(attempt);
    if (etag === undefined || isForeignPage(body, attempt)) {
      return outcomeOfBadAnswer(request, notOfS3(etag, attempt, body), attempt);
    }
    if (body.kind === "oversized") return { kind: "oversized", etag, timing };
    if (etag === ifNoneMatch) return { kind: "unchanged", timing };
    const verdict = this.#hashes.judge(etag, body.bytes, attempt.headers);
    if (verdict === "damaged") return outcomeOfBadAnswer(request, "the body was damaged on the way", attempt);
    const doubt = verdict === "doubtful" ? { isDoubtful: true } : {};
    const text = body.bytes.toString("utf8");
    return { kind: "ok", etag, body: text, ...doubt, ...versionIn(attempt), ...writtenAt(attempt), timing };
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    const request: Request = { action: "s3:PutObject", bucket: this.bucketName, key, isConditional: true };
    const isCreate = condition.kind === "if-absent";
    const headers = {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(isCreate ? { "if-none-match": "*" } : { "if-match": condition.etag }),
    };
    const seen = await this.#send({ request, method: "PUT", headers, body }, options);
    if (seen.kind === "failed") {
      const { status, said, timing, outcome } = seen;
      if (status === undefined || timing === undefined) return outcome;
      if (isConflict(status, said)) return { kind: "conflict", timing };
      return status === 404 && !isCreate && said.code === "NoSuchKey" ? { kind: "absent", timing } : outcome;
    }
    const { attempt, timing } = seen;
    const etag = strongEtagIn(attempt);
    // It may have been done, but under a name that is not known: the caller has to read it.
    const isOurs = etag !== undefined && isReceipt(attempt) && this.#hashes.wrote(etag, body, attempt.headers);
    if (isOurs) return { kind: "ok", etag, ...versionIn(attempt), timing };
    return outcomeOfBadAnswer(request, notOfS3(etag, attempt), attempt);
  }

  async remove(): Promise<RemoveOutcome> {
    return { kind: "unsupported" };
  }

  async list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    const request: Request = { action: "s3:ListBucket", bucket: this.bucketName };
    const { continuation } = options;
    const next = continuation === undefined ? {} : { "continuation-token": continuation };
    const query = { "list-type": "2", "encoding-type": "url", prefix, ...next };
    const seen = await this.#send({ request, method: "GET", query }, options);
    if (seen.kind === "failed") return seen.outcome;
    const { attempt, timing } = seen;
    if (!isListing(attempt)) return outcomeOfBadAnswer(request, notOfS3("", attempt), attempt);
    const { keys, etags, next: token } = parseListing(attempt.text ?? "");
    return { kind: "ok", keys, etags, ...(token === undefined ? {} : { continuation: token }), timing };
  }

  async #send(asked: Asked, options: RequestOptions, maxBodyBytes?: number): Promise<Answered | Failed> {
    const leave = await this.#inFlight.enter(options.urgent === true);
    try {
      return this.#judged(asked, await transmit(() => this.#signed(asked), options, realEffects, maxBodyBytes));
    } finally {
      leave();
    }
  }

  #judged({ request }: Asked, { attempt, body, error }: Transmitted): Answered | Failed {
    const timing = timingOf(attempt);
    const clockCorrected = this.#correctClock(timing?.dateMs);
    if (body !== undefined && timing !== undefined) {
      this.#credentialsWorked = true;
      return { kind: "answered", attempt, body, timing };
    }
    const context = { request, credentialsWorked: this.#credentialsWorked, clockCorrected };
    const outcome = outcomeOfFailure(error, attempt, context);
    const said = { code: s3WordsOf(attempt)?.code, attempt };
    return { kind: "failed", status: wholeStatus(error, attempt), said, timing, outcome };
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
      region: this.#region,
      datetime: new Date(realEffects.wallMs() + this.#clockOffsetMs).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
    const signed = await signing.sign();
    return { url: signed.url, method, headers: signed.headers, body };
  }

  /** A URL normalizes dots between slashes: such a key would be another one. */
  #urlOf(key: string | undefined, query: Readonly<Record<string, string>>): string {
    const path = `/${this.bucketName}${key === undefined ? "" : `/${key.split("/").map(encoded).join("/")}`}`;
    const entries = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`);
    const url = `${this.#endpoint}${path}${entries.length === 0 ? "" : `?${entries.join("&")}`}`;
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
      const said = cause instanceof Error ? cause.message : "it threw what is not an Error";
      throw Object.assign(new Error(`the function \`credentials\` failed: ${said}`, { cause }), {
        name: "CredentialsProviderError",
      });
    }
  }
}

type Timing = NonNullable<ReturnType<typeof timingOf>>;

interface Answered {
  readonly kind: "answered";
  readonly attempt: Attempt;
  readonly body: NonNullable<Transmitted["body"]>;
  readonly timing: Timing;
}

interface Failed {
  readonly kind: "failed";
  readonly status: number | undefined;
  readonly said: Said;
  readonly timing: Timing | undefined;
  /** What it comes to unless the operation has a name for the answer. */
  readonly outcome: UnknownOutcome | RefusedOutcome;
}

/** A weak ETag names no version that a condition could hold to: something on the way has made it so. */
function strongEtagIn({ headers = {} }: Attempt): string | undefined {
  const { etag } = headers;
  return etag === undefined || etag === "" || /^W\//i.test(etag) ? undefined : etag;
}

function encoded(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
