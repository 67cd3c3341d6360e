import type { Findings } from "./findings.js";

interface Hold {
  readonly client: string;
  readonly token: number;
  readonly askedAtMs: number;
  readonly releasedAtMs: number;
}

/**
 * The single lock is linearizable: there is one order of all holds, that of their tokens, and it agrees with what happened in
 * real time. Whoever asked after somebody else had given the lock back has the higher token, and no token is given twice.
 */
export class HistoryChecker {
  readonly #holds = new Map<string, Hold[]>();

  add(lock: string, hold: Hold): void {
    const holds = this.#holds.get(lock) ?? [];
    holds.push(hold);
    this.#holds.set(lock, holds);
  }

  check(findings: Findings): void {
    for (const [lock, holds] of this.#holds) {
      const byToken = holds.toSorted((one, other) => one.token - other.token);
      let latestAsk = Number.NEGATIVE_INFINITY;
      for (const [index, hold] of byToken.entries()) {
        if (byToken[index - 1]?.token === hold.token) {
          findings.report("history", `${lock}: token ${hold.token} was given twice`);
        }
        // Somebody with a lower token asked only after this one was done: the order of tokens contradicts real time.
        if (hold.releasedAtMs < latestAsk) {
          findings.report("history", `${lock}: token ${hold.token} of ${hold.client} is higher than a later hold's`);
        }
        latestAsk = Math.max(latestAsk, hold.askedAtMs);
      }
    }
  }
}
