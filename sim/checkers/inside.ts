import type { Findings } from "./findings.js";

/** A task whose code runs under a lock, from its first line to its last. */
export interface Insider {
  readonly who: string;
  /** What it runs in: its clocks may be set. */
  readonly process: unknown;
  /** Whether the library can see it end, as a callback, or it says so itself by a release. */
  readonly kind: "callback" | "handle";
  readonly token: number;
  /** Two who share it go together. It may change while it is held. */
  readonly mode: () => "exclusive" | "shared";
  /** How many permits it has taken, of how many; one of one for a lock. */
  readonly permits: readonly [taken: number, ofAll: number];
  /** The one in whose code this one runs, under the same lock. Siblings in one exclude each other. */
  readonly within: Insider | undefined;
  /** It lives, and was not told that it has lost the lock; to be asked to stop is not to lose. */
  readonly counts: () => boolean;
  /** For how much longer its lease certainly lasts, in true milliseconds. */
  readonly leftMs: () => number;
}

/**
 * A task that is inside is inside until its code has come to its end, or its lease: no other code begins before. Unlike a
 * belief, that does not end when the library gives the lock back: this is what would be wrong.
 */
export class InsideChecker {
  readonly #findings: Findings;
  readonly #now: () => number;
  readonly #isJudged: boolean;
  /** Who is inside, and until when its lease lasts, in true time. */
  readonly #insiders = new Map<string, Map<Insider, number>>();
  readonly #excused = new Set<string>();

  constructor(findings: Findings, now: () => number, isJudged: boolean) {
    this.#findings = findings;
    this.#now = now;
    this.#isJudged = isJudged;
  }

  /** Notes that its code begins to run, and checks it against the others inside. */
  enter(lock: string, insider: Insider): void {
    if (!this.#isJudged) return;
    const insiders = this.#insiders.get(lock) ?? new Map<Insider, number>();
    this.#insiders.set(lock, insiders);
    insiders.set(insider, this.#now() + insider.leftMs());
    if (insiders.size > 1) this.#check(lock, insider, insiders);
  }

  /** Notes that its code has come to its end. */
  leave(lock: string, insider: Insider): void {
    this.#insiders.get(lock)?.delete(insider);
  }

  /** Notes that their leases end at another time: they were renewed, or clocks were set. */
  moved(isMeant: (insider: Insider, lock: string) => boolean): void {
    this.#end(isMeant, (insider) => this.#now() + insider.leftMs());
  }

  /** Dismisses insiders whose work is not waited for any longer. */
  dismiss(isMeant: (insider: Insider, lock: string) => boolean): void {
    this.#end(isMeant, () => Number.NEGATIVE_INFINITY);
  }

  /** Excuses what was ended by force: its holder goes on until its next renewal, as documented. */
  excuse(lock: string, { token }: { readonly token: number }): void {
    this.#excused.add(`${lock} ${token}`);
  }

  #end(isMeant: (insider: Insider, lock: string) => boolean, endMs: (insider: Insider) => number): void {
    for (const [lock, insiders] of this.#insiders) {
      for (const insider of insiders.keys()) if (isMeant(insider, lock)) insiders.set(insider, endMs(insider));
    }
  }

  #check(lock: string, entering: Insider, insiders: ReadonlyMap<Insider, number>): void {
    const isInside = ([{ counts, token }, endMs]: readonly [Insider, number]) =>
      endMs > this.#now() && counts() && !this.#excused.has(`${lock} ${token}`);
    const together = [...insiders].filter(isInside).map(([insider]) => insider);
    const others = together.filter((one) => !isAround(one, entering));
    if (others.length === together.length || areCompatible([entering, ...others])) return;
    const who = others.map((one) => `${one.who} (token ${one.token})`).join(" and ");
    this.#findings.report("inside", `${entering.who} (token ${entering.token}) enters ${lock} while ${who} is inside`);
  }
}

/** Says whether that is this one itself, or one in whose code it runs. */
function isAround(one: Insider, inner: Insider | undefined): boolean {
  return inner !== undefined && (inner === one || isAround(one, inner.within));
}

function areCompatible(together: readonly Insider[]): boolean {
  if (together.length === 1 || together.every(({ mode }) => mode() === "shared")) return true;
  if (together.some(({ mode }) => mode() === "shared")) return false;
  const taken = together.reduce((sum, { permits }) => sum + permits[0], 0);
  return taken <= Math.min(...together.map(({ permits }) => permits[1]));
}
