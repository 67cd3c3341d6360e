import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, posix } from "node:path";
import { expect, test } from "vitest";
import { specifiersIn, targetOf } from "../testkit/layers.js";
import { bannedLines, verblessComments } from "./words.js";

/**
 * Style that no linter knows of, for files that git tracks. The length of files and functions, default exports, `export *`
 * and the layers are biome's part (`biome.json`).
 */
const tracked = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && existsSync(path));
const sources = tracked.filter((path) => path.startsWith("src/") && path.endsWith(".ts") && !path.endsWith(".spec.ts"));
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** Binary files, and what is written by tools from what is looked at itself. */
const NOT_TEXT = /\.(png|ico|gz|tgz)$/;
const texts = new Map(tracked.filter((path) => !NOT_TEXT.test(path)).map((path) => [path, readFileSync(path, "utf8")]));

/** Gives `file:line: what is there` for every match; an empty list passes. */
function occurrences(pattern: RegExp, paths: Iterable<string>): string[] {
  return [...paths].flatMap((path) =>
    (texts.get(path) ?? "")
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

test("files are named after what they do, not after being of help", () => {
  const vague = tracked.filter((path) => /^(utils?|helpers?|common|misc)\b/.test(basename(path)));
  expect(vague).toEqual([]);
});

test("a path of this repository that a page or a comment names is there", () => {
  const folders = new Set(
    tracked.flatMap((path) => path.split("/").map((_, depth, parts) => parts.slice(0, depth).join("/"))),
  );
  const top = [...folders].filter((path) => path !== "" && !path.includes("/")).join("|");
  const files = new Set(tracked);
  const isThere = (path: string): boolean =>
    path.includes("*")
      ? tracked.some((one) => globOf(path).test(one))
      : files.has(path) || folders.has(path.replace(/\/$/, ""));
  const named = [...texts].flatMap(([path, text]) => pathsIn(path, text, top).map((target) => ({ path, target })));
  expect(named.length).toBeGreaterThan(200);
  const missing = named.filter(({ target }) => !BUILT.test(target) && !isThere(target));
  expect(missing.map(({ path, target }) => `${path}: ${target}`)).toEqual([]);
});

test("no paragraphs of a page are two blank lines apart", () => {
  const pages = [...texts].filter(([path]) => path.endsWith(".md"));
  expect(
    pages.flatMap(([path, text]) => (/\n\n\n/.test(text.replace(/^```.*?^```/gms, "code")) ? [path] : [])),
  ).toEqual([]);
});

test("nothing is left for later in a comment", () => {
  const later = /\b(TO[D]O|FIX[M]E|X[X]X)\b/;
  expect(occurrences(later, texts.keys())).toEqual([]);
});

test("comments, texts and pages are in the plain English of the field", () => {
  const found = [...texts].flatMap(([path, text]) =>
    (isWorded(path) ? bannedLines(proseIn(path, text)) : []).map((line) => `${path}:${line}`),
  );
  expect(found.filter((line) => !NAMES_A_FORM.some((form) => form.test(line)))).toEqual([]);
});

test("the comment of a function begins with a verb", () => {
  const programs = tracked.filter((path) => /(?<!\.spec)\.ts$/.test(path));
  const found = programs.flatMap((path) => verblessComments(texts.get(path) ?? "").map((line) => `${path}: ${line}`));
  expect(found).toEqual([]);
});

test("nothing names a machine's folders", () => {
  const folders = ["work", "root", "home", "Users", "private"].join("|");
  expect(occurrences(new RegExp(`(^|[\\s"'\`(=:])/(${folders})/[\\w.]`), texts.keys())).toEqual([]);
});

test("nothing names a package registry, nor where a package was fetched from", () => {
  expect(occurrences(/"resolved":/, ["package-lock.json"])).toEqual([]);
  expect(occurrences(/https?:\/{2}registry\.|^\s*registry\s*=|_auth[T]oken/, texts.keys())).toEqual([]);
});

test("versions of development tools are exact", () => {
  const loose = Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d/.test(String(version)));
  expect(loose).toEqual([]);
});

test("every source file can be reached from an entry of the package", () => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const target of importsOf(path)) visit(target);
  };
  for (const entry of entries()) visit(entry);
  expect(sources.filter((path) => !reached.has(path))).toEqual([]);
});

