import type { UnknownOutcome } from "../../object-store.js";
import type { Transmission } from "./transmission.js";

/** A 404 that does not say NoSuchKey: the store's way of saying it, or the page of something on the way. */
export interface Bare404 {
  readonly kind: "bare-404";
  /** Equal for all answers that the same server gives about missing keys. */
  readonly looks: string;
  /** What it comes to unless the store was seen to answer like this. */
  readonly outcome: UnknownOutcome;
}

/** A whole answer to a read, without the ETag by which a write could replace just what was read. */
export interface NoEtag {
  readonly kind: "no-etag";
  /** Undefined where it was too long to be read. */
  readonly body: string | undefined;
  /** What it comes to unless it was the store that answered. */
  readonly outcome: UnknownOutcome;
}

/** Headers that come and go with a connection or a moment. */
const PASSING: ReadonlySet<string> = new Set([
  "date",
  "age",
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
]);

/** Sums up all of an answer that does not change with the key or the request. */
export function looksOf({ headers = {}, text = "" }: Transmission, key: string): string {
  const names = Object.keys(headers).filter((name) => !PASSING.has(name));
  const isAboutThis = (word: string) => /\d/.test(word) || word === key || word.endsWith(`/${key}`);
  const words = text.slice(0, 2_000).split(/[^\w/.%~-]+/);
  return JSON.stringify([
    names.sort(),
    headers["content-type"],
    headers["server"],
    words.filter((word) => !isAboutThis(decoded(word))),
  ]);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
