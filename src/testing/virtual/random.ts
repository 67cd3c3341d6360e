/** A seeded generator of random numbers (sfc32): the same seed gives the same run on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 16; round += 1) this.#next();
  }

  /** Draws a number in [0, 1). */
  number(): number {
    return this.#next() / 2 ** 32;
  }

  /** Draws a number in [low, high). */
  between(low: number, high: number): number {
    return low + this.number() * (high - low);
  }

  /** Draws a whole number in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.number() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.number() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }

  /** Draws one of these, each as often as its weight says; undefined where all weigh nothing. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T | undefined {
    let drawn = this.number() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of choices) {
      drawn -= weight;
      if (drawn < 0) return choice;
    }
    return undefined;
  }

  /** Makes a generator of its own, so that one part of a run can change without changing the others. */
  fork(): Random {
    return new Random(this.#next() * 2 ** 20 + this.integer(0, 2 ** 20 - 1));
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
