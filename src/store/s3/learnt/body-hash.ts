import { createHash } from "node:crypto";
import { haveOneCore } from "../answers/etag-shape.js";
import { isMarked } from "../answers/receipts.js";
import type { AnswerHeaders } from "../answers/transmission.js";
import type { BodyHashState } from "../client/client-state.js";

/**
 * Where the ETag of a body is its MD5, as on most stores, it tells what was damaged on the way: cut short, compressed, or
 * the body of another version. Whether it is, this client's own writes show. It also tells whose answer to a write it is, as S3's mark does.
 */
export class BodyHashes {
  readonly #state: BodyHashState;

  constructor(state: BodyHashState) {
    this.#state = state;
  }

  /**
   * Notes that the answer to a write of this body has this ETag. False where it may not be the store's: its ETags are hashes, and this one
   * is not of this body; or neither S3's mark nor the hash says that the store gave it, as a portal's that answers everything. A client that
   * doubts reads; what is found stored under that ETag shows that the store answers like this.
   */
  wrote(etag: string, body: string, headers: AnswerHeaders = {}): boolean {
    const state = this.#state;
    const bytes = Buffer.from(body);
    const verdict = compare(etag, bytes, headers);
    if (verdict === "matches") {
      state.isMd5 ??= true;
      return true;
    }
    const isUnmarked = !isMarked(headers);
    const isTelling = verdict !== undefined && state.isMd5 !== false;
    if (isTelling || (isUnmarked && state.leavesUnmarked !== true)) state.unproven = { etag, bytes, isUnmarked };
    const isOtherHash = state.isMd5 === true && verdict !== undefined;
    return !isOtherHash && (!isUnmarked || state.leavesUnmarked === true);
  }

  /**
   * Judges a body by its ETag. `damaged`: the store's own hash says so. `doubtful`: it would, if this store's ETags are hashes. `made up`:
   * it says so, and the same body came under another ETag before. It is believed no more than a damaged one: it may be of another version.
   */
  judge(etag: string, bytes: Buffer, headers: AnswerHeaders = {}): "damaged" | "doubtful" | "made up" | undefined {
    const state = this.#state;
    const verdict = compare(etag, bytes, headers);
    const { unproven } = state;
    // A proxy may show an ETag otherwise in reads; no two bodies of this client are the same.
    if (unproven !== undefined && haveOneCore(unproven.etag, etag) && unproven.bytes.equals(bytes)) {
      if (verdict !== undefined && verdict !== "matches") state.isMd5 = false;
      if (unproven.isUnmarked) state.leavesUnmarked = true;
      state.unproven = undefined;
    }
    if (state.isMd5 === false) return undefined;
    // Where S3 has not marked the answer, a page with an ETag of its own may have come in its place.
    const isStrange = verdict === "other form" && !isMarked(headers);
    if (verdict !== "differs" && !isStrange) return undefined;
    if (state.isMd5 !== true) return "doubtful";
    return this.#cameUnderAnother(etag, bytes) ? "made up" : "damaged";
  }

  #cameUnderAnother(etag: string, bytes: Buffer): boolean {
    const { unlike } = this.#state;
    const hash = md5Of(bytes);
    if (hash === undefined) return false;
    const before = unlike.get(hash);
    if (before !== undefined) return before !== etag;
    unlike.set(hash, etag);
    if (unlike.size > MAX_UNLIKE) unlike.delete(unlike.keys().next().value as string);
    return false;
  }
}

const MAX_UNLIKE = 100;

/**
 * Compares an ETag with the hash of a body; undefined where that cannot be told: what a key service encrypts has another hash, and a Node
 * that is bound to FIPS has no MD5.
 */
function compare(
  etag: string,
  bytes: Buffer,
  headers: AnswerHeaders,
): "matches" | "differs" | "other form" | undefined {
  const isEncrypted =
    headers["x-amz-server-side-encryption"]?.startsWith("aws:kms") === true ||
    headers["x-amz-server-side-encryption-customer-algorithm"] !== undefined;
  if (isEncrypted) return undefined;
  const hash = /^(?:W\/)?"?([0-9a-f]{32})(?:[-;]+[a-z]+)?"?$/.exec(etag)?.[1];
  if (hash === undefined) return "other form";
  const own = md5Of(bytes);
  if (own === undefined) return undefined;
  return own === hash ? "matches" : "differs";
}

function md5Of(bytes: Buffer): string | undefined {
  try {
    return createHash("md5").update(bytes).digest("hex");
  } catch {
    return undefined;
  }
}
