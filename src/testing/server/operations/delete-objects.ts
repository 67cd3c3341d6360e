import type { Bucket } from "../buckets/bucket.js";
import { refusalOfDelete, type WriteRefusal } from "../buckets/conditions.js";
import type { StoreState } from "../buckets/store-state.js";
import { removeObject } from "../buckets/versioned-objects.js";
import { type Answer, errorAnswer, xmlAnswer } from "../wire/answer.js";
import type { S3Request } from "../wire/s3-request.js";
import { elementsIn, s3Document, textElement, textIn } from "../wire/xml.js";

const OBJECTS_MAX = 1000;

function failure(key: string, refusal: WriteRefusal): string {
  const codes: Partial<Record<WriteRefusal, string>> = { missing: "NoSuchKey", "not-implemented": "NotImplemented" };
  const code = codes[refusal] ?? "PreconditionFailed";
  return `<Error>${textElement("Key", key)}${textElement("Code", code)}${textElement("Message", code)}</Error>`;
}

/** Deletes or refuses each object by itself; the answer is 200 either way. */
export function deleteObjects(state: StoreState, bucket: Bucket, request: S3Request): Answer {
  const xml = request.body?.toString("utf8") ?? "";
  const entries = elementsIn(xml, "Object").map((entry) => ({
    key: textIn(entry, "Key"),
    etag: textIn(entry, "ETag"),
  }));
  if (entries.length === 0 || entries.length > OBJECTS_MAX) {
    return errorAnswer(request, { status: 400, code: "MalformedXML" });
  }
  const isQuiet = textIn(xml, "Quiet") === "true";
  let content = "";
  for (const { key, etag } of entries) {
    if (key === undefined) return errorAnswer(request, { status: 400, code: "MalformedXML" });
    const refusal = refusalOfDelete(etag, bucket.get(key), state.quirks);
    if (refusal === undefined) removeObject(state, bucket, key);
    if (refusal !== undefined) content += failure(key, refusal);
    else if (!isQuiet) content += `<Deleted>${textElement("Key", key)}</Deleted>`;
  }
  return xmlAnswer(s3Document("DeleteResult", content));
}