test("every export of the package has a doc comment", () => {
  const undocumented = entries()
    .filter((entry) => entry.endsWith("index.ts"))
    .flatMap((entry) => reexportsOf(entry))
    .filter(({ name, from }) => !isDocumented(name, from))
    .map(({ name, from }) => `${from}: ${name}`);
  expect(undocumented).toEqual([]);
});

/** Lines that name a banned form, or have it for a reason of their own. */
const NAMES_A_FORM = [
  /^CONTRIBUTING\.md:\d+: (?:Prose names the actor|sentences that begin with "Who")/,
  /^test\/words(?:\.test)?\.ts:/,
  // Part of the traces of all seeds, by which two versions are compared.
  /^sim\/plan\/body\.ts:\d+: const ends = /,
];

/** Says whether people read it: neither what tools have written, nor what 1.x said. */
function isWorded(path: string): boolean {
  if (/^(?:api|stores\/results)\/|^test\/one-x\/examples-of-1/.test(path)) return false;
  return /\.(?:ts|mjs|mts|md|css|html|svg|sh|grit|ya?ml)$|^\.ci\/run$/.test(path);
}

/** Takes the code out of a page: names of variables and the words of programs are their own. */
function proseIn(path: string, text: string): string {
  return path.endsWith(".md") ? text.replace(/`[^`\n]*`/g, "``") : text;
}

/** What a build makes, and what stands for any name. */
const BUILT = /^site\/dist\b|\bNAME\b/;

function globOf(path: string): RegExp {
  const parts = { "**/": "(?:.*/)?", "*": "[^/]*", ".": "\\." };
  return new RegExp(`^${path.replace(/\*\*\/|[*.]/g, (part) => parts[part as keyof typeof parts])}$`);
}

/** Finds the paths in backticks of a page, and those of files in a program. Tests make up paths of their own. */
function pathsIn(path: string, text: string, folders: string): readonly string[] {
  if (path.startsWith("test/")) return [];
  const form = path.endsWith(".md")
    ? new RegExp(`\`((?:${folders})/[\\w./*-]*)\``, "g")
    : new RegExp(`(?<![\\w./-])((?:${folders})/[\\w./-]*\\w\\.(?:ts|md|mjs|sh|svg|json))\\b`, "g");
  return isWorded(path) ? [...text.matchAll(form)].flatMap(([, found]) => found ?? []) : [];
}

/** Finds the sources of what `exports` and `bin` name. */
function entries(): string[] {
  const exported = Object.values(manifest.exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry]));
  const built = [
    ...exported.map((entry) => (entry as { import: { default: string } }).import.default),
    ...Object.values(manifest.bin),
  ];
  return built
    .map((path) => posix.normalize(String(path)).replace(/^dist\/(.*)\.js$/, "src/$1.ts"))
    .filter((path) => sources.includes(path));
}

/** Finds what is imported, and what is started as a process of its own. */
function importsOf(path: string): string[] {
  const code = texts.get(path) ?? "";
  const started = [...code.matchAll(/\bnew URL\("(?:\.\/)?([^"]+\.js)"/g)].map(([, file]) => `./${file}`);
  return [...specifiersIn(code), ...started].flatMap((specifier) => targetOf(path, specifier) ?? []);
}

function reexportsOf(entry: string): { name: string; from: string }[] {
  const statements = (texts.get(entry) ?? "").matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g);
  const all = [...(texts.get(entry) ?? "").matchAll(/export \* from "([^"]+)"/g)];
  const passedOn = all.flatMap(([, specifier = ""]) => reexportsOf(targetOf(entry, specifier) ?? ""));
  const named = [...statements].flatMap(([, names = "", specifier = ""]) =>
    names
      .split(",")
      .map((name) => name.trim().replace(/^type | as \w+$/g, ""))
      .filter((name) => name !== "")
      .map((name) => ({ name, from: targetOf(entry, specifier) ?? specifier })),
  );
  return [...passedOn, ...named];
}

function isDocumented(name: string, path: string): boolean {
  const declaration = new RegExp(
    `\\*/\\nexport (?:declare |abstract |async )*(?:class|interface|type|function|const) ${name}\\b`,
  );
  return declaration.test(texts.get(path) ?? "");
}
