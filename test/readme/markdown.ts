import { existsSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";

/** Gives the cells of a table, by row, without its head; the table is the first one after this heading. */
export function tableAfter(markdown: string, heading: string): readonly (readonly string[])[] {
  const start = markdown.search(new RegExp(`^#+ ${heading}$`, "m"));
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const rows = markdown.slice(start).match(/(?:^\|.*\|\n)+/m)?.[0];
  const lines = (rows ?? "").trim().split("\n").slice(2);
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** Gives the text of the first `code` in a cell. */
export function codeIn(cell: string | undefined): string | undefined {
  return /`([^`]+)`/.exec(cell ?? "")?.[1];
}

/** Gives the contents of blocks in this language. */
export function blocksOf(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, text = ""]) => text,
  );
}

/** Finds the links of a document, images included, that lead to no file, or to no heading of one; those to other sites are not followed. */
export function brokenLinks(document: string): readonly string[] {
  const prose = proseOf(document);
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map(
    ([, one, other]) => one ?? other,
  );
  return targets.filter((target): target is string => target !== undefined && !leadsSomewhere(document, target));
}

function leadsSomewhere(document: string, target: string): boolean {
  if (/^(https?|mailto):/.test(target)) return true;
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? document : posix.join(dirname(document), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(file).has(anchor);
}

/** Lists the anchors of a document, as GitHub makes them. */
function anchorsOf(document: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(document).matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Gives the text of a document without its blocks of code. */
function proseOf(document: string): string {
  return readFileSync(document, "utf8").replace(/^```[\s\S]*?^```$/gm, "");
}
