import type { Hold as HoldInQueue, LockRef } from "../../core/record.js";
import type { Hold } from "../hold/hold.js";
import type { OwnCall } from "../hold/named-holds.js";

/**
 * `callback`: what `withLock` and its like hold while a function runs; `scope`: the function of `mutex.scope`; `line`: what goes on
 * after a bare call such as `acquire`.
 */
export type ScopeKind = "callback" | "scope" | "line";

type HeldRef = LockRef & { readonly key: string };

/**
 * Who owns locks when deadlocks are looked for: not a process but a line of work. Scopes inform and never decide: which locks a
 * wait holds up. Only a callback that still runs is an ancestor that its own calls are told of, or may nest in.
 *
 * A bare call has no function that tells where its line of work ends. So it opens a line in the asynchronous context of its caller,
 * and the code that goes on after it is in that line. Servers, intervals and whatever else was started there are in it, too: once
 * two of its branches were at work at once, it is not known which of them goes on with what the line holds, and that counts no more.
 */
export class Scope {
  readonly kind: ScopeKind;
  /** Stands for it, and keeps nothing of it in memory. */
  readonly mark: object = {};
  /** That of the scope that it was opened in. */
  readonly openedIn: object | undefined;
  /** What this line of work took by name, or was not given, for calls by name that are made in it. */
  named: ReadonlyMap<string, OwnCall>;
  /** Scopes of handles that were named by `within`. */
  readonly #joined = new Set<Scope>();
  readonly #holds = new Map<Hold, HeldRef>();
  #parent: Scope | undefined;
  /** An explicit scope between this one and its parent has ended: no caller above waits for it. */
  #isLoose = false;
  #isSettled = false;
  #wasLeft = false;
  /** How many scopes are at work directly below. */
  #branches = 0;
  #hasForked = false;

