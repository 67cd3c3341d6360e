const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const NAMED: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/** Control characters, tabs and line breaks become numeric references, as parsers would normalise or drop them. */
export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and they must survive.
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (char) => NAMED.get(char) ?? `&#${char.charCodeAt(0)};`);
}

/** One element; the content is escaped text. */
export function textElement(name: string, content: string | number | boolean): string {
  return `<${name}>${typeof content === "string" ? escapeXml(content) : content}</${name}>`;
}

/** A whole document in S3's namespace; `content` is XML already. */
export function s3Document(root: string, content: string): string {
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}">${content}</${root}>`;
}

/** S3's error documents have no namespace. */
export function errorDocument(content: string): string {
  return `${DECLARATION}<Error>${content}</Error>`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (/^#x/i.test(name)) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return ENTITIES.get(name) ?? whole;
  });
}

/** The raw contents of each element of this name that does not contain another of the same name. */
export function elementsIn(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"));
  return Array.from(found, (match) => match[1] ?? "");
}

/** The text of the first element of this name. */
export function textIn(xml: string, name: string): string | undefined {
  const raw = elementsIn(xml, name)[0];
  return raw === undefined ? undefined : unescapeXml(raw);
}
