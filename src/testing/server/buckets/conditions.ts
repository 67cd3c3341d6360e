import type { IncomingHttpHeaders } from "node:http";
import type { StoreQuirks } from "../faults/quirks.js";
import type { StoredObject } from "./stored-object.js";

/** Why a PUT or DELETE may not go ahead. */
export type WriteRefusal =
  | "not-implemented"
  | "if-match-failed"
  | "if-none-match-failed"
  /** `If-Match` for an object that is not there. */
  | "missing";

/** Why a GET or HEAD is not answered with the object. */
export type ReadRefusal = "not-modified" | "if-match-failed";

function withoutQuotes(etag: string): string {
  return etag.length >= 2 && etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag;
}

function isSameEtag(header: string, etag: string): boolean {
  return withoutQuotes(header.trim()) === withoutQuotes(etag);
}

function isInList(header: string, etag: string): boolean {
  return header.trim() === "*" || header.split(",").some((one) => isSameEtag(one.replace(/^\s*W\//, ""), etag));
}

/** Judges a GET or HEAD of an object that exists. */
export function refusalOfRead(
  headers: IncomingHttpHeaders,
  etag: string,
  quirks: StoreQuirks,
): ReadRefusal | undefined {
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined && !isInList(ifMatch, etag)) return "if-match-failed";
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch === undefined || quirks.readIgnoresIfNoneMatch) return undefined;
  return quirks.alwaysNotModified || isInList(ifNoneMatch, etag) ? "not-modified" : undefined;
}

/** Says whether the store recognises an ETag in this form at all. */
function isRecognised(header: string, form: StoreQuirks["etagForm"]): boolean {
  const isQuoted = header.trim().startsWith('"');
  if (form === "unquoted-only") return !isQuoted;
  return form !== "quoted-only" || isQuoted;
}

/** Says whether a header means the object; `*` stands for any object that exists. */
function isMatch(header: string, current: StoredObject, quirks: StoreQuirks): boolean {
  return header.trim() === "*" || (isRecognised(header, quirks.etagForm) && isSameEtag(header, current.etag));
}

/** Says whether a PUT depends on anything, given the headers that the store pays attention to. */
export function isConditionalPut(headers: IncomingHttpHeaders, quirks: StoreQuirks): boolean {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  return (ifMatch !== undefined && !quirks.ignoreIfMatch) || (ifNoneMatch !== undefined && !quirks.ignoreIfNoneMatch);
}

export function refusalOfPut(
  headers: IncomingHttpHeaders,
  current: StoredObject | undefined,
  quirks: StoreQuirks,
): WriteRefusal | undefined {
  const ifMatch = quirks.ignoreIfMatch ? undefined : headers["if-match"];
  const ifNoneMatch = quirks.ignoreIfNoneMatch ? undefined : headers["if-none-match"];
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  if (quirks.conditionalPutUnsupported || (ifMatch !== undefined && ifNoneMatch !== undefined))
    return "not-implemented";
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== "*") return "not-implemented";
    return current === undefined ? undefined : "if-none-match-failed";
  }
  if (ifMatch === undefined) return undefined;
  if (current !== undefined) return isMatch(ifMatch, current, quirks) ? undefined : "if-match-failed";
  if (quirks.missingKeyIfMatchStatus === 200) return undefined;
  return quirks.missingKeyIfMatchStatus === 412 ? "if-match-failed" : "missing";
}

/** Judges a deletion. `ifMatch` is the header, or the ETag given for one of the objects of a DeleteObjects. */
export function refusalOfDelete(
  ifMatch: string | undefined,
  current: StoredObject | undefined,
  quirks: StoreQuirks,
): WriteRefusal | undefined {
  if (ifMatch === undefined || quirks.deleteIgnoresIfMatch) return undefined;
  if (quirks.deleteIfMatchUnsupported) return "not-implemented";
  if (current === undefined) return "missing";
  return isMatch(ifMatch, current, quirks) ? undefined : "if-match-failed";
}
