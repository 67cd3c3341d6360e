import { decodeKey, elementOf } from "../store/s3/answers/document.js";

/** What one page of a listing has. */
export interface Listing {
  readonly keys: readonly string[];
  readonly etags: ReadonlyMap<string, string>;
  readonly next: string | undefined;
}

/** Reads the document of ListObjectsV2: its elements are flat, and keys are URL-encoded where the store says so. */
export function parseListing(text: string): Listing {
  const isEncoded = elementOf(text, "EncodingType") === "url";
  const keys: string[] = [];
  const etags = new Map<string, string>();
  for (const [, contents = ""] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
    const shown = elementOf(contents, "Key");
    if (shown === undefined) continue;
    const key = isEncoded ? decodeKey(shown) : shown;
    const etag = elementOf(contents, "ETag");
    keys.push(key);
    if (etag !== undefined) etags.set(key, etag);
  }
  const isTruncated = elementOf(text, "IsTruncated") === "true";
  return { keys, etags, next: isTruncated ? elementOf(text, "NextContinuationToken") : undefined };
}
