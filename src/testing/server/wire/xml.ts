const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const NAMED: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/** Escapes text for XML. Control characters, tabs and line breaks become numeric references, as parsers would normalise or drop them. */
export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and they must survive.
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (char) => NAMED.get(char) ?? `&#${char.charCodeAt(0)};`);
}

/** Writes one element, its content escaped. */
export function textElement(name: string, content: string | number | boolean): string {
  return `<${name}>${typeof content === "string" ? escapeXml(content) : content}</${name}>`;
}

/** Writes a whole document in S3's namespace; `content` is XML already. */
export function s3Document(root: string, content: string): string {
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}">${content}</${root}>`;
}

/** Writes an error document, which in S3 has no namespace. */
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

const CODE_POINT_MAX = 0x10ffff;

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,8}|#\d{1,10}|\w{1,8});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES.get(name) ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= CODE_POINT_MAX ? String.fromCodePoint(code) : whole;
  });
}

/**
 * Finds the raw contents of each element of this name that does not contain another of the same name. Looks at each character a few
 * times at most, whatever it is given: a pattern would take minutes for a megabyte of opening tags.
 */
export function elementsIn(xml: string, name: string): string[] {
  const found: string[] = [];
  const [opening, closing] = [`<${name}`, `</${name}>`];
  for (let at = xml.indexOf(opening); at >= 0; at = xml.indexOf(opening, at)) {
    at += opening.length;
    if (!/[\s>]/.test(xml.charAt(at))) continue;
    const start = xml.indexOf(">", at) + 1;
    const end = start === 0 ? -1 : xml.indexOf(closing, start);
    if (end < 0) break;
    found.push(xml.slice(start, end));
    at = end + closing.length;
  }
  return found;
}

/** Reads the text of the first element of this name. */
export function textIn(xml: string, name: string): string | undefined {
  const raw = elementsIn(xml, name)[0];
  return raw === undefined ? undefined : unescapeXml(raw);
}
