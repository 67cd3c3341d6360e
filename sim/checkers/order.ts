import { type Body, type BodyHolder, type BodyWaiter, holdersOf, permitsOf } from "../plan/body.js";
import type { Findings } from "./findings.js";

/** Live waiters that a grant may have overtaken, and how many of them it was allowed to. */
interface Suspicion {
  readonly key: string;
  readonly holder: BodyHolder;
  readonly queue: readonly BodyWaiter[];
  readonly allowed: number;
  /** Permits that are left beside the holders who stay. */
  readonly room: number;
}

export interface OrderCheckerOptions {
  readonly now: () => number;
  readonly toleranceMs: number;
  /** By how much a front end of the store may be ahead of true time: an entry may be seen as run out so much earlier. */
  readonly aheadMs: number;
}

/** A waiter that is expected and does not come is passed over: not before the lock was free for this long, for each of them. */
const SHORTEST_GRACE_MS = 100;
/** Between the moment of a call and what its client takes for store time then, where clocks are exact. */
const ASK_MS = 50;

/**
 * The order of service is that of priority, then arrival. A live waiter is overtaken only after the lock lay free for as many
 * graces as are overtaken. Where a newcomer takes the lock at once, its arrival is known only to itself: such grants are
 * judged when it says when it had asked.
 */
export class OrderChecker {
  readonly #findings: Findings;
  readonly #options: OrderCheckerOptions;
  readonly #freeSince = new Map<string, number>();
  /** By lock, which waiters fit beside its holders, and since when: readers beside readers. */
  readonly #fitSince = new Map<string, ReadonlyMap<string, number>>();
  readonly #newcomers = new Map<string, Suspicion>();

  constructor(findings: Findings, options: OrderCheckerOptions) {
    this.#findings = findings;
    this.#options = options;
  }

  landed(key: string, record: Body | undefined): void {
    const holders = holdersOf(record);
    const nowMs = this.#options.now();
    if (permitsOf(holders) >= (record?.limit ?? 1)) this.#freeSince.delete(key);
    else if (!this.#freeSince.has(key)) this.#freeSince.set(key, nowMs);
    const before = this.#fitSince.get(key);
    const fitting = (record?.queue ?? []).filter((waiter) => isReaderAmongReaders(waiter, holders));
    this.#fitSince.set(key, new Map(fitting.map(({ id }) => [id, before?.get(id) ?? nowMs])));
  }

  /** Judges a grant: to be called before `landed` for the same version, which is `after`. */
  granted(key: string, before: Body, holder: BodyHolder, after: Body = before): void {
    const { toleranceMs, aheadMs } = this.#options;
    const nowMs = this.#options.now();
    const { queue = [], holders = [], limit = 1 } = before;
    const mayHaveCome = ({ id }: BodyWaiter) =>
      nowMs - (this.#fitSince.get(key)?.get(id) ?? nowMs) > queue.length * SHORTEST_GRACE_MS;
    const live = queue.filter(
      (other) => other.id !== holder.id && other.expiresAtMs > nowMs + aheadMs && !mayHaveCome(other),
    );
    if (live.length === 0) return;
    const endsMs = holders.map(({ expiresAtMs }) => expiresAtMs + toleranceMs);
    const freeForMs = Math.max(0, nowMs - (this.#freeSince.get(key) ?? Math.min(nowMs, ...endsMs)));
    const allowed = Math.floor(freeForMs / SHORTEST_GRACE_MS);
    const others = after.holders?.filter(({ id }) => id !== holder.id) ?? [];
    const suspicion = { key, holder, queue: live, allowed, room: limit - permitsOf(others) };
    const me = queue.find((waiter) => waiter.id === holder.id);
    if (me === undefined) this.#newcomers.set(`${key} ${holder.token}`, suspicion);
    else this.#judge(suspicion, me.sinceMs);
  }

  /** Judges a task that got this token and says when it had asked for it. */
  asked(key: string, token: number, askedAtMs: number): void {
    const suspicion = this.#newcomers.get(`${key} ${token}`);
    if (suspicion === undefined) return;
    this.#newcomers.delete(`${key} ${token}`);
    this.#judge(suspicion, askedAtMs - ASK_MS);
  }

  #judge({ key, holder, queue, allowed, room }: Suspicion, sinceMs: number): void {
    const overtaken = queue.filter((other) => comesBefore(other, holder, sinceMs));
    // A waiter that fits beside all that are ahead of it takes nothing from them.
    if (overtaken.length <= allowed || permitsOf([...overtaken, holder]) <= room) return;
    this.#findings.report("order", `${key}: ${holder.id} overtook ${overtaken.map(({ id }) => id).join(", ")}`);
  }
}

function isReaderAmongReaders({ mode }: BodyWaiter, holders: readonly BodyHolder[]): boolean {
  return mode === "shared" && holders.length > 0 && holders.every((holder) => holder.mode === "shared");
}

function comesBefore(other: BodyWaiter, { priority, mode }: BodyHolder, sinceMs: number): boolean {
  if (mode === "shared" && other.mode === "shared") return false;
  return other.priority > priority || (other.priority === priority && other.sinceMs < sinceMs);
}
