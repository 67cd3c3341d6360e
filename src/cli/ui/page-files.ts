import { readFile } from "node:fs/promises";
import { extname } from "node:path";

/** One file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** All that the page consists of; nothing else can be asked for. */
const FILES = ["index.html", "style.css", "icon.svg", "main.js"];

/** Where the build puts the page's script, and the other files beside it. */
const SCRIPT = new URL("./page/main.js", import.meta.url);

/** Reads the page's files once, by their paths. */
export async function loadPageFiles(script = SCRIPT): Promise<ReadonlyMap<string, PageFile>> {
  const files = FILES.map(async (name): Promise<[string, PageFile]> => {
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    return [name === "index.html" ? "/" : `/${name}`, { type, body: await readFile(new URL(name, script)) }];
  });
  return new Map(await Promise.all(files));
}

/** The page loads what this server sends and nothing else, and runs nothing that is written into it. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};
