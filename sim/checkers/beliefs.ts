import type { Findings } from "./findings.js";

/** Somebody who may believe that it holds a lock; asked at any instant, through its own clocks. */
export interface Believer {
  readonly client: string;
  readonly token: number | undefined;
  believes(): boolean;
}

/** At no instant do two clients believe that they hold the same lock. Beliefs begin at a grant, so that is when it is checked. */
export class BeliefChecker {
  readonly #findings: Findings;
  readonly #isJudged: boolean;
  readonly #believers = new Map<string, Set<Believer>>();

  constructor(findings: Findings, isJudged: boolean) {
    this.#findings = findings;
    this.#isJudged = isJudged;
  }

  begin(lock: string, believer: Believer): void {
    const others = this.#of(lock);
    for (const other of others) {
      if (!other.believes()) others.delete(other);
      else if (this.#isJudged && believer.believes()) {
        const tokens = `tokens ${other.token} and ${believer.token}`;
        this.#findings.report("exclusion", `${other.client} and ${believer.client} both hold ${lock}, ${tokens}`);
      }
    }
    others.add(believer);
  }

  end(lock: string, believer: Believer): void {
    this.#of(lock).delete(believer);
  }

  /** Ended by force: whoever held it goes on believing for a while, as documented. */
  excuse(lock: string): void {
    this.#of(lock).clear();
  }

  #of(lock: string): Set<Believer> {
    const known = this.#believers.get(lock) ?? new Set();
    this.#believers.set(lock, known);
    return known;
  }
}
