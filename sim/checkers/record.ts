import { type Body, type BodyHolder, holdersOf, parseBody, permitsOf } from "../plan/body.js";
import type { Findings } from "./findings.js";

export interface RecordCheckerOptions {
  readonly now: () => number;
  /** Whether clocks are such that no lease ends before its published end. */
  readonly judgesTime: boolean;
  /** How much before its published end, in true time, a lease may be seen as ended. */
  readonly earlyMs: number;
  /** How long after that it is left alone by clients that want the lock, and how much too early a clock that is right may see that. */
  readonly toleranceMs: number;
  readonly aheadMs: number;
  /** Whether a lease has ended, too, when it could be watched, unrenewed, for its whole length. */
  readonly isObserved: boolean;
  /** How long an object has to be at rest before it is removed. */
  readonly restMs: number;
  /** Where 1.x has wiped the counter out, tokens go on from store time, about which two clients may differ by so much. */
  readonly wipedMs: number;
  /** Whether a client without store time may create again what was removed: then tokens go on from its wall clock. */
  readonly mayFallOnRemoval: boolean;
}

/**
 * Watches every version of every record as it lands, with a reading of the JSON of its own: tokens rise in landing order and
 * never fall, holders are compatible, write ids are unique, no live lease is taken, nothing is removed that is in use.
 */
export class RecordChecker {
  readonly #findings: Findings;
  readonly #options: RecordCheckerOptions;
  readonly #last = new Map<string, Body>();
  readonly #highest = new Map<string, number>();
  readonly #writeIds = new Set<string>();
  /** When each lease was there first, as it was granted or last renewed. */
  readonly #leasedAtMs = new Map<string, number>();
  /** By true time, whatever the version says. */
  readonly #landedAtMs = new Map<string, number>();
  grants = 0;
  /** Called for each new holder of ours, with the versions before and after. */
  onGrant: (key: string, before: Body, holder: BodyHolder, after: Body) => void = () => {};
  /** Called for each hold that another process goes on with, under another token. */
  onRestore: (key: string, holder: BodyHolder) => void = () => {};
  /** Called for each hold that is ended by force, or by deleting the lock. */
  onForce: (key: string, turn: Pick<BodyHolder, "id" | "token" | "owner">) => void = () => {};
  /** Called for each hold that a client takes for expired, rightly or not. */
  onTaken: () => void = () => {};

  constructor(findings: Findings, options: RecordCheckerOptions) {
    this.#findings = findings;
    this.#options = options;
  }

  /** Returns the version that landed last; undefined where there is no object. */
  last(key: string): Body | undefined {
    return this.#last.get(key);
  }

  /** The versions that landed last, of all objects that there are. */
  get all(): ReadonlyMap<string, Body> {
    return this.#last;
  }

  landed(key: string, text: string | undefined, isBy1x = false): void {
    const before = this.#last.get(key) ?? {};
    if (text === undefined) {
      this.#checkRemoval(key, before);
      this.#last.delete(key);
      return;
    }
    const body = parseBody(text);
    this.#landedAtMs.set(key, this.#options.now());
    if (isBy1x || body.schema === undefined) this.#checkBy1x(key, before, body);
    else this.#checkRecord(key, before, body);
    for (const holder of holdersOf(body)) {
      const lease = leaseOf(key, holder);
      if (!this.#leasedAtMs.has(lease)) this.#leasedAtMs.set(lease, this.#options.now());
    }
    this.#last.set(key, body);
  }

  #checkRecord(key: string, before: Body, body: Body): void {
    const holders = body.holders ?? [];
    // Holders keep their permits when there are fewer from now on: what counts is who comes in.
    const mayBeMore = before.limit !== undefined && !hasNewHolder(before, body);
    if (holders.length > 1 && !mayBeMore && !areCompatible(body))
      this.#findings.report("holders", `${key} has ${holders.length}`);
    const { writeId = "", token = 0 } = body;
    // What 1.x leaves behind is the same each time, so a copy of what once replaced it can do so again: a free record.
    const mayRepeat = before.schema === undefined && before.locked === false && holders.length === 0;
    if (writeId === "" || (this.#writeIds.has(writeId) && !mayRepeat)) {
      this.#findings.report("write-id", `${key}: ${writeId} is not new`);
    }
    this.#writeIds.add(writeId);
    const former = holdersOf(before);
    for (const holder of holders) {
      if (former.some(({ id }) => id === holder.id) || holder.id.startsWith("1.x/")) continue;
      this.#checkToken(key, holder);
      if (former.some((one) => isHandedOver(one, holder, body))) this.onRestore(key, holder);
      else this.onGrant(key, before, holder, body);
    }
    // Where 1.x wrote last, the counter is gone; tokens grow all the same.
    if (token < (before.token ?? 0)) this.#findings.report("tokens", `${key}: the counter falls to ${token}`);
    for (const holder of former) {
      if (!holders.some(({ id }) => id === holder.id))
        this.#checkEnd(key, holder, body, this.#earlyMs(before, body, holder));
    }
  }

  #checkToken(key: string, holder: BodyHolder): void {
    this.grants += 1;
    const highest = this.#highest.get(key) ?? 0;
    if (holder.token <= highest) this.#findings.report("tokens", `${key}: ${holder.token} after ${highest}`);
    this.#highest.set(key, holder.token);
  }

