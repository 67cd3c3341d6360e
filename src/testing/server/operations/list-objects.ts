import type { Bucket, BucketView } from "../buckets/bucket.js";
import { compareUtf8, positionOf } from "../buckets/sorted-keys.js";
import type { StoreState } from "../buckets/store-state.js";
import type { StoredObject } from "../buckets/stored-object.js";
import { type Answer, errorAnswer, xmlAnswer } from "../wire/answer.js";
import type { S3Request } from "../wire/s3-request.js";
import { s3Document, textElement } from "../wire/xml.js";

interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  readonly startAfter: string | undefined;
  /** The last key or common prefix of the page before. */
  readonly resumeAfter: string | undefined;
  readonly token: string | undefined;
  readonly keysMax: number;
  readonly isUrlEncoded: boolean;
}

interface Page {
  readonly objects: StoredObject[];
  readonly commonPrefixes: string[];
  /** Given when there is more: the last entry of this page. */
  readonly resumeAfter: string | undefined;
}

/** Makes a token that is opaque to clients, which must not take one for a key. */
function tokenFor(resumeAfter: string): string {
  return Buffer.from(`1:${resumeAfter}`).toString("base64url");
}

function readToken(token: string): string | undefined {
  const text = Buffer.from(token, "base64url").toString("utf8");
  return text.startsWith("1:") ? text.slice(2) : undefined;
}

/** Parses the arguments of a listing; `undefined` where one is not valid. */
function parseQuery(query: URLSearchParams, pageSize: number): ListQuery | undefined {
  const maxKeys = query.get("max-keys") ?? String(pageSize);
  const encoding = query.get("encoding-type");
  const token = query.get("continuation-token") ?? undefined;
  const resumeAfter = token === undefined ? undefined : readToken(token);
  if (!/^\d{1,10}$/.test(maxKeys) || (encoding !== null && encoding !== "url")) return undefined;
  if (token !== undefined && resumeAfter === undefined) return undefined;
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    startAfter: query.get("start-after") ?? undefined,
    resumeAfter,
    token,
    keysMax: Math.min(Number(maxKeys), pageSize),
    isUrlEncoded: encoding === "url",
  };
}

/** Gives the part of the key up to and with the first delimiter after the prefix. */
function commonPrefixOf(key: string, query: ListQuery): string | undefined {
  if (query.delimiter === "") return undefined;
  const at = key.indexOf(query.delimiter, query.prefix.length);
  return at < 0 ? undefined : key.slice(0, at + query.delimiter.length);
}

/** Yields the keys that the query is about, in order. */
function* keysFor(view: BucketView, { prefix, resumeAfter, startAfter }: ListQuery): Generator<string> {
  const after = resumeAfter ?? startAfter ?? "";
  for (let i = positionOf(view.keys, compareUtf8(after, prefix) > 0 ? after : prefix); ; i++) {
    const key = view.keys[i];
    if (key === undefined || !key.startsWith(prefix)) return;
    if (after === "" || compareUtf8(key, after) > 0) yield key;
  }
}

function collect(view: BucketView, query: ListQuery): Page {
  const objects: StoredObject[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  for (const key of keysFor(view, query)) {
    const common = commonPrefixOf(key, query);
    // A group that was given out already, on this page or as the last entry of the one before.
    if (common !== undefined && (common === commonPrefixes.at(-1) || common === query.resumeAfter)) continue;
    if (objects.length + commonPrefixes.length >= query.keysMax) return { objects, commonPrefixes, resumeAfter: last };
    const object = common === undefined ? view.get(key) : undefined;
    if (common !== undefined) commonPrefixes.push(common);
    else if (object !== undefined) objects.push(object);
    last = common ?? key;
  }
  return { objects, commonPrefixes, resumeAfter: undefined };
}

/** Encodes as AWS does it: a form's encoding, with slashes left alone. */
function urlEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/");
}

function contentsElement(object: StoredObject, encode: (text: string) => string): string {
  const fields = [
    textElement("Key", encode(object.key)),
    textElement("LastModified", new Date(Math.floor(object.lastModifiedMs / 1000) * 1000).toISOString()),
    textElement("ETag", object.etag),
    textElement("Size", object.body.length),
    textElement("StorageClass", "STANDARD"),
  ];
  return `<Contents>${fields.join("")}</Contents>`;
}

function toXml(bucket: string, query: ListQuery, page: Page): string {
  const encode = query.isUrlEncoded ? urlEncode : (text: string) => text;
  const optional = (name: string, value: string | undefined) => (value === undefined ? "" : textElement(name, value));
  const fields = [
    textElement("Name", bucket),
    textElement("Prefix", encode(query.prefix)),
    query.delimiter === "" ? "" : textElement("Delimiter", encode(query.delimiter)),
    textElement("MaxKeys", query.keysMax),
    optional("EncodingType", query.isUrlEncoded ? "url" : undefined),
    textElement("KeyCount", page.objects.length + page.commonPrefixes.length),
    textElement("IsTruncated", page.resumeAfter !== undefined),
    optional("ContinuationToken", query.token),
    optional("NextContinuationToken", page.resumeAfter === undefined ? undefined : tokenFor(page.resumeAfter)),
    optional("StartAfter", query.startAfter === undefined ? undefined : encode(query.startAfter)),
    ...page.objects.map((object) => contentsElement(object, encode)),
    ...page.commonPrefixes.map((one) => `<CommonPrefixes>${textElement("Prefix", encode(one))}</CommonPrefixes>`),
  ];
  return s3Document("ListBucketResult", fields.join(""));
}

export function listObjects(state: StoreState, bucket: Bucket, request: S3Request): Answer {
  const query = parseQuery(request.query ?? new URLSearchParams(), state.pageSize);
  if (query === undefined) return errorAnswer(request, { status: 400, code: "InvalidArgument" });
  const agoMs = state.quirks.staleListMs;
  const view = agoMs === undefined ? bucket : bucket.asOf(agoMs);
  const { listings } = state.quirks;
  const isFolder = query.prefix === "" || query.prefix.endsWith("/");
  if (listings === "folders-only" && (!isFolder || query.startAfter !== undefined)) {
    const message = "This bucket lists prefixes that end in a delimiter only, and does not know StartAfter.";
    return errorAnswer(request, { status: 400, code: "InvalidRequest", message });
  }
  const page = collect(view, {
    ...query,
    ...(listings === "folders-or-nothing" && !isFolder ? { keysMax: 0, prefix: "\u0000" } : {}),
    ...(listings === "any-prefix" ? { prefix: "" } : {}),
    ...(listings === "endless" ? { resumeAfter: undefined } : {}),
  });
  if (listings === "unordered" || listings === "folders-only") page.objects.reverse();
  return xmlAnswer(
    toXml(bucket.name, query, listings === "first-page-only" ? { ...page, resumeAfter: undefined } : page),
  );
}
