import { createHash } from "node:crypto";
import type { BodyHashState } from "./client-state.js";
import type { AnswerHeaders } from "./single-attempt.js";

/**
 * Where the ETag of a body is its MD5, as on most stores, it tells what was damaged on the way: cut short, compressed, or
 * the body of another version. Whether it is, this client's own writes show.
 */
export class BodyHashes {
  readonly #state: BodyHashState;

  constructor(state: BodyHashState) {
    this.#state = state;
  }

  /** The store has taken this body and answered with this ETag. */
  wrote(etag: string, body: string, headers: AnswerHeaders = {}): void {
    const isMd5 = matches(etag, Buffer.from(body), headers);
    if (isMd5 === undefined || this.#state.isMd5 === false) return;
    this.#state.isMd5 = isMd5;
  }

  /** `damaged`: the store's own hash says so. `doubtful`: it would, if this store's ETags are hashes. */
  judge(etag: string, bytes: Buffer, headers: AnswerHeaders = {}): "damaged" | "doubtful" | undefined {
    if (this.#state.isMd5 === false || matches(etag, bytes, headers) !== false) return undefined;
    return this.#state.isMd5 === true ? "damaged" : "doubtful";
  }
}

/** Undefined where the ETag cannot be the MD5 of a body: other forms, and what a key service encrypts. */
function matches(etag: string, bytes: Buffer, headers: AnswerHeaders): boolean | undefined {
  const hash = /^(?:W\/)?"?([0-9a-f]{32})(?:[-;]+[a-z]+)?"?$/.exec(etag)?.[1];
  const isEncrypted =
    headers["x-amz-server-side-encryption"]?.startsWith("aws:kms") === true ||
    headers["x-amz-server-side-encryption-customer-algorithm"] !== undefined;
  if (hash === undefined || isEncrypted) return undefined;
  try {
    return createHash("md5").update(bytes).digest("hex") === hash;
  } catch {
    // A Node that is bound to FIPS has no MD5.
    return undefined;
  }
}
