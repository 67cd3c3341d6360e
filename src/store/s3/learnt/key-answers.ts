import type { AnswerTiming, ConflictOutcome, ReadOutcome, WriteOutcome } from "../../object-store.js";
import type { BodyBytes } from "../answers/body.js";
import { decodeBody } from "../answers/content-encoding.js";
import type { Said } from "../answers/operation.js";
import { outcomeOfBadAnswer } from "../answers/outcomes.js";
import {
  isAboutAnother,
  isConflict,
  isDeletion,
  isForeignPage,
  isOnlyBusy,
  isReceipt,
  notOfS3,
} from "../answers/receipts.js";
import type { Request } from "../answers/request.js";
import { type Transmission, writtenAt } from "../answers/transmission.js";
import type { NoEtag } from "../answers/unproven.js";
import type { BodyHashes } from "./body-hash.js";
import type { DeleteOutcome } from "./key-requests.js";
import { markerIn, versionIn } from "./versions.js";

/** An answer to a request about one key: a success, and when it came. */
export interface KeyAnswer {
  readonly request: Request;
  readonly transmission: Transmission;
  readonly timing: AnswerTiming;
  /** Undefined or empty where the answer has none. */
  readonly etag: string | undefined;
  readonly hashes: BodyHashes;
}

/** Tells what a read comes to whose answer is a success. */
export function foundBy(answer: KeyAnswer, body: BodyBytes, maxBodyBytes: number): ReadOutcome | NoEtag {
  const { request, transmission, timing } = answer;
  const etag = namedBy(answer);
  const { status = 200 } = transmission;
  // A part that was not asked for (206), or what a proxy has transformed (203), is not the object.
  if (status !== 200) return outcomeOfBadAnswer(request, NOT_WHOLE(status), transmission);
  const isForeign = isForeignPage(body, transmission);
  if (etag === undefined || isForeign) {
    const outcome = outcomeOfBadAnswer(request, notOfS3(etag, transmission, body), transmission);
    const text = body.kind === "bytes" ? body.bytes.toString("utf8") : undefined;
    return isForeign ? outcome : { kind: "no-etag", body: text, outcome };
  }
  if (body.kind === "oversized") return { kind: "oversized", etag, timing };
  const decoded = decodeBody(body.bytes, transmission.headers?.["content-encoding"], maxBodyBytes);
  // It came to its end; whether it is the one that the store has is another question.
  const verdict = answer.hashes.judge(etag, decoded, transmission.headers);
  if (verdict === "damaged" || verdict === "made up") {
    return outcomeOfBadAnswer(request, FAULTS[verdict](body.bytes.length), transmission);
  }
  const doubt = verdict === "doubtful" ? { isDoubtful: true } : {};
  const text = decoded.toString("utf8");
  return { kind: "ok", etag, body: text, ...doubt, ...versionIn(transmission), ...writtenAt(transmission), timing };
}

/** Gives the ETag; undefined where there is none, or one without anything in it, which names no version. */
function namedBy({ etag = "" }: KeyAnswer): string | undefined {
  return /^(?:W\/)?(?:"")?$/.test(etag) ? undefined : etag;
}

const NOT_WHOLE = (status: number) =>
  `it was answered with ${status}, and S3 answers with 200: what is between it and this process gives something else, or a part of it`;

const FAULTS = {
  damaged: (size: number) => `the body was damaged on the way: its ${size} bytes are not what its ETag is the hash of`,
  "made up": (size: number) =>
    `the same ${size} bytes came under different ETags, and neither is their hash, as those of writes here are: what answers reads makes them up, or damages bodies: a proxy or a gateway; reach the store itself`,
};

/** Says whether a 304 answers the question about this ETag; if not, the object has to be read. */
export function isUnchanged(status: number, { transmission }: Said, ifNoneMatch: string): boolean {
  return status === 304 && !isAboutAnother(transmission, ifNoneMatch);
}

/** Tells what a read comes to whose answer says that there is no such key, in S3's own words. */
export function absentBy(status: number, { code, transmission }: Said, timing: AnswerTiming): ReadOutcome | undefined {
  if (status !== 404 || code === "NoSuchBucket") return undefined;
  const marker = markerIn(transmission);
  // Nothing but a store speaks of delete markers, whatever else it says.
  if (code === "NoSuchKey" || marker.deleteMarker !== undefined) return { kind: "absent", ...marker, timing };
  return undefined;
}

/** Tells what a write comes to whose answer is a success. */
export function writtenBy(answer: KeyAnswer, body: string): WriteOutcome {
  const { request, transmission, timing, hashes } = answer;
  const etag = namedBy(answer);
  // It may have been done, but under a name that no client knows: the caller has to read it.
  const isOurs = etag !== undefined && isReceipt(transmission) && hashes.wrote(etag, body, transmission.headers);
  if (isOurs) return { kind: "ok", etag, ...versionIn(transmission), timing };
  return outcomeOfBadAnswer(request, notOfS3(etag, transmission), transmission);
}

/** Tells what a write or a deletion comes to whose answer says why it was not done. @param isCreation it finds nothing by intent */
export function notDoneBy(
  status: number,
  said: Said,
  timing: AnswerTiming,
  isCreation = false,
): ConflictOutcome | { readonly kind: "absent"; readonly timing: AnswerTiming } | undefined {
  const { code } = said;
  if (isConflict(status, said, isCreation)) {
    const busy = isOnlyBusy(status, code, isCreation) && { busy: true as const, ...(code !== undefined && { code }) };
    return { kind: "conflict", ...busy, timing };
  }
  return !isCreation && status === 404 && code === "NoSuchKey" ? { kind: "absent", timing } : undefined;
}

/** Tells what a deletion comes to whose answer is a success. */
export function deletedBy(request: Request, transmission: Transmission, timing: AnswerTiming): DeleteOutcome {
  return isDeletion(transmission)
    ? { kind: "ok", timing }
    : outcomeOfBadAnswer(request, notOfS3("", transmission), transmission);
}
