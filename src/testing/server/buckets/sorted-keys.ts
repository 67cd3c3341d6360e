/** Puts surrogates, which encode the code points above U+FFFF, behind all other code units. */
function weight(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Compares as the bytes of UTF-8 do, which is the order in which S3 lists; JavaScript's own order is by UTF-16 unit. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i);
    if (difference !== 0) return weight(a.charCodeAt(i)) - weight(b.charCodeAt(i));
  }
  return a.length - b.length;
}

/** Finds the first position whose key is not less than `key`. */
export function positionOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(keys[middle] ?? "", key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys kept in order as they come and go, so that a listing need not sort. */
export class SortedKeys {
  readonly #keys: string[] = [];

  get all(): readonly string[] {
    return this.#keys;
  }

  add(key: string): void {
    this.#keys.splice(positionOf(this.#keys, key), 0, key);
  }

  remove(key: string): void {
    const position = positionOf(this.#keys, key);
    if (this.#keys[position] === key) this.#keys.splice(position, 1);
  }
}
