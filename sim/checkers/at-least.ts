import type { BodyHolder } from "../plan/body.js";
import type { Findings } from "./findings.js";

export interface AtLeastOptions {
  readonly now: () => number;
  /** Whether clocks are such that no lease ends before its published end. */
  readonly isJudged: boolean;
  /** How much before that, in true time, it may be seen as ended all the same. */
  readonly earlyMs: number;
}

/** Once a task has worked under a lock that is to be held for so long, no other comes in before, whatever has become of it. */
export class AtLeastChecker {
  readonly #findings: Findings;
  readonly #options: AtLeastOptions;
  /** Since when each hold lasts, by its record and by when that landed, whichever is earlier. */
  readonly #since = new Map<string, number>();
  /** Which holds were worked under, and until when no other task comes in. */
  readonly #kept = new Map<string, Map<number, number>>();

  constructor(findings: Findings, options: AtLeastOptions) {
    this.#findings = findings;
    this.#options = options;
  }

  /** Checks that a task is not granted the lock, exclusively, too early. */
  granted(key: string, { token, acquiredAtMs }: BodyHolder): void {
    const { now, earlyMs } = this.#options;
    this.#since.set(`${key} ${token}`, Math.min(acquiredAtMs, now()));
    const kept = this.#kept.get(key);
    for (const [other, untilMs] of kept ?? []) {
      kept?.delete(other);
      const leftMs = untilMs - earlyMs - now();
      if (leftMs > 0)
        this.#findings.report("at-least", `${key}: ${token} ${Math.round(leftMs)} ms too early after ${other}`);
    }
  }

  /** Notes that code runs under it. */
  used(key: string, token: number, holdAtLeastMs: number): void {
    const sinceMs = this.#since.get(`${key} ${token}`);
    if (sinceMs === undefined || !this.#options.isJudged) return;
    const kept = this.#kept.get(key) ?? new Map<number, number>();
    this.#kept.set(key, kept.set(token, sinceMs + holdAtLeastMs));
  }

  /** Forgets a hold that was ended by force, maybe before any code of its ran. */
  excuse(key: string, { token }: { readonly token: number }): void {
    this.#since.delete(`${key} ${token}`);
    this.#kept.get(key)?.delete(token);
  }
}
