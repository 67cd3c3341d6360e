import { expect, test } from "vitest";
import { brokenLinksOf } from "../../site/links.js";

const page = (...links: string[]) =>
  `<h1 id="top">A page</h1>${links.map((link) => `<a class="x" href="${link}">there</a>`).join("")}`;

test("links of a built page that lead somewhere are silent", () => {
  const pages = new Map([
    [
      "index.html",
      page(
        "docs/guide.html",
        "./docs/guide.html#top",
        "#top",
        "/docs/guide.html",
        "https://example.com",
        "mailto:a@b.c",
      ),
    ],
    ["docs/guide.html", page("../index.html", "/", "../assets/style.css", "picture.png?v=1")],
  ]);
  const files = ["assets/style.css", "docs/picture.png"];
  expect(brokenLinksOf(pages, (path) => files.includes(path))).toEqual([]);
});

test("a link without a page, and one without an anchor, are named with the page that they stand on", () => {
  const pages = new Map([
    ["index.html", page("gone.html", "docs/guide.html#gone", "#gone")],
    ["docs/guide.html", page("index.html")],
  ]);
  expect(brokenLinksOf(pages, () => false)).toEqual([
    "index.html: gone.html: no such page",
    "index.html: docs/guide.html#gone: no such anchor",
    "index.html: #gone: no such anchor",
    "docs/guide.html: index.html: no such page",
  ]);
});
