import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig } from "vitepress";
import { anchorOf } from "../anchors.mjs";
import { ENTRIES } from "../entries.mjs";

/**
 * The pages are those of the repository: nothing is written twice. `npm run docs` copies them to `pages`, adds the API reference, builds,
 * and checks every link and anchor of what came out.
 */
const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("../pages/", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What is a page of the site; all other files of the repository are named, and not linked. */
const PAGES = /^(?:[A-Z]+\.md|docs\/.+\.md|examples\/README\.md|findings\/README\.md|reference\/.+\.md)$/;

export default defineConfig({
  srcDir: pages,
  outDir: "dist",
  rewrites: Object.fromEntries(
    ["", "docs/guide/", "examples/", "findings/"].map((folder) => [`${folder}README.md`, `${folder}index.md`]),
  ),
  title: manifest.name,
  description: manifest.description,
  cleanUrls: false,
  markdown: {
    anchor: { slugify: anchorOf },
    config(md) {
      md.core.ruler.push("files of the repository", (state) => {
        const page = (state.env as { relativePath?: string; path?: string }).path ?? "";
        for (const token of state.tokens) {
          if (token.type !== "inline" || token.children === null) continue;
          for (const [index, link] of token.children.entries())
            if (link.type === "link_open") settleLink(token.children, index, page);
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/docs/guide/index" },
      { text: "API", link: "/reference/index" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    sidebar: [...guideOf(), ...referenceOf(), ...proofOf()],
    outline: { level: [2, 3] },
    docFooter: { prev: false, next: false },
  },
});

/** Where a folder begins with its README, the site has an index. A link to a file that is not a page becomes its path. */
function settleLink(children: Token[], index: number, page: string): void {
  const open = children[index] as Token;
  const target = open.attrGet("href") ?? "";
  if (/^(?:[a-z]+:|#|\/)/.test(target)) return;
  const path = relative(pages, normalize(join(dirname(page), decodeURI(target.split("#")[0] ?? ""))));
  if (PAGES.test(path)) return open.attrSet("href", target.replace(/\bREADME\.md\b/, "index.md"));
  const close = children.findIndex((token, at) => at > index && token.type === "link_close");
  open.tag = "span";
  open.attrs = [["title", path]];
  (children[close] as Token).tag = "span";
}

interface Token {
  type: string;
  tag: string;
  attrs: [string, string][] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** As the index of the guide has it. */
function guideOf(): DefaultTheme.SidebarItem[] {
  const rows = read("docs/guide/README.md").matchAll(/^\| (?!To \||---)([^|]+) \| ([^|]+) \|$/gm);
  return [...rows].map(([, text = "", pages = ""]) => ({
    text: `To ${text}`,
    collapsed: text !== "begin",
    items: [...pages.matchAll(/\[([^\]]+)\]\(([\w-]+)\.md\)/g)].map(([, name = "", page]) => ({
      text: name,
      link: `/docs/guide/${page}`,
    })),
  }));
}

/** One page for each entry of the package; each lists what it exports. */
function referenceOf(): DefaultTheme.SidebarItem[] {
  return [
    {
      text: "API",
      collapsed: false,
      items: ENTRIES.map(({ name, folder }) => ({ text: name, link: `/reference/${folder}/index` })),
    },
  ];
}

/** What is told of the project beside the guide, as the guide's last paragraph has it. */
function proofOf(): DefaultTheme.SidebarItem[] {
  const [, paragraph = ""] = /\nHow the library is proved ([\s\S]+)$/.exec(read("docs/guide/README.md")) ?? [];
  const items = [...paragraph.matchAll(/\[([^\]]+)\]\(\.\.\/([\w-]+)\.md\)/g)].map(([, text = "", page]) => ({
    text,
    link: `/docs/${page}`,
  }));
  const more = [
    { text: "architecture", link: "/ARCHITECTURE" },
    { text: "contributing", link: "/CONTRIBUTING" },
    { text: "security", link: "/SECURITY" },
    { text: "examples", link: "/examples/index" },
    { text: "findings", link: "/findings/index" },
  ];
  return [{ text: "How it is proved", collapsed: true, items: [...items, ...more] }];
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
