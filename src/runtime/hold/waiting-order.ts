/** Whoever stands in line: whose priority is higher comes first. */
export interface Standing {
  readonly priority: number;
}

interface Place<T> {
  readonly value: T;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

interface Rank<T> {
  readonly priority: number;
  first: Place<T>;
  last: Place<T>;
}

/**
 * Those who wait, by priority, then by arrival. To join and to leave takes the same time however many there are: thousands of
 * callers may give up in one turn of the event loop, as when a server stops.
 */
export class WaitingOrder<T extends Standing> implements Iterable<T> {
  readonly #places = new Map<T, Place<T>>();
  /** The highest priority first; one for each priority that somebody has. */
  readonly #ranks: Rank<T>[] = [];

  get size(): number {
    return this.#places.size;
  }

  has(value: T): boolean {
    return this.#places.has(value);
  }

  get first(): T | undefined {
    return this.#ranks[0]?.first.value;
  }

  join(value: T): void {
    const at = this.#rankAt(value.priority);
    const rank = this.#ranks[at];
    const place: Place<T> = { value, before: undefined, after: undefined };
    this.#places.set(value, place);
    if (rank?.priority !== value.priority) {
      this.#ranks.splice(at, 0, { priority: value.priority, first: place, last: place });
      return;
    }
    place.before = rank.last;
    rank.last.after = place;
    rank.last = place;
  }

  /** Nothing where it has left already. */
  leave(value: T): void {
    const place = this.#places.get(value);
    if (place === undefined) return;
    this.#places.delete(value);
    const { before, after } = place;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    const at = this.#rankAt(value.priority);
    const rank = this.#ranks[at] as Rank<T>;
    if (before === undefined && after === undefined) this.#ranks.splice(at, 1);
    else if (before === undefined) rank.first = after as Place<T>;
    else if (after === undefined) rank.last = before;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const { first } of this.#ranks) {
      for (let place: Place<T> | undefined = first; place !== undefined; place = place.after) yield place.value;
    }
  }

  /** Where the rank of this priority is, or would be. */
  #rankAt(priority: number): number {
    let [from, to] = [0, this.#ranks.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#ranks[middle] as Rank<T>).priority > priority) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
