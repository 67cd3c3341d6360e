import type { IncomingHttpHeaders } from "node:http";
import { decodeAwsChunked, isAwsChunked } from "./aws-chunked.js";
import { operationOf, type S3RequestInfo } from "./operation.js";

/** A request that was received whole. */
export interface S3Request extends S3RequestInfo {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams | undefined;
  /** With AWS's chunk framing undone; `undefined` where that was malformed. */
  readonly body: Buffer | undefined;
  /** More was sent than this server keeps: nothing of it is in `body`. */
  readonly isTooLarge: boolean;
  readonly requestId: string;
  /** On the monotonic clock of this process. */
  readonly receivedAtMs: number;
}

/** What of a request was seen before its body. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

interface Target {
  readonly bucket?: string;
  readonly key?: string;
  readonly query: URLSearchParams | undefined;
}

/**
 * Takes the address apart by hand: `new URL` would resolve `a/../b`, which is a perfectly good key. `undefined`: not
 * percent-encoded UTF-8.
 */
function parseTarget(url: string, host: string | undefined): Target | undefined {
  const mark = url.indexOf("?");
  const query = mark < 0 ? undefined : new URLSearchParams(url.slice(mark + 1));
  const path = (mark < 0 ? url : url.slice(0, mark)).slice(1);
  try {
    const hostBucket = host === undefined ? undefined : /^(.+)\.localhost(?::\d+)?$/i.exec(host)?.[1];
    if (hostBucket !== undefined) return target(hostBucket, decodeURIComponent(path), query);
    const slash = path.indexOf("/");
    const bucket = decodeURIComponent(slash < 0 ? path : path.slice(0, slash));
    return target(bucket, slash < 0 ? "" : decodeURIComponent(path.slice(slash + 1)), query);
  } catch {
    return undefined;
  }
}

function target(bucket: string, key: string, query: URLSearchParams | undefined): Target {
  if (bucket === "") return { query };
  return key === "" ? { bucket, query } : { bucket, key, query };
}

/** Reads a request of HTTP as one of S3. `received` is undefined where the body was larger than this server takes. */
export function toS3Request(
  head: RequestHead,
  received: Buffer | undefined,
  requestId: string,
  receivedAtMs: number,
): S3Request {
  const { method, url, headers } = head;
  const found = parseTarget(url, headers.host);
  const body =
    received !== undefined && received.length > 0 && isAwsChunked(headers) ? decodeAwsChunked(received) : received;
  const common = { method, headers, body, isTooLarge: received === undefined, requestId, receivedAtMs };
  if (found === undefined) return { ...common, operation: "Unsupported", query: undefined };
  return { ...common, ...found, operation: operationOf(method, found.bucket, found.key, found.query) };
}

/** Reads a header that can be there only once. */
export function singleHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
