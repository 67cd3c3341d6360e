import { describeBody, isPage, s3WordsOf } from "./answer.js";
import type { BodyBytes } from "./body.js";
import { haveOneCore } from "./etag-shape.js";
import type { Said } from "./operation.js";
import type { AnswerHeaders, Transmission } from "./transmission.js";

/** Says whether S3 has marked the answer as one of its own, which portals and proxies do not. Some stores mark none. */
export function isMarked(headers: AnswerHeaders): boolean {
  return headers["x-amz-request-id"] !== undefined;
}

/**
 * Says whether this is a conflict: 409 and 412 without a word are what several stores send; a page with that status is not the store's. To
 * a creation, 304 says as much: some proxies take `If-None-Match` for a question of reads.
 */
export function isConflict(status: number, { transmission }: Said, isCreation: boolean): boolean {
  return (status === 412 || status === 409 || (status === 304 && isCreation)) && !isPage(transmission.text);
}

/**
 * Says whether a conflict says no more than that another write of the key was under way, so that nothing was compared: 409, unless its code
 * names what stood in the way. Of a creation that may be the object.
 */
export function isOnlyBusy(status: number, code: string | undefined, isCreation: boolean): boolean {
  return status === 409 && code !== "PreconditionFailed" && !(isCreation && code?.match(EXISTS));
}

/** Codes of gateways to other stores. A bucket that exists, for one, is not the object. */
const EXISTS = /^(?:Blob|File|Key|Object|Path|Resource)?AlreadyExists$/;

/**
 * Says whether this is S3's answer to a write that was done, to which it has nothing to say. A page, or the JSON of a gateway that answers
 * everything, is not its answer.
 */
export function isReceipt(transmission: Transmission): boolean {
  const { text = "", headers = {} } = transmission;
  return text.trim() === "" || (isMarked(headers) && s3WordsOf(transmission) === undefined);
}

/** Says whether this is S3's answer to a deletion: 204, without a body. A 200 that has one, or nothing of S3 about it, is a portal's. */
export function isDeletion({ status, text = "", headers = {} }: Transmission): boolean {
  return status === 204 || (text === "" && isMarked(headers));
}

/** Says whether a 304 shows another ETag than was asked about, as of a cache that mixes up versions: the object has to be read. */
export function isAboutAnother({ headers = {} }: Transmission, ifNoneMatch: string): boolean {
  return headers.etag !== undefined && !haveOneCore(headers.etag, ifNoneMatch);
}

/** Says whether a page is not the store's: where one was put in place of a lock's object, the answer is marked as one of S3. */
export function isForeignPage(body: BodyBytes, { headers = {} }: Transmission): boolean {
  const isHtml = headers["content-type"]?.startsWith("text/html") === true;
  return isHtml && !isMarked(headers) && (body.kind === "oversized" || isPage(body.bytes.toString("utf8")));
}

/** Says why a success is not believed. */
export function notOfS3(etag: string | undefined, transmission: Transmission, body?: BodyBytes): string {
  const fault = etag === undefined ? "the answer has no ETag" : "the answer is not one of S3";
  const seen = body?.kind === "bytes" ? { ...transmission, text: body.bytes.toString("utf8") } : transmission;
  return `${fault} (${transmission.status ?? 200} with ${describeBody(seen)})`;
}

/** Says whether this is a listing: the SDK reads an empty answer, and some pages, as a bucket without keys. */
export function isListing({ text = "" }: Transmission): boolean {
  return /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?ListBucketResult[\s/>]/.test(text);
}
