import { elementOf } from "./document.js";
import type { Transmission } from "./transmission.js";

/** What S3 itself says with an error: its code, and its words where it has any. */
export interface S3Words {
  readonly code: string;
  readonly message: string;
}

/**
 * Reads the error document of an answer. Only S3 writes one: the SDK makes up a name for every other page with that status, so that the 404
 * of an ingress would read like that of a missing key.
 */
export function s3WordsOf({ text }: Transmission): S3Words | undefined {
  if (text === undefined || !ERROR_DOCUMENT.test(text)) return undefined;
  const code = elementOf(text, "Code")?.trim() ?? "";
  return code === "" ? undefined : { code, message: elementOf(text, "Message")?.trim() ?? "" };
}

const ERROR_DOCUMENT = /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?Error(?:Response)?[\s>]/;

/** Says whether the body of an answer is a page for people, as portals, proxies and login pages send. */
export function isPage(text: string | undefined): boolean {
  return text !== undefined && /^\uFEFF?\s*(?:<!doctype html|<html|<head|<body|<!--)/i.test(text);
}

/** Describes for people what came in place of an answer of S3: `text/plain "404 page not found"`. */
export function describeBody({ headers, text = "" }: Transmission): string {
  const type = headers?.["content-type"]?.split(";")[0]?.trim();
  const words = readable(text);
  const body = words === "" ? "an empty body" : `"${words.length > 100 ? `${words.slice(0, 100)}...` : words}"`;
  return type === undefined || type === "" ? body : `${type}, ${body}`;
}

/** Extracts the words of a page, without its markup, and without what a terminal would act on. */
function readable(text: string): string {
  const start = text.slice(0, 4_000).replace(/<(style|script)[\s\S]*?<\/\1>/gi, " ");
  return start
    .replace(/<[^>]*>/g, " ")
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
}
