import type { Findings } from "./findings.js";

/** One hold, as its holder saw it; true times. */
export interface Hold {
  readonly client: string;
  readonly token: number;
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  /** When the release was begun. */
  readonly endedAtMs: number;
  /** Its end came from outside: it may lie anywhere after the grant. */
  readonly wasLost: boolean;
  /** Others who share it may hold it as well. */
  readonly isShared?: boolean;
}

/** An answer of `isLocked`. */
export interface Question {
  readonly client: string;
  readonly isLocked: boolean;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * The single lock is linearizable: there is one order of all acquisitions and releases, that of the grants, and a moment
 * within each call at which it took effect. As tokens say which grant is whose, it is enough to give each its earliest moment in turn
 * and to see whether one comes too late. Each question has to have a moment at which its answer was true.
 */
export class HistoryChecker {
  readonly #holds = new Map<string, Hold[]>();
  readonly #forced = new Set<string>();
  readonly #landed = new Map<string, number>();
  /** Tokens that were granted more than once, though maybe to a task that has no handle to tell of it. */
  readonly #repeated = new Set<string>();
  readonly #questions: { readonly lock: string; readonly question: Question }[] = [];
  readonly #judgesTime: boolean;
  readonly #mayRepeat: boolean;

  /**
   * @param judgesTime whether clocks are such that no task believes in a lease that has ended
   * @param mayRepeat whether 1.x takes part, after whom the same token can be given again: such holds say nothing
   */
  constructor(judgesTime = true, mayRepeat = false) {
    this.#judgesTime = judgesTime;
    this.#mayRepeat = mayRepeat;
  }

  add(lock: string, hold: Hold): void {
    const holds = this.#holds.get(lock) ?? [];
    holds.push(hold);
    this.#holds.set(lock, holds);
  }

  /** Notes that a hold was ended by force: it may have ended at any moment, whatever its holder thought. */
  force(lock: string, token: number): void {
    this.#forced.add(`${lock} ${token}`);
  }

  /** Notes that a grant has landed. Where 1.x wipes out the counter, this is the order, and tokens need not agree with it. */
  landed(lock: string, token: number): void {
    const grant = `${lock} ${token}`;
    if (this.#landed.has(grant)) this.#repeated.add(grant);
    this.#landed.set(grant, this.#landed.size);
  }

  ask(lock: string, question: Question): void {
    this.#questions.push({ lock, question });
  }

  check(findings: Findings): void {
    for (const [lock, holds] of this.#holds) {
      const inOrder = this.#inOrder(lock, holds);
      checkTokens(lock, inOrder, findings);
      if (this.#judgesTime) checkMoments(lock, inOrder, findings);
    }
    if (!this.#judgesTime) return;
    for (const { lock, question } of this.#questions) {
      const holder = this.#inOrder(lock, this.#holds.get(lock) ?? []).find((hold) => hasCertainly(hold, question));
      if (question.isLocked || holder === undefined) continue;
      findings.report("history", `${lock}: ${question.client} is told that it is free while ${holder.client} holds it`);
    }
  }

  #inOrder(lock: string, holds: readonly Hold[]): readonly Hold[] {
    const placeOf = ({ token }: Hold) => this.#landed.get(`${lock} ${token}`) ?? token;
    const isRepeated = (hold: Hold) =>
      this.#repeated.has(`${lock} ${hold.token}`) ||
      holds.some((other) => other !== hold && other.token === hold.token);
    return holds
      .filter((hold) => !this.#mayRepeat || !isRepeated(hold))
      .map((hold) => (this.#forced.has(`${lock} ${hold.token}`) ? { ...hold, wasLost: true } : hold))
      .sort((one, other) => placeOf(one) - placeOf(other));
  }
}

/** Checks that a task that asked after another had been granted the lock comes later, and that no token is given twice. */
function checkTokens(lock: string, inOrder: readonly Hold[], findings: Findings): void {
  let latestAskMs = Number.NEGATIVE_INFINITY;
  for (const [index, hold] of inOrder.entries()) {
    if (inOrder[index - 1]?.token === hold.token) {
      findings.report("history", `${lock}: token ${hold.token} was given twice`);
    }
    // A task before it asked only after this one had got the lock: the order contradicts real time.
    if (hold.grantedAtMs < latestAskMs) {
      findings.report("history", `${lock}: token ${hold.token} of ${hold.client} comes after a later hold`);
    }
    latestAskMs = Math.max(latestAskMs, hold.askedAtMs);
  }
}

function checkMoments(lock: string, inOrder: readonly Hold[], findings: Findings): void {
  // A sharer has to wait for the end of those that do not share; one that does not share, for the end of all.
  let allEndedMs = Number.NEGATIVE_INFINITY;
  let othersEndedMs = Number.NEGATIVE_INFINITY;
  for (const { client, token, askedAtMs, grantedAtMs, endedAtMs, wasLost, isShared = false } of inOrder) {
    const momentMs = Math.max(askedAtMs, isShared ? othersEndedMs : allEndedMs);
    if (momentMs > grantedAtMs) {
      findings.report("history", `${lock}: ${client} was granted token ${token} before the hold before had ended`);
    }
    const endMs = wasLost ? momentMs : Math.max(momentMs, endedAtMs);
    allEndedMs = Math.max(allEndedMs, endMs);
    if (!isShared) othersEndedMs = Math.max(othersEndedMs, endMs);
  }
}

function hasCertainly(hold: Hold, { askedAtMs, answeredAtMs }: Question): boolean {
  return !hold.wasLost && hold.grantedAtMs <= askedAtMs && answeredAtMs <= hold.endedAtMs;
}
