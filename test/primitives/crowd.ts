import { areCompatible, type Claim } from "../../src/core/record.js";
import type { Lock } from "../../src/primitives/lock.js";

/** Who is inside at the same time, judged by the claims that they made. */
export class Crowd {
  readonly problems: string[] = [];
  readonly #inside = new Map<Lock, Claim>();
  readonly #limit: number;
  mostInside = 0;

  constructor(limit = 1) {
    this.#limit = limit;
  }

  enter(lock: Lock): void {
    this.#inside.set(lock, { mode: lock.mode, permits: lock.permits });
    const held = [...this.#inside].filter(([one]) => one.held).map(([, claim]) => claim);
    this.mostInside = Math.max(this.mostInside, held.length);
    if (!areCompatible(held, this.#limit)) this.problems.push(`inside together: ${JSON.stringify(held)}`);
  }

  leave(lock: Lock): void {
    this.#inside.delete(lock);
  }
}
