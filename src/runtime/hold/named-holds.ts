import type { Lease } from "./lease.js";

/** One acquisition by name. */
export interface NamedHold {
  readonly lease: Lease;
  /** In which scope the call was made that took it. */
  readonly openedIn: object | undefined;
  /** It was lost: whatever its maker still calls is late. */
  isLost: boolean;
  /** Its maker has released it, or has been told that it was lost. */
  isSettled: boolean;
}

/** What a line of work knows of the last time it asked for a lock by name: it was given it, or not. */
export type OwnCall = NamedHold | "refused";

/** What is asked of the scope that a call by name is made in. */
interface CallerScope {
  /** Stands for it. */
  readonly mark: object;
  /** That of the scope that it was opened in. */
  readonly openedIn: object | undefined;
  /** What this line of work took by name, or was not given. */
  named: ReadonlyMap<string, OwnCall>;
}

/** The acquisitions of one lock. */
interface Named {
  last: NamedHold | undefined;
  /** How many that were lost have not been released by their makers yet. Each may still be, late. */
  owed: number;
}

/**
 * `none`: nothing of this mutex; `refused`: an acquisition that failed, while another caller may have the lock; `late`: one that is
 * over, while another one may have the lock.
 */
export type NamedTarget =
  | { readonly kind: "refused" }
  | { readonly kind: "hold"; readonly hold: NamedHold }
  | { readonly kind: "none" }
  | { readonly kind: "late"; readonly own: NamedHold | undefined };

/**
 * What was taken by name. A call by name says nothing of the acquisition that it is about, so it is about the last one, unless
 * that may be another caller's: where acquisitions were lost whose makers have not called yet, only a call that is made in the
 * line of work of the last one is known not to be one of those. Lines of work tell what a call is not about; they give nothing.
 */
export class NamedHolds {
  readonly #byKey = new Map<string, Named>();

  add(key: string, lease: Lease, line: CallerScope): void {
    const named = this.#byKey.get(key) ?? { last: undefined, owed: 0 };
    const { last } = named;
    if (last !== undefined) {
      last.isLost = true;
      if (!last.isSettled) named.owed += 1;
    }
    const hold = { lease, openedIn: line.openedIn, isLost: false, isSettled: false };
    named.last = hold;
    this.#byKey.set(key, named);
    if (this.#byKey.size > MAX_REMEMBERED) forgetOldest(this.#byKey, ({ last }) => last?.lease.isHeld !== true);
    note(line, key, hold);
  }

  /**
   * Notes that a line of work was not given the lock. One that has it by a call before has it all the same; of two calls that were made
   * side by side it is not known whether they are one request's or two, so the one that failed is about nothing.
   */
  noteRefusal(key: string, line: CallerScope): void {
    const last = this.#byKey.get(key)?.last;
    const isOwn = last !== undefined && line.named.get(key) === last;
    if (!isOwn) note(line, key, "refused");
  }

  /** Gives the last one of this name, whichever line of work took it. */
  last(key: string): NamedHold | undefined {
    return this.#byKey.get(key)?.last;
  }

  /** Finds what a call that is made in this scope is about. */
  find(key: string, scope: CallerScope | undefined): NamedTarget {
    const named = this.#byKey.get(key);
    const asked = scope?.named.get(key);
    const own = isHold(asked) ? asked : undefined;
    const last = named?.last;
    if (named === undefined || last === undefined) return own?.isLost ? { kind: "late", own } : { kind: "none" };
    if (own === last) return { kind: "hold", hold: last };
    if (asked === "refused") return { kind: "refused" };
    if (own !== undefined && isOfAnother(own, last, scope)) return { kind: "late", own };
    return named.owed > 0 && last.lease.isHeld ? { kind: "late", own: undefined } : { kind: "hold", hold: last };
  }

  /** Notes that the maker of a hold has released it; or has called too late and knows now. */
  settle(key: string, hold: NamedHold | undefined, how: "released" | "lost"): void {
    const named = this.#byKey.get(key);
    const wasSettled = hold?.isSettled ?? false;
    if (hold !== undefined) {
      hold.isSettled = true;
      hold.isLost ||= how === "lost";
    }
    if (named === undefined) return;
    if (named.last === hold) named.last = undefined;
    else if (!wasSettled && named.owed > 0) named.owed -= 1;
    if (named.last === undefined && named.owed === 0) this.#byKey.delete(key);
  }
}

/** Says whether `last` is another line's: `own` was lost or settled, or `last` was not taken in a line that was opened in this one. */
function isOfAnother(own: NamedHold, last: NamedHold, scope: CallerScope | undefined): boolean {
  return own.isLost || own.isSettled || last.openedIn === undefined || last.openedIn !== scope?.mark;
}

function isHold(asked: OwnCall | undefined): asked is NamedHold {
  return asked !== undefined && asked !== "refused";
}

function note(line: CallerScope, key: string, own: OwnCall): void {
  const others = [...line.named].filter(([other]) => other !== key);
  line.named = new Map([...others.slice(-MAX_IN_LINE), [key, own]]);
}

/** Leases that ran out are remembered, so that a late release does not end a successor's turn; but not without end. */
const MAX_REMEMBERED = 10_000;
/** More names than one piece of code takes; a loop over thousands would copy them all with each. */
const MAX_IN_LINE = 100;

function forgetOldest<Value>(all: Map<string, Value>, mayGo: (value: Value) => boolean): void {
  for (const [key, value] of all) {
    if (!mayGo(value)) continue;
    all.delete(key);
    return;
  }
}
