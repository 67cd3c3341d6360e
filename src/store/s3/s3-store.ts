import type { S3Client } from "@aws-sdk/client-s3";
import {
  type EtagFormHint,
  type ListOutcome,
  MAX_BODY_BYTES,
  type ObjectStore,
  type ReadOptions,
  type ReadOutcome,
  type RefusedOutcome,
  type RemoveOutcome,
  type RequestOptions,
  type StoreEffects,
  type UnknownOutcome,
  type WriteCondition,
  type WriteOutcome,
} from "../object-store.js";
import { type BucketOptions, BucketSender } from "./bucket.js";
import { type BucketState, type ClientState, stateOf } from "./client/client-state.js";
import { headerFieldsOf, type StoreHeaders } from "./client/store-headers.js";
import { Absence } from "./learnt/absence.js";
import { BodyHashes } from "./learnt/body-hash.js";
import { type DeleteProbe, removeIfHonoured } from "./learnt/conditional-delete.js";
import { EtagForms } from "./learnt/etag-form.js";
import { KeyLengths } from "./learnt/key-length.js";
import type { PutCondition } from "./learnt/key-requests.js";
import { Markers } from "./learnt/markers.js";
import { MissingEtags } from "./learnt/missing-etag.js";
import type { ProbeDeps } from "./learnt/probe-object.js";
import { PutChecksums } from "./learnt/put-checksum.js";
import { Versions } from "./learnt/versions.js";
import { Listings } from "./listings.js";
import { S3Requests } from "./requests.js";
import { Sender } from "./sender.js";

export interface S3StoreOptions extends BucketOptions {
  /** Nothing is installed on it or changed about it. Its retry strategy does not apply to these requests. */
  readonly client: S3Client;
  readonly effects: StoreEffects;
  /** Probe objects are created under `${keyPrefix}.s3-mutex/`. */
  readonly keyPrefix: string;
  /**
   * Requests in flight over this client, those of all stores together; urgent ones may use a fifth more. Below the 50
   * sockets of the SDK, or requests would wait for a socket while their time runs.
   */
  readonly maxInFlight?: number;
  /** What the bucket wants to see with requests. */
  readonly headers?: StoreHeaders | undefined;
  /** What is longer is not read. @default {@link MAX_BODY_BYTES} */
  readonly maxBodyBytes?: number;
}

/** The port over AWS SDK v3: one transmission per call, conditions in the form that this store understands. */
export class S3Store implements ObjectStore {
  readonly #clientState: ClientState;
  readonly #bucketState: BucketState;
  readonly #requests: S3Requests;
  readonly #listings: Listings;
  readonly #forms: EtagForms;
  readonly #absence: Absence;
  readonly #keyLengths: KeyLengths;
  readonly #missingEtags: MissingEtags;
  readonly #versions: Versions;
  readonly #markers: Markers;
  readonly #probeDeps: ProbeDeps;

  constructor(options: S3StoreOptions) {
    const { client, bucketName, effects, keyPrefix } = options;
    const state = stateOf(client, options.maxInFlight ?? 40);
    this.#clientState = state;
    this.#bucketState = state.bucket(bucketName);
    const sender = new BucketSender(new Sender(client, state, effects), this.#bucketState, options);
    const hashes = new BodyHashes(this.#bucketState.bodyHash);
    const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
    const checksums = new PutChecksums(this.#bucketState.checksum, () => options.logger?.warn(retained(bucketName)));
    const fields = headerFieldsOf(options.headers);
    this.#versions = new Versions(this.#bucketState.versions);
    const known = { hashes, checksums, versions: this.#versions };
    this.#requests = new S3Requests({ client, bucket: bucketName, maxBodyBytes, ...known, fields, sender });
    this.#listings = new Listings({ client, bucket: bucketName, state: this.#bucketState.listing, fields, sender });
    this.#markers = new Markers({ client, bucket: bucketName, fields, sender });
    this.#probeDeps = { requests: this.#requests, effects, keyPrefix };
    this.#forms = new EtagForms(this.#bucketState.etagForm, this.#probeDeps);
    this.#absence = new Absence(this.#bucketState.absence, this.#probeDeps);
    this.#keyLengths = new KeyLengths(this.#bucketState.keyLength, this.#probeDeps);
    this.#missingEtags = new MissingEtags(this.#probeDeps);
  }

  get etagForm(): EtagFormHint {
    return this.#forms;
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const got = await this.#forms.reading(options.ifNoneMatch, (condition) =>
      this.#requests.get(key, condition, options),
    );
    if (got.kind === "no-etag") return await this.#missingEtags.judge(got, options);
    const answer = got.kind === "bare-404" ? got : await this.#keyLengths.judge(key, got, options);
    if (answer.kind === "absent") this.#absence.named();
    const judged = answer.kind === "bare-404" ? await this.#absence.judge(answer, options) : answer;
    const outcome = await this.#inOurTerms(judged, options);
    if (outcome.kind === "absent") return await this.#markers.explained(key, outcome, options);
    if (outcome.kind === "ok") this.#markers.noteFound(key);
    return await this.#forms.shown(key, outcome, options);
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    if (condition.kind === "if-absent") {
      const created = await this.#put(key, body, { IfNoneMatch: "*" }, options);
      if (created.kind === "conflict") this.#markers.refused(key);
      if (created.kind === "ok") this.#markers.noteFound(key);
      return await this.#asWritten(created, options);
    }
    const { etag } = condition;
    const put = (ifMatch: string) => this.#put(key, body, { IfMatch: ifMatch }, options);
    return await this.#asWritten(await this.#forms.writing({ key, etag }, put), options);
  }

  async #put(key: string, body: string, condition: PutCondition, options: RequestOptions): Promise<WriteOutcome> {
    const outcome = await this.#requests.put(key, body, condition, options);
    return await this.#keyLengths.judge(key, outcome, options);
  }

  /** Gives the same outcome with the ETag by which the version goes here, whichever way it was shown. */
  async #inOurTerms<Outcome extends ReadOutcome | WriteOutcome>(
    outcome: Outcome,
    options: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | RefusedOutcome> {
    if (!("etag" in outcome)) return outcome;
    const etag = await this.#forms.accept(outcome.etag, options);
    if (typeof etag === "string") return { ...outcome, etag };
    return { ...etag, timing: outcome.timing };
  }

  async #asWritten(written: WriteOutcome, options: RequestOptions): Promise<WriteOutcome> {
    const outcome = await this.#inOurTerms(written, options);
    if (written.kind !== "ok" || outcome.kind !== "refused") return outcome;
    // It was done all the same, under a name that cannot be used.
    return { kind: "unknown", error: outcome.error, throttled: false, sent: true, timing: written.timing };
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    return await removeIfHonoured({ key, etag }, this.#versions, this.#bucketState, this.#deleteProbe, options);
  }

  async list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    const outcome = await this.#listings.page(prefix, options.continuation, options);
    if (outcome.kind !== "ok") return outcome;
    const etags = new Map([...outcome.etags].map(([key, etag]) => [key, this.#forms.normal(etag)]));
    return { ...outcome, etags };
  }

  get #deleteProbe(): DeleteProbe {
    const server = () => this.#clientState.program ?? this.#clientState.server;
    return { server, forms: this.#forms, absence: this.#absence, deps: this.#probeDeps };
  }
}

/** Says, for a warning that is given once, that a bucket turns out to want checksums. */
function retained(bucketName: string): string {
  return `The bucket ${bucketName} wants a checksum with each write, as under Object Lock with a default retention: each renewal leaves a version there that cannot be removed until its retention is over. Keep locks in a bucket without one.`;
}
