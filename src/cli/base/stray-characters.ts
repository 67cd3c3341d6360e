/** Which characters of a name or an address are not meant: what is wrong with them, and what to do. */
export interface Stray {
  readonly problem: string;
  readonly remedy: string;
}

/** They are invisible, and copying from a page, a document or a chat brings them along. Those that scripts need between letters stay. */
const INVISIBLE = /[\u00a0\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

/** As a unit of systemd, a manifest of Kubernetes, a compose file or a template leaves it where the variable is not set. */
const NOT_FILLED_IN = /\$\{|\$\(|\{\{/;

/** Finds what copying brought in or a template left in: taken as it stands it would be a lock of its own, which goes unnoticed. */
export function strayIn(text: string): Stray | undefined {
  if (/[\r\n]/.test(text)) return { problem: "has a line break in it", remedy: "leave it out" };
  if (/\p{Cc}/u.test(text)) return { problem: "has a control character in it", remedy: "leave it out" };
  const code = INVISIBLE.exec(text)?.[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  if (code !== undefined) return { problem: `has an invisible character in it (U+${code})`, remedy: "leave it out" };
  const variable = NOT_FILLED_IN.exec(text)?.[0];
  if (variable === undefined) return undefined;
  return { problem: `has a variable in it that was not filled in (${variable})`, remedy: "fill it in" };
}
