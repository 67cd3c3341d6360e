import { printable, UNPRINTABLE } from "../../printable.js";

export { printable };

/** Does what {@link printable} does, in JSON, where it can be spelt out without meaning anything else. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, at) => {
      const unit = character.charCodeAt(at).toString(16);
      return `\\u${unit.padStart(4, "0")}`;
    }).join(""),
  );
}

/** Counts the columns that a text takes up on a terminal; it has no colours in it. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : DOUBLE_WIDTH.test(character) ? 2 : 1;
  return width;
}

const NO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200d]/u;
const DOUBLE_WIDTH =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Cuts a text that does not fit to the beginning that does, with a sign that there is more. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let beginning = "";
  for (const character of text) {
    if (widthOf(beginning + character) > width - 1) break;
    beginning += character;
  }
  return `${beginning}…`;
}

/** Breaks a text between words into lines of this width at most; a word that is wider itself has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function padded(text: string, width: number, alignment: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return alignment === "left" ? text + space : space + text;
}

/** No lock is older, nor any lease longer: a record that says so is wrong, and by how much does not matter. */
const LONGEST_AGE_MS = 100 * 365 * 24 * 60 * 60 * 1000;

/**
 * Writes a length of time for people: `850ms`, `41s`, `3m12s`, `2h05m`, `3d04h`; with a minus where it is negative, `100y+` where it is
 * beyond belief, `?` where it is not a number.
 */
export function ageText(ageMs: number): string {
  if (Number.isNaN(ageMs)) return "?";
  if (Math.abs(ageMs) > LONGEST_AGE_MS) return ageMs < 0 ? "-100y+" : "100y+";
  if (ageMs < 0) return `-${ageText(-ageMs)}`;
  if (ageMs < 1000) return `${Math.round(ageMs)}ms`;
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  const twoDigits = (count: number) => String(count).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${twoDigits(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${twoDigits(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${twoDigits(hours % 24)}h`;
}

/** Writes a count and what is counted: `1 lock`, `5,000 locks` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
