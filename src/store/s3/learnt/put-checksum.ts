import { createHash } from "node:crypto";
import { s3WordsOf } from "../answers/answer.js";
import type { Said } from "../answers/operation.js";
import type { ChecksumKind, ChecksumState } from "../client/client-state.js";

export interface ChecksumFields {
  readonly ChecksumAlgorithm?: "CRC32";
  readonly ContentMD5?: string;
}

/**
 * A bucket with Object Lock and a default retention takes no write without a checksum, AWS's or another store's. None is sent
 * until a store asks for it, since other stores do not take one.
 */
export class PutChecksums {
  readonly #state: ChecksumState;
  readonly #onWanted: () => void;

  constructor(state: ChecksumState, onWanted: () => void = () => {}) {
    this.#state = state;
    this.#onWanted = onWanted;
  }

  /** Undefined while none is sent. */
  get kind(): ChecksumKind | undefined {
    return this.#state.kind;
  }

  fieldsFor(body: string): ChecksumFields {
    const { kind } = this.#state;
    if (kind === "crc32") return { ChecksumAlgorithm: "CRC32" };
    const md5 = kind === "md5" ? md5Of(body) : undefined;
    return md5 === undefined ? {} : { ContentMD5: md5 };
  }

  /**
   * Says whether the same write may be accepted now, with another checksum than the one that it was sent with: the store has turned it away
   * for that.
   */
  learn(status: number, said: Said, sentWith: ChecksumKind | undefined): boolean {
    if (!wantsChecksum(status, said)) return false;
    const state = this.#state;
    // Another write has found it out meanwhile.
    if (state.kind !== sentWith) return state.kind !== undefined;
    if (sentWith !== undefined) state.refused.add(sentWith);
    const order: readonly ChecksumKind[] = NAMES_CHECKSUM.test(textOf(said)) ? ["crc32", "md5"] : ["md5", "crc32"];
    state.kind = order.find((kind) => !state.refused.has(kind) && (kind !== "md5" || md5Of("") !== undefined));
    if (state.kind !== undefined && sentWith === undefined) this.#onWanted();
    return state.kind !== undefined;
  }
}

const NAMES_CHECKSUM = /checksum/i;
const NAMES_EITHER = /checksum|content-?md5/i;

/** Says whether a checksum is missing; that one does not fit is another matter, of a body that was damaged on the way. */
function wantsChecksum(status: number, said: Said): boolean {
  const isRefusal = status === 400 || status === 403 || status === 411 || status === 428;
  return isRefusal && NAMES_EITHER.test(textOf(said)) && !MISFIT.test(textOf(said));
}

const MISFIT = /BadDigest|Mismatch|did ?n.t match|does ?n.t match|do(?:es)? not match|InvalidDigest/i;

function textOf({ transmission }: Said): string {
  const { code = "", message = "" } = s3WordsOf(transmission) ?? {};
  return `${code} ${message}`;
}

/** Hashes a body; undefined where Node is bound to FIPS and has no MD5. */
function md5Of(body: string): string | undefined {
  try {
    return createHash("md5").update(body).digest("base64");
  } catch {
    return undefined;
  }
}
