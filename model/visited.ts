/** The states that were met: 64 bits each, and how each was reached first. */
export class Visited {
  /** How many states there are; they are numbered in the order in which they were met. */
  size = 0;
  #high = new Int32Array(1 << 16);
  #low = new Int32Array(1 << 16);
  #parent = new Int32Array(1 << 16);
  #ordinal = new Uint8Array(1 << 16);
  /** Open addressing; numbers of states plus one. */
  #slots = new Int32Array(1 << 18);

  /** Notes a state and how it was reached: by which event of which state. False if it was known. */
  add(high: number, low: number, parent: number, ordinal: number): boolean {
    const slot = this.#slotOf(high, low);
    if (this.#slots[slot] !== 0) return false;
    if (this.size === this.#high.length) this.#grow();
    this.#high[this.size] = high;
    this.#low[this.size] = low;
    this.#parent[this.size] = parent;
    this.#ordinal[this.size] = ordinal;
    this.size += 1;
    this.#slots[slot] = this.size;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return true;
  }

  /** Lists the events that lead to a state, as their ordinals. */
  pathTo(state: number): readonly number[] {
    const path: number[] = [];
    for (let at = state; at > 0; at = this.#parent[at] as number) path.push(this.#ordinal[at] as number);
    return path.reverse();
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (low ^ Math.imul(high, 0x9e3779b1)) & mask; ; slot = (slot + 1) & mask) {
      const state = (this.#slots[slot] as number) - 1;
      if (state === -1 || (this.#high[state] === high && this.#low[state] === low)) return slot;
    }
  }

  #grow(): void {
    this.#high = longer(this.#high, new Int32Array(this.size * 2));
    this.#low = longer(this.#low, new Int32Array(this.size * 2));
    this.#parent = longer(this.#parent, new Int32Array(this.size * 2));
    this.#ordinal = longer(this.#ordinal, new Uint8Array(this.size * 2));
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let state = 0; state < this.size; state += 1) {
      this.#slots[this.#slotOf(this.#high[state] as number, this.#low[state] as number)] = state + 1;
    }
  }
}

function longer<Numbers extends Int32Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}
