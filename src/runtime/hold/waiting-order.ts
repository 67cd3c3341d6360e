import { type Arrival, compareArrivals } from "../../core/queue.js";

interface Place<T> extends Arrival {
  readonly value: T;
  /** Callers who come in the same instant are served as they come. */
  readonly number: number;
}

/**
 * The callers who wait in one process, in the order of `core`: what one of them may expect of a lock's queue is so here as well. To
 * join and to leave takes hardly longer however many there are: thousands of callers may give up in one turn of the event loop, as
 * when a server stops.
 */
export class WaitingOrder<T extends Arrival> implements Iterable<T> {
  readonly #places = new Map<T, Place<T>>();
  /** All places in order, in blocks: in one long list, each that joins or leaves would move all behind it. None is empty. */
  readonly #blocks: Place<T>[][] = [];
  #joined = 0;

  get size(): number {
    return this.#places.size;
  }

  has(value: T): boolean {
    return this.#places.has(value);
  }

  get first(): T | undefined {
    return this.#blocks[0]?.[0]?.value;
  }

  join(value: T): void {
    const { priority, sinceMs } = value;
    const place = { value, priority, sinceMs, number: this.#joined };
    this.#joined += 1;
    this.#places.set(value, place);
    if (this.#blocks.length === 0) return void this.#blocks.push([place]);
    const at = this.#blockOf(place);
    const block = this.#blocks[at] as Place<T>[];
    block.splice(indexIn(block, place), 0, place);
    if (block.length > MAX_BLOCK) this.#blocks.splice(at + 1, 0, block.splice(MAX_BLOCK / 2));
  }

  /** Takes a caller out; does nothing where it has left already. */
  leave(value: T): void {
    const place = this.#places.get(value);
    if (place === undefined) return;
    this.#places.delete(value);
    const at = this.#blockOf(place);
    const block = this.#blocks[at] as Place<T>[];
    block.splice(indexIn(block, place), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const block of [...this.#blocks]) {
      for (const { value } of [...block]) if (this.#places.has(value)) yield value;
    }
  }

  /** Finds the first block that ends with this place or behind it; the last one where all end before. */
  #blockOf(place: Place<T>): number {
    const endsBefore = (block: Place<T>[]) => comparePlaces(block.at(-1) as Place<T>, place) < 0;
    return Math.min(countWhile(this.#blocks, endsBefore), this.#blocks.length - 1);
  }
}

/** Few enough to be moved at once, and enough that tens of thousands of waiters are in a few hundred blocks. */
const MAX_BLOCK = 256;

function comparePlaces<T>(one: Place<T>, other: Place<T>): number {
  return compareArrivals(one, other) || one.number - other.number;
}

/** Finds where the place is in a block, or would be. */
function indexIn<T>(block: readonly Place<T>[], place: Place<T>): number {
  return countWhile(block, (other) => comparePlaces(other, place) < 0);
}

/** Counts for how many it is true, where those come first. */
function countWhile<Item>(items: readonly Item[], isTrue: (item: Item) => boolean): number {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isTrue(items[middle] as Item)) from = middle + 1;
    else to = middle;
  }
  return from;
}
