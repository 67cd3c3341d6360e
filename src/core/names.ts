/**
 * Lock name to object key and back, one-to-one.
 *
 * Letters, digits, `-` and `_` stand for themselves (the key that 1.x wrote for such a name), and so does a `/` between
 * two non-empty parts. Every other byte of the name's UTF-8 is written as a dot and two hex digits: a dot is in S3's list
 * of safe characters and needs no URL encoding, and since dots are escaped themselves, no key has a `..` in it. A lone
 * surrogate has no UTF-8; it is written as the three bytes that the generalisation of UTF-8 gives it (WTF-8).
 */

/** S3's limit on a key, in bytes; encoded names are ASCII, a prefix may not be. */
export const MAX_KEY_BYTES = 1024;

const SUFFIX = ".json";
const PLAIN = /[A-Za-z0-9_-]/;

export type KeyResult =
  | { readonly ok: true; readonly key: string }
  | { readonly ok: false; readonly problem: "empty" | "too-long"; readonly keyBytes: number };

/** Gives the key of a lock, or says why the name cannot have one. */
export function keyOfName(keyPrefix: string, name: string): KeyResult {
  return checkedKey(name, `${keyPrefix}${encodeName(name)}${SUFFIX}`);
}

function checkedKey(name: string, key: string): KeyResult {
  if (name === "") return { ok: false, problem: "empty", keyBytes: 0 };
  const keyBytes = utf8Length(key);
  return keyBytes > MAX_KEY_BYTES ? { ok: false, problem: "too-long", keyBytes } : { ok: true, key };
}

/** Gives the name of the lock under this key, or undefined where the key is not one that {@link keyOfName} gives. */
export function nameOfKey(keyPrefix: string, key: string): string | undefined {
  if (!key.startsWith(keyPrefix) || !key.endsWith(SUFFIX)) return undefined;
  const encoded = key.slice(keyPrefix.length, key.length - SUFFIX.length);
  const name = decodeName(encoded);
  // Only the canonical spelling counts: two keys never are the same lock.
  return name !== undefined && name !== "" && encodeName(name) === encoded ? name : undefined;
}

/**
 * Makes the key of one of the further records of a semaphore, by that of the first. It is the key of no name: a
 * name's keys have two hex digits after each dot.
 */
export function keyOfPart(anchorKey: string, part: number): string {
  return `${anchorKey.slice(0, -SUFFIX.length)}.part${part}${SUFFIX}`;
}

/** Finds the key of the first of a semaphore's records, by that of another one. */
export function anchorOfPart(key: string): string | undefined {
  const anchor = key.replace(PART_SUFFIX, SUFFIX);
  return anchor === key ? undefined : anchor;
}

const PART_SUFFIX = /\.part[1-9]\d*\.json$/;

/** Gives what the keys of all names with this beginning start with; other names' keys may start with it as well. */
export function keyPrefixOfNames(keyPrefix: string, namePrefix: string): string {
  // How a slash is written depends on what follows it, and half a surrogate pair is not a character yet.
  return keyPrefix + encodeName(namePrefix.replace(/[/\ud800-\udbff]+$/, ""));
}

/** Gives the key that 1.x gave a lock: every character that is not plain became `_`, so different names could share a key. */
export function keyOfNameIn1x(keyPrefix: string, name: string): KeyResult {
  return checkedKey(name, `${keyPrefix}${name.replace(/[^a-zA-Z0-9-_]/g, "_")}${SUFFIX}`);
}

function encodeName(name: string): string {
  let encoded = "";
  let index = 0;
  for (const character of name) {
    encoded += PLAIN.test(character) || isSeparator(name, index) ? character : escapeCharacter(character);
    index += character.length;
  }
  return encoded;
}

/** Says whether a slash stands for itself: only between two non-empty parts, as S3 consoles and file systems trip over empty ones. */
function isSeparator(name: string, index: number): boolean {
  const isSlash = (at: number) => name.charAt(at) === "/";
  return isSlash(index) && index > 0 && index < name.length - 1 && !isSlash(index - 1) && !isSlash(index + 1);
}

function escapeCharacter(character: string): string {
  return wtf8Bytes(character.codePointAt(0) as number)
    .map((byte) => `.${byte.toString(16).padStart(2, "0")}`)
    .join("");
}

function wtf8Bytes(codePoint: number): number[] {
  const tail = (shift: number) => 0x80 | ((codePoint >> shift) & 0x3f);
  if (codePoint < 0x80) return [codePoint];
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), tail(0)];
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), tail(6), tail(0)];
  return [0xf0 | (codePoint >> 18), tail(12), tail(6), tail(0)];
}

function decodeName(encoded: string): string | undefined {
  let name = "";
  let at = 0;
  while (at < encoded.length) {
    const character = encoded.charAt(at);
    if (character !== ".") {
      name += character;
      at += 1;
      continue;
    }
    const decoded = decodeEscape(encoded, at);
    if (decoded === undefined) return undefined;
    name += String.fromCodePoint(decoded.codePoint);
    at = decoded.end;
  }
  return name;
}

/** Reads one character's escapes, or makes something of what are not escapes: encoding the result again shows which it was. */
function decodeEscape(encoded: string, start: number): { codePoint: number; end: number } | undefined {
  const lead = escapedByte(encoded, start);
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let codePoint = lead & (length === 1 ? 0x7f : 0x7f >> length);
  for (let index = 1; index < length; index += 1) {
    codePoint = (codePoint << 6) | (escapedByte(encoded, start + index * 3) & 0x3f);
  }
  return codePoint > 0x10ffff ? undefined : { codePoint, end: start + length * 3 };
}

function escapedByte(encoded: string, at: number): number {
  return Number.parseInt(encoded.slice(at + 1, at + 3), 16);
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += wtf8Bytes(character.codePointAt(0) as number).length;
  return bytes;
}
