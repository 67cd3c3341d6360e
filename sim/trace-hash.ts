import { createHash } from "node:crypto";

/** Two runs with the same hash did the same things at the same moments. */
export class TraceHash {
  readonly #hash = createHash("sha256");

  add(line: string): void {
    this.#hash.update(line).update("\n");
  }

  get text(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
