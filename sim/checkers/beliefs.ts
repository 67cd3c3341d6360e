import type { Findings } from "./findings.js";

/** A task that may believe that it holds a lock; asked at any instant, through its own clocks. */
export interface Believer {
  readonly client: string;
  /** Undefined for callers that have no handle to ask: by name, or in 1.x. */
  readonly token: number | undefined;
  /** As the holder is known in the record, where it has no token. */
  readonly owner?: string;
  /** Two who share it go together. It may change while it is held. @default "exclusive" */
  readonly mode?: () => "exclusive" | "shared";
  /** How many permits it has taken, of how many; one of one for a lock. */
  readonly permits?: readonly [taken: number, ofAll: number];
  believes(): boolean;
}

/**
 * At no instant of true time do two clients believe that they hold the same lock, unless it lets both in. It is asked after
 * every event, since nothing happens between two of them but that time passes, and beliefs only end by that.
 */
export class BeliefChecker {
  readonly #findings: Findings;
  readonly #isJudged: boolean;
  readonly #believers = new Map<string, Believer[]>();
  readonly #crowded = new Set<string>();
  readonly #excused = new Set<string>();

  constructor(findings: Findings, isJudged: boolean) {
    this.#findings = findings;
    this.#isJudged = isJudged;
  }

  begin(lock: string, believer: Believer): void {
    if (!this.#isJudged) return;
    const believers = this.#believers.get(lock) ?? [];
    this.#believers.set(lock, believers);
    believers.push(believer);
    if (believers.length > 1) this.#crowded.add(lock);
  }

  end(lock: string, believer: Believer): void {
    const believers = this.#believers.get(lock) ?? [];
    const at = believers.indexOf(believer);
    if (at !== -1) believers.splice(at, 1);
    if (believers.length < 2) this.#crowded.delete(lock);
  }

  /** Excuses what was ended by force: its holder goes on believing until its next renewal, as documented. */
  excuse(lock: string, who: { readonly token: number; readonly owner: string }): void {
    this.#excused.add(keyOf(lock, who.token === 0 ? who.owner : who.token)).add(keyOf(lock, who.owner));
  }

  /** Asks all that may believe, wherever there are two. */
  check(): void {
    for (const lock of this.#crowded) {
      const believing = (this.#believers.get(lock) ?? []).filter(
        (believer) => believer.believes() && !this.#isExcused(lock, believer),
      );
      if (believing.length < 2 || areCompatible(believing)) continue;
      const who = believing.map(({ client, token }) => `${client} (token ${token})`).join(" and ");
      this.#findings.report("exclusion", `${lock} is held by ${who} at once`);
      this.#believers.set(lock, []);
      this.#crowded.delete(lock);
    }
  }

  /** Decides by token where there is one; a holder by name, by what the record calls it, from the first force on. */
  #isExcused(lock: string, { token, owner }: Believer): boolean {
    if (token !== undefined) return this.#excused.has(keyOf(lock, token));
    return owner !== undefined && this.#excused.has(keyOf(lock, owner));
  }
}

const keyOf = (lock: string, who: number | string) => `${lock} ${who}`;

function areCompatible(believing: readonly Believer[]): boolean {
  if (believing.every(({ mode }) => mode?.() === "shared")) return true;
  if (believing.some(({ mode }) => mode?.() === "shared")) return false;
  const permits = believing.map((believer) => believer.permits ?? ([1, 1] as const));
  return permits.reduce((sum, [taken]) => sum + taken, 0) <= Math.min(...permits.map(([, ofAll]) => ofAll));
}