  /** Checks that a task that does not hold any more gave it back, was forced out, or that its lease has ended. */
  #checkEnd(key: string, holder: BodyHolder, body: Body, earlyMs: number): void {
    const turn = body.recent?.find(({ id, token }) => id === holder.id && token === holder.token);
    if (turn === undefined && body.holders?.some((other) => isHandedOver(holder, other, body))) return;
    if (turn === undefined) return this.#findings.report("vanished", `${key}: ${holder.id} is gone without a word`);
    if (turn.ended === "forced" || turn.ended === "deleted") this.onForce(key, holder);
    else if (turn.ended === "expired") this.#checkExpired(key, holder, earlyMs);
  }

  /**
   * Says how much before its published end a lease may be taken: a sweep keeps no tolerance, and a client that takes the lock does; nor
   * does one that gives its own hold back to its next waiter.
   */
  #earlyMs(before: Body, { holders = [] }: Body, leaver: BodyHolder): number {
    const { aheadMs, earlyMs, toleranceMs } = this.#options;
    const former = holdersOf(before);
    const isKept = ({ id }: BodyHolder) => former.some((one) => one.id === id) || clientOf(id) === clientOf(leaver.id);
    return holders.every(isKept) ? earlyMs : aheadMs - toleranceMs;
  }

  #checkExpired(key: string, holder: BodyHolder, earlyMs = this.#options.earlyMs): void {
    this.onTaken();
    const { now, isObserved, judgesTime } = this.#options;
    const { id, expiresAtMs, leaseMs } = holder;
    const leftMs = expiresAtMs - earlyMs - now();
    if (leftMs <= 0 || !judgesTime) return;
    const thereForMs = now() - (this.#leasedAtMs.get(leaseOf(key, holder)) ?? now());
    if (isObserved && thereForMs >= leaseMs * (1 - FASTEST)) return;
    this.#findings.report("early", `${key}: the lease of ${id} is ended ${Math.round(leftMs)} ms too early`);
  }

  /** Checks 1.x, which gives back what is its own, or takes what is free or has expired; it knows of nothing else. */
  #checkBy1x(key: string, before: Body, body: Body): void {
    if (body.token === undefined) this.#highest.set(key, (this.#highest.get(key) ?? 0) - this.#options.wipedMs);
    const [now] = holdersOf(body);
    for (const holder of holdersOf(before)) {
      if (holder.id === now?.id) continue;
      if (body.locked) this.#checkExpired(key, holder);
      else if (!holder.id.startsWith("1.x/")) this.#findings.report("1.x", `${key}: ${holder.id} is released by 1.x`);
    }
  }

  #checkRemoval(key: string, { holders = [], queue = [], touchedAtMs = 0 }: Body): void {
    const { judgesTime, mayFallOnRemoval, now, restMs } = this.#options;
    if (mayFallOnRemoval) this.#highest.delete(key);
    if (holders.length > 0) this.#findings.report("removal", `${key} while held`);
    if (!judgesTime) return;
    if (queue.some(({ expiresAtMs }) => expiresAtMs > now() + CLOCKS_MS)) {
      this.#findings.report("removal", `${key} while a waiter waits for it`);
    }
    if (now() - Math.max(touchedAtMs, this.#landedAtMs.get(key) ?? 0) < restMs - CLOCKS_MS)
      this.#findings.report("removal", `${key} is young`);
  }
}

/** By how much a clock that watches a lease may run too fast. */
const FASTEST = 1 / 1000;

/** Each renewal begins another one; who only says in store time when it ends does not. */
/** A lease of 1.x is told by its end: it has no id of its own until one of ours has written the record. */
const leaseOf = (key: string, { id, leaseWriteId, expiresAtMs }: BodyHolder) =>
  `${key} ${id} ${(id.startsWith("1.x/") ? "" : leaseWriteId) || expiresAtMs}`;

/** How far apart true time and what a client takes for store time may be. */
const CLOCKS_MS = 2500;

/** Says whether it is the same hold under another id and a higher token, which says since when it has been going on. */
function isHandedOver(from: BodyHolder, to: BodyHolder, { recent = [] }: Body): boolean {
  const isSame = from.id !== to.id && from.acquiredAtMs === to.acquiredAtMs && from.token < to.token;
  return isSame && !recent.some(({ id, token }) => id === from.id && token === from.token);
}

/** Names the client that made an acquisition, with which its id begins. */
function clientOf(acquisitionId: string): string {
  return acquisitionId.replace(/#.*$/, "");
}

function hasNewHolder(before: Body, { holders = [] }: Body): boolean {
  const former = new Set(holdersOf(before).map(({ id }) => id));
  return holders.some(({ id }) => !former.has(id));
}

function areCompatible({ holders = [], limit = 1 }: Body): boolean {
  if (holders.every(({ mode }) => mode === "shared")) return true;
  return holders.every(({ mode }) => mode !== "shared") && permitsOf(holders) <= limit;
}
