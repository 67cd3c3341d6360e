// Builds the site: the guide, what is told of the project, and a reference of the API from the doc comments. Then every link and anchor
// of what came out is followed; one that leads nowhere fails this.
//
//   npm run docs               builds into site/dist
//   npm run docs -- --serve    and shows it
//
// The tools have an installation of their own (`site/package-lock.json`), so that the package's own stays small.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { ENTRIES } from "../site/entries.mjs";
import { brokenLinksOf } from "../site/links.js";
import { root, run } from "./tools.mjs";

const site = join(root, "site");
const pages = join(site, "pages");
const inSite = (name, ...args) => run(process.execPath, [join(site, "node_modules", ...name), ...args], { cwd: site });
const IS_PAGE = /^(?:[A-Z]+\.md|docs\/.+|examples\/README\.md|findings\/README\.md)$/;
const VITEPRESS = ["vitepress", "bin", "vitepress.js"];

if (!isInstalled()) must("npm ci in site/", await run("npm", ["ci", "--prefix", "site", "--no-audit", "--no-fund"]));
rmSync(pages, { recursive: true, force: true });
await copyPages();
must("the reference", await inSite(["typedoc", "bin", "typedoc"]));
nameEntries();
must("the site", await inSite(VITEPRESS, "build", "."));

const dist = join(site, "dist");
const built = new Map(htmlIn(dist).map((path) => [relative(dist, path), readFileSync(path, "utf8")]));
const broken = brokenLinksOf(built, (path) => existsSync(join(dist, path)));
for (const line of broken) console.error(line);
console.log(`${built.size} pages in site/dist, ${broken.length} broken links`);
if (broken.length > 0) process.exit(1);
if (process.argv.includes("--serve")) {
  await run(process.execPath, [join(site, "node_modules", ...VITEPRESS), "preview", site], { stdio: "inherit" });
}

/** Whether what is installed is what the lock file says. */
function isInstalled() {
  const installed = join(site, "node_modules", ".package-lock.json");
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(site, "package-lock.json")).mtimeMs;
}

/** What people read, as git has it: each where it is, so that links between them hold. */
async function copyPages() {
  const { output } = await run("git", ["ls-files", "*.md", "docs/images"]);
  for (const path of output.split("\n").filter((name) => IS_PAGE.test(name))) {
    mkdirSync(dirname(join(pages, path)), { recursive: true });
    copyFileSync(join(root, path), join(pages, path));
  }
}

/** The tool calls an entry by its folder: a reader looks for what is imported. */
function nameEntries() {
  for (const { name, folder } of ENTRIES) {
    const page = join(pages, "reference", folder, "index.md");
    writeFileSync(page, readFileSync(page, "utf8").replace(/^# .*/, `# ${name}`));
  }
  const list = ENTRIES.map(({ name, folder }) => `- [${name}](${folder}/index.md)`).join("\n");
  writeFileSync(join(pages, "reference", "index.md"), `# API\n\nWhat each entry of the package exports.\n\n${list}\n`);
}

function htmlIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith(".html"))
    .map((path) => join(folder, path));
}

function must(what, { status, output }) {
  if (status === 0) return;
  console.error(output);
  console.error(`${what}: failed`);
  process.exit(1);
}
