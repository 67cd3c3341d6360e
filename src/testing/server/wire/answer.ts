import type { S3RequestInfo } from "./operation.js";
import { errorDocument, textElement } from "./xml.js";

/** What goes back to the client; `Date` and the request id are added on the way out. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Buffer | string;
  /** From something on the way: without the marks of S3. */
  readonly isForeign?: boolean;
}

const MESSAGES: ReadonlyMap<string, string> = new Map([
  ["AccessDenied", "Access Denied"],
  ["BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it."],
  ["BucketNotEmpty", "The bucket you tried to delete is not empty"],
  ["ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation"],
  ["EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."],
  ["IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"],
  ["InternalError", "We encountered an internal error. Please try again."],
  ["InvalidBucketName", "The specified bucket is not valid."],
  ["KeyTooLongError", "Your key is too long"],
  ["MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"],
  ["NoSuchBucket", "The specified bucket does not exist"],
  ["NoSuchKey", "The specified key does not exist."],
  ["NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"],
  ["NotImplemented", "A header or query you provided implies functionality that is not implemented"],
  ["PreconditionFailed", "At least one of the pre-conditions you specified did not hold"],
  ["SlowDown", "Please reduce your request rate."],
  ["TooManyRequests", "Reduce your concurrent request rate for the same object."],
]);

const CODE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [400, "InvalidRequest"],
  [403, "AccessDenied"],
  [404, "NoSuchKey"],
  [408, "RequestTimeout"],
  [409, "ConditionalRequestConflict"],
  [412, "PreconditionFailed"],
  [429, "TooManyRequests"],
  [500, "InternalError"],
  [501, "NotImplemented"],
  [502, "BadGateway"],
  [503, "SlowDown"],
  [504, "GatewayTimeout"],
]);

/** Names the code that S3 most often gives with a status. */
export function usualCode(status: number): string {
  return CODE_OF_STATUS.get(status) ?? "UnknownError";
}

/** An error; `extra` is XML for elements beyond the common ones. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  readonly extra?: string;
}

/** Writes an error as S3 words it. The answer to a HEAD has no body, which leaves only the status. */
export function errorAnswer(request: S3RequestInfo & { readonly requestId: string }, error: S3Error): Answer {
  if (request.operation === "HeadObject" || request.operation === "HeadBucket") {
    return { status: error.status, headers: {} };
  }
  const { bucket, key } = request;
  const content = [
    textElement("Code", error.code),
    textElement("Message", error.message ?? MESSAGES.get(error.code) ?? error.code),
    error.extra ?? "",
    bucket === undefined ? "" : textElement("BucketName", bucket),
    key === undefined ? "" : textElement("Key", key),
    textElement("Resource", `/${bucket ?? ""}${key === undefined ? "" : `/${key}`}`),
    textElement("RequestId", request.requestId),
  ];
  return {
    status: error.status,
    headers: { "content-type": "application/xml" },
    body: errorDocument(content.join("")),
  };
}

export function xmlAnswer(body: string): Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

/** Makes an answer of success without anything to say. */
export function emptyAnswer(status: 200 | 204, headers: Answer["headers"] = {}): Answer {
  return { status, headers };
}
