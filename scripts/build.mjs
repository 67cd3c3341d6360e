// Compiles src to dist, then removes what is in dist without a source. Not the other way round: dist is never empty, so
// that what runs from it meanwhile (a test's child process, a second build) does not lose its files.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { build } from "esbuild";
import { pruneDeclarations } from "./declarations.mjs";
import { root, runTool } from "./tools.mjs";

const PAGE = join("cli", "ui", "page");
const COMMON_JS = "cjs";
const PAGE_FILES = ["index.html", "icon.svg"];

// Comments stay in the declarations, which editors show, and not in the JavaScript, which would be a third larger.
const statuses = await Promise.all([
  runTool("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"]),
  runTool("tsc", ["-p", "tsconfig.build.json", "--declaration", "false", "--removeComments"]),
  runTool("tsc", ["-p", "tsconfig.cjs.json"]),
  runTool("tsc", ["-p", "tsconfig.page.json"]),
  bundlePage(),
]);
removeStale();
writeManual();
leaveReachableDeclarations();
declareCommonJs();
process.exit(Math.max(...statuses));

/** The dashboard's page, as small as it gets: one script, one style sheet, and what is neither as it is. */
async function bundlePage() {
  const [from, to] = ["src", "dist"].map((folder) => join(root, folder, PAGE));
  mkdirSync(to, { recursive: true });
  for (const file of PAGE_FILES) copyFileSync(join(from, file), join(to, file));
  const entryPoints = ["main.ts", "style.css"].map((file) => join(from, file));
  const options = { bundle: true, minify: true, format: "esm", target: "es2023", charset: "utf8", logLevel: "warning" };
  return build({ entryPoints, outdir: to, ...options }).then(
    () => 0,
    () => 1,
  );
}

/** The manual page, from the help texts: `npm install --global` puts it where `man` looks. */
function writeManual() {
  const main = join(root, "dist", "cli", "main.js");
  const { status, stdout } = spawnSync(process.execPath, [main, "man"], { encoding: "utf8" });
  if (status === 0) writeFileSync(join(root, "dist", "cli", "s3-mutex.1"), stdout);
  else statuses.push(1);
}

function removeStale() {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const file of filesOf(dist)) if (!hasSource(file)) rmSync(join(dist, file), { force: true });
}

/** The paths of all files below a folder. */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function isCommonJs(file) {
  return file.startsWith(COMMON_JS + sep);
}

/** Declarations that no entry point leads to would only make the package larger. */
function leaveReachableDeclarations() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap((entry) =>
    entry.import === undefined ? [] : [join(root, entry.import.types)],
  );
  const dist = join(root, "dist");
  const all = filesOf(dist).filter((file) => file.endsWith(".d.ts") && !isCommonJs(file));
  pruneDeclarations(
    entries,
    all.map((file) => join(dist, file)),
  );
}

/** `require` loads the same sources, compiled to CommonJS in a folder of its own, with the same declarations beside them. */
function declareCommonJs() {
  const dist = join(root, "dist");
  const folder = join(dist, COMMON_JS);
  for (const file of filesOf(dist)) {
    if (!file.endsWith(".d.ts") || isCommonJs(file)) continue;
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    copyFileSync(join(dist, file), join(folder, file));
  }
  for (const file of filesOf(folder))
    if (file.endsWith(".d.ts") && !existsSync(join(dist, file))) rmSync(join(folder, file), { force: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
}

function hasSource(path) {
  const file = isCommonJs(path) ? path.slice(COMMON_JS.length + 1) : path;
  if (file === "package.json") return isCommonJs(path);

  if (dirname(file) === PAGE) return ["main.js", "style.css", ...PAGE_FILES].includes(basename(file));
  const [stem, ending] = splitEnding(file);
  return ending !== "" && !stem.endsWith(".spec") && existsSync(join(root, "src", `${stem}.ts`));
}

function splitEnding(file) {
  const ending = [".d.ts", ".js"].find((candidate) => file.endsWith(candidate)) ?? "";
  return [file.slice(0, file.length - ending.length), ending];
}
