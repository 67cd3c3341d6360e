import { posix } from "node:path";

/**
 * Finds the links of the built pages that lead to no page or file, or to no anchor of one. `pages`: by path, as HTML; `isFile`: whether
 * something else of the site has that path. Links to other sites are not followed.
 */
export function brokenLinksOf(
  pages: ReadonlyMap<string, string>,
  isFile: (path: string) => boolean,
): readonly string[] {
  const anchors = new Map([...pages].map(([path, html]) => [path, new Set(valuesOf(html, "id"))]));
  return [...pages].flatMap(([path, html]) =>
    [...new Set([...valuesOf(html, "href"), ...valuesOf(html, "src")])].flatMap((link) => {
      const why = whyBroken(link, path);
      return why === undefined ? [] : [`${path}: ${link}: ${why}`];
    }),
  );

  function whyBroken(link: string, from: string): string | undefined {
    if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return undefined;
    const [target = "", anchor = ""] = link.split("#");
    const to = target === "" ? from : pageOf(decodeURI(target.split("?")[0] ?? ""), from);
    if (!pages.has(to)) return isFile(to) ? undefined : "no such page";
    return anchor === "" || anchors.get(to)?.has(decodeURIComponent(anchor)) ? undefined : "no such anchor";
  }
}

/** Gives the path of the page that a link leads to. */
function pageOf(target: string, from: string): string {
  const path = target.startsWith("/") ? target.slice(1) : posix.join(posix.dirname(from), target);
  return posix.normalize(path === "" || path.endsWith("/") ? `${path}index.html` : path);
}

function valuesOf(html: string, attribute: string): readonly string[] {
  return [...html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, "g"))].map(([, value = ""]) =>
    value.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'"),
  );
}
