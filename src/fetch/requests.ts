import type { ListOutcome, ReadOptions, ReadOutcome, RequestOptions, WriteOutcome } from "../store/object-store.js";
import { MAX_BODY_BYTES } from "../store/object-store.js";
import { outcomeOfBadAnswer } from "../store/s3/answers/outcomes.js";
import { isListing, notOfS3 } from "../store/s3/answers/receipts.js";
import type { Request } from "../store/s3/answers/request.js";
import type { Transmission } from "../store/s3/answers/transmission.js";
import { BodyHashes } from "../store/s3/learnt/body-hash.js";
import { absentBy, deletedBy, foundBy, isUnchanged, notDoneBy, writtenBy } from "../store/s3/learnt/key-answers.js";
import type { DeleteOutcome, KeyRequests, PutCondition } from "../store/s3/learnt/key-requests.js";
import type { Versions } from "../store/s3/learnt/versions.js";
import { parseListing } from "./listing.js";
import type { FetchSender } from "./sender.js";

/** The requests that locks make, each one transmission over `fetch`. */
export class FetchRequests implements KeyRequests {
  readonly #sender: FetchSender;
  readonly #bucket: string;
  readonly #versions: Versions;
  readonly #hashes = new BodyHashes({ unlike: new Map() });

  constructor(sender: FetchSender, bucket: string, versions: Versions) {
    this.#sender = sender;
    this.#bucket = bucket;
    this.#versions = versions;
  }

  async get(key: string, ifNoneMatch: string | undefined, options: ReadOptions): Promise<ReadOutcome> {
    const { maxBodyBytes = MAX_BODY_BYTES } = options;
    const request: Request = { action: "s3:GetObject", bucket: this.#bucket, key };
    const headers = ifNoneMatch === undefined ? {} : { "if-none-match": ifNoneMatch };
    const seen = await this.#sender.send({ request, method: "GET", headers, maxBodyBytes }, options);
    if (seen.kind === "answered") {
      const { transmission, body, timing } = seen;
      const found = foundBy(
        { request, transmission, timing, etag: strongEtagIn(transmission), hashes: this.#hashes },
        body,
        maxBodyBytes,
      );
      const outcome = found.kind === "no-etag" ? found.outcome : found;
      this.#versions.answered(outcome);
      return outcome;
    }
    const { status, said, timing, outcome } = seen;
    if (status === undefined || timing === undefined) return outcome;
    if (status === 304 && ifNoneMatch !== undefined) {
      if (isUnchanged(status, said, ifNoneMatch)) return { kind: "unchanged", timing };
      return await this.get(key, undefined, options);
    }
    const judged = absentBy(status, said, timing) ?? outcome;
    this.#versions.answered(judged);
    return judged;
  }

  async put(key: string, body: string, condition: PutCondition, options: RequestOptions): Promise<WriteOutcome> {
    const { IfMatch, IfNoneMatch } = condition;
    const request: Request = { action: "s3:PutObject", bucket: this.#bucket, key, isConditional: true };
    const headers = {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(IfMatch === undefined ? {} : { "if-match": IfMatch }),
      ...(IfNoneMatch === undefined ? {} : { "if-none-match": IfNoneMatch }),
    };
    const seen = await this.#sender.send({ request, method: "PUT", headers, body }, options);
    if (seen.kind === "answered") {
      const { transmission, timing } = seen;
      const written = writtenBy(
        { request, transmission, timing, etag: strongEtagIn(transmission), hashes: this.#hashes },
        body,
      );
      this.#versions.answered(written);
      return written;
    }
    const { status, said, timing, outcome } = seen;
    if (status === undefined || timing === undefined) return outcome;
    return notDoneBy(status, said, timing, IfMatch === undefined) ?? outcome;
  }

  /** Deletes an object. `ifMatch` is left out for probe keys only, which no other client uses. */
  async delete(key: string, ifMatch: string | undefined, options: RequestOptions): Promise<DeleteOutcome> {
    const isConditional = ifMatch !== undefined;
    const request: Request = { action: "s3:DeleteObject", bucket: this.#bucket, key, isConditional };
    const headers = isConditional ? { "if-match": ifMatch } : {};
    const seen = await this.#sender.send({ request, method: "DELETE", headers }, options);
    if (seen.kind === "answered") {
      this.#versions.deleted(seen.transmission);
      return deletedBy(request, seen.transmission, seen.timing);
    }
    const { status, said, timing, outcome } = seen;
    if (status === undefined || timing === undefined) return outcome;
    return notDoneBy(status, said, timing) ?? outcome;
  }

  async page(prefix: string, continuation: string | undefined, options: RequestOptions): Promise<ListOutcome> {
    const request: Request = { action: "s3:ListBucket", bucket: this.#bucket };
    const next = continuation === undefined ? {} : { "continuation-token": continuation };
    const query = { "list-type": "2", "encoding-type": "url", prefix, ...next };
    const seen = await this.#sender.send({ request, method: "GET", query }, options);
    if (seen.kind === "failed") return seen.outcome;
    const { transmission, timing } = seen;
    if (!isListing(transmission)) return outcomeOfBadAnswer(request, notOfS3("", transmission), transmission);
    const { keys, etags, next: token } = parseListing(transmission.text ?? "");
    return { kind: "ok", keys, etags, ...(token === undefined ? {} : { continuation: token }), timing };
  }
}

/** Gives an ETag but a weak one, which does not name a version that a condition could hold to: something on the way has made it so. */
function strongEtagIn({ headers = {} }: Transmission): string | undefined {
  const { etag } = headers;
  return etag === undefined || /^W\//i.test(etag) ? undefined : etag;
}