  constructor(kind: ScopeKind, opener?: Scope) {
    this.kind = kind;
    this.openedIn = opener?.mark;
    this.named = opener?.named ?? new Map();
    // One line of work waits for its lock before it goes on: a call in the meantime is made by another one, side by side.
    const isBeside = opener?.kind === "line" && !opener.#isSettled;
    this.#parent = isBeside ? opener.#parent : opener;
    const parent = this.#liveParent();
    if (parent !== undefined && !this.#isLoose) parent.#addBranch();
  }

  get isExplicit(): boolean {
    return this.kind !== "line";
  }

  /** Adds what it holds; of a bare call also what that has of several locks so far. */
  add(ref: LockRef, key: string, hold: Hold): void {
    const around = this.#liveParent();
    const owners = around?.kind === "scope" || around?.kind === "line" ? [this, ...around.#scopesAround()] : [this];
    for (const scope of owners) scope.#holds.set(hold, { ...ref, key });
    hold.onEnd(() => {
      for (const scope of owners) scope.#holds.delete(hold);
      this.#leaveIfOver();
    });
  }

  /** Finds the function of `mutex.scope` that these lines are in: by its caller's word, all of them are one line of work. */
  #scopesAround(): readonly Scope[] {
    let scope: Scope | undefined = this;
    while (scope?.kind === "line") scope = scope.#liveParent();
    return scope?.kind === "scope" ? [scope] : [];
  }

  /** Joins another scope: a wait in this one holds up what that one has, too. */
  join(scope: Scope): void {
    this.#joined.add(scope);
  }

  /** Notes a call made in this line before its own has been answered, by a task that stays in it: two go on in it from now on. */
  noteCompany(): void {
    if (this.kind === "line" && !this.#isSettled) this.#fork();
  }

  /** Notes that the call that a line began with has been answered, or that the function of an explicit scope has ended. */
  settle(): void {
    this.#isSettled = true;
    this.#leaveIfOver();
  }

  /** Finds the holds of this lock by functions that still run and called this one, the innermost first. */
  findInCallbacks(key: string): readonly Hold[] {
    const own = this.kind === "callback" ? this.#held().filter(([, ref]) => ref.key === key) : [];
    return [...own.map(([hold]) => hold), ...(this.#liveParent()?.findInCallbacks(key) ?? [])];
  }

  /**
   * Lists what a wait for this lock holds up meanwhile; of a semaphore that may be permits of its own. What bare calls hold counts
   * only after a while: work that was started under a bare lock looks like the work that holds it, until more of it is seen.
   */
  holdsWaitingFor(key: string, waitedMs: number): readonly HoldInQueue[] {
    const holds = new Map<string, HoldInQueue>();
    for (const [hold, { key: heldKey, ...ref }] of this.#blocked(waitedMs >= BARE_HOLDS_AFTER_MS, new Set())) {
      // A waiter for a permit that lies in several records takes it out of any, so no single holder keeps it waiting.
      if (ref.part !== undefined) continue;
      const { token } = hold.holder;
      if (ref.kind === "semaphore" || heldKey !== key) holds.set(`${heldKey} ${token}`, { ...ref, token });
    }
    return [...holds.values()].reverse();
  }

  /** Lists what cannot be given back before a call in this scope has ended, the innermost first. */
  #blocked(doBareCount: boolean, seen: Set<Scope>): (readonly [Hold, HeldRef])[] {
    const holds = [...this.#held(), ...this.#blockedByName(doBareCount, seen)];
    const bare: (readonly [Hold, HeldRef])[] = [];
    let isOneLine = true;
    for (let scope: Scope = this; ; ) {
      const parent = scope.#liveParent();
      if (parent === undefined || scope.#isLoose || seen.has(parent)) break;
      seen.add(parent);
      if (parent.isExplicit) {
        // A bare call in a function may be of work that the function started and does not wait for.
        const early = this.kind === "line" && parent.kind === "callback" ? bare : holds;
        early.push(...parent.#held(), ...parent.#blockedByName(doBareCount, seen));
      } else if (isOneLine && !parent.#hasForked) {
        bare.push(...parent.#held(), ...parent.#blockedByName(doBareCount, seen));
      }
      isOneLine &&= !parent.#hasForked;
      scope = parent;
    }
    return doBareCount ? [...holds, ...bare] : holds;
  }

  #blockedByName(doBareCount: boolean, seen: Set<Scope>): (readonly [Hold, HeldRef])[] {
    const joined = [...this.#joined].filter((scope) => !seen.has(scope));
    for (const scope of joined) seen.add(scope);
    return joined.flatMap((scope) => scope.#blocked(doBareCount, seen));
  }

  /** Finds the nearest scope above that has not come to its end. Those between are forgotten, or a loop would leave a chain of them. */
  #liveParent(): Scope | undefined {
    for (let parent = this.#parent; parent !== undefined; parent = this.#parent) {
      if (!parent.#isOver) return parent;
      this.#isLoose ||= parent.isExplicit || parent.#isLoose;
      this.#parent = parent.#parent;
    }
    return undefined;
  }

  get #isOver(): boolean {
    return this.#isSettled && (this.isExplicit || this.#holds.size === 0);
  }

  /** How many scopes are above it that are kept in memory. */
  get depth(): number {
    let depth = 0;
    for (let scope = this.#parent; scope !== undefined; scope = scope.#parent) depth += 1;
    return depth;
  }

  #addBranch(): void {
    this.#branches += 1;
    if (this.#branches > 1) this.#fork();
  }

  /** Notes that it is not known which of its branches goes on with what the line holds; nor is it of the lines that it came from. */
  #fork(): void {
    if (this.#hasForked) return;
    this.#hasForked = true;
    const parent = this.#liveParent();
    if (parent !== undefined && !this.isExplicit && !this.#isLoose) parent.#fork();
  }

  /** Leaves to its parent what goes on below a line that holds nothing any more; below a function that has ended, to none. */
  #leaveIfOver(): void {
    if (!this.#isOver || this.#wasLeft) return;
    this.#wasLeft = true;
    const parent = this.#liveParent();
    if (parent !== undefined && !this.#isLoose) parent.#branches += (this.isExplicit ? 0 : this.#branches) - 1;
  }

  #held(): (readonly [Hold, HeldRef])[] {
    return [...this.#holds].filter(([hold]) => hold.isHeld);
  }
}

/** Within five seconds a deadlock of bare calls is to be over; most that looks like one is over by then without a victim. */
export const BARE_HOLDS_AFTER_MS = 1200;
