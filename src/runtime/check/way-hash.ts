import { createHash } from "node:crypto";

/** Short texts for how an object is reached: equal for all processes that reach it in the same way, and for hardly any others. */
export class WayHash {
  readonly #way: () => Promise<string>;
  #asking: Promise<void> | undefined;
  #known: string | undefined;

  /** `way`: of the bucket; it may take a while to find out, and is asked for once. */
  constructor(way: () => Promise<string>) {
    this.#way = way;
  }

  async of(key: string): Promise<string> {
    this.#asking ??= this.#way().then((way) => {
      this.#known = way;
    });
    await this.#asking;
    return this.ofKnown(key) as string;
  }

  /** Gives the same, undefined until it was found out. */
  ofKnown(key: string): string | undefined {
    if (this.#known === undefined) return undefined;
    const text = JSON.stringify([this.#known, key]);
    return createHash("sha256").update(text).digest("base64url").slice(0, HASH_LENGTH);
  }
}

/** 72 bits: records stay small, and two ways with one hash are of no use to an attacker. */
const HASH_LENGTH = 12;
