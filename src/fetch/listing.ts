import { decodeKey } from "../store/s3/answers/url-encoding.js";

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

function elementOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found === undefined ? undefined : unescaped(found);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(lt|gt|quot|apos|amp));/gi, (_, decimal, hex, name) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
      : (ENTITIES[name] ?? ""),
  );
}
