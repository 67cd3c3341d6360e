// npm run doc-tables      writes the tables of options and of errors in the guide, from the doc comments
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Each page with its table. A test compares them with the doc comments, so that neither says something else. */
export const TABLES: readonly { readonly page: string; readonly lines: () => readonly string[] }[] = [
  { page: "docs/guide/options.md", lines: optionRows },
  { page: "docs/guide/errors.md", lines: errorRows },
];

/** Where the guide says more: of an option, or of a code. */
const MORE: Readonly<Record<string, string>> = {
  store: "[a store of your own](adapters.md)",
  oncePrefix: "[run once](run-once.md)",
  semaphorePrefix: "[semaphores](semaphores.md)",
  storeHeaders: "[which go where](stores.md#what-a-bucket-may-want-to-see)",
  maxRetries: "[waiting](waiting.md)",
  lockTimeoutMs: "[losing a lock](losing-a-lock.md)",
  clockSkewToleranceMs: "[time](time.md)",
  takeover: "[time](time.md)",
  keyEncoding: "[migrating](migrating.md#names-and-keys)",
  verify: "[choosing a store](choosing-a-store.md)",
  logger: "[what it gets](telemetry.md#logs)",
  lost: "[losing a lock](losing-a-lock.md)",
  deadlock: "[deadlocks](waiting.md#deadlocks)",
  "access-denied": "[permissions](permissions.md)",
  "store-unsafe": "[choosing a store](choosing-a-store.md)",
  "permits-differ": "[semaphores](semaphores.md)",
  "fenced-out": "[objects in S3](fencing.md#objects-in-s3)",
};

/** In the order of the source: how the store is reached, then what every mutex has. */
const OPTION_TYPES = [
  { file: "src/options/s3-options.ts", begins: "export type S3ClientOption" },
  { file: "src/options/s3-options.ts", begins: "export interface S3MutexBaseOptions" },
  { file: "src/options/mutex-options.ts", begins: "export interface StoreMutexOptions" },
  { file: "src/options/mutex-options.ts", begins: "export interface MutexOptions" },
];

function optionRows(): readonly string[] {
  const options = OPTION_TYPES.flatMap(({ file, begins }) => {
    const source = readFileSync(file, "utf8");
    const [body = ""] = /[\s\S]*?\n(?:\};?|\s{4}\};)\n/.exec(source.slice(source.indexOf(begins))) ?? [];
    return [...body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n\s*readonly (\w+)\??: (?!undefined;)/g)];
  });
  return [
    "| Option | Default | |",
    "| --- | --- | --- |",
    ...options.map(([, comment = "", name = ""]) => {
      const [, value] = /@default (.+?)\s*$/.exec(plain(comment)) ?? [];
      const shown = value === undefined || value === "random" ? (value ?? "") : `\`${value}\``;
      const text = plain(comment).replace(/\s*@default .*$/, "");
      return `| \`${name}\` | ${shown} | ${MORE[name] === undefined ? text : `${text.replace(/\.$/, "")}${more(name)}.`} |`;
    }),
  ];
}

function errorRows(): readonly string[] {
  const [, comment = ""] =
    /\/\*\*([\s\S]*?)\*\/\nexport type S3MutexErrorCode/.exec(readFileSync("src/errors.ts", "utf8")) ?? [];
  const rows = comment.split("\n").flatMap((line) => (line.startsWith(" * |") ? [line.slice(3)] : []));
  return rows.map((row) => row.replace(/^\| `([\w-]+)` \|.*?(?= \|$)/, (text, code) => `${text}${more(code)}`));
}

/** Makes one line of Markdown of a comment. */
function plain(comment: string): string {
  return comment
    .replace(/^\s*\* ?/gm, "")
    .replace(/\{@link ([^}]+)\}/g, "`$1`")
    .replace(/\s+/g, " ")
    .trim();
}

function more(name: string): string {
  return MORE[name] === undefined ? "" : ` (${MORE[name]})`;
}

/** Gives the page with its table anew: from its first row to the line that is not one. */
export function withTable(page: string, lines: readonly string[]): string {
  const [head = ""] = lines;
  const [before = "", rest = ""] = split(page, page.indexOf(`\n${head}\n`) + 1);
  return before + lines.join("\n") + rest.replace(/^(?:\|.*\n)+/, "\n");
}

function split(text: string, at: number): readonly [string, string] {
  if (at === 0) throw new Error("The page has no such table.");
  return [text.slice(0, at), text.slice(at)];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { page, lines } of TABLES) writeFileSync(page, withTable(readFileSync(page, "utf8"), lines()));
}
