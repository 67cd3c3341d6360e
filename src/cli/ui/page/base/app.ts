import type { LockView, Status } from "../../wire.js";
import { History } from "./history.js";
import { fullText } from "./text.js";

export type ViewName = "locks" | "waits" | "timeline" | "contention";
export type Show = "all" | "held" | "contended" | "expired" | "unreadable";
export type LockState = "held" | "shared" | "expired" | "free" | "unreadable";

/** What the parts of the page share. */
export class App {
  readonly history = new History();
  status: Status | undefined;
  isReadOnly = true;
  view: ViewName = "locks";
  filter = "";
  show: Show = "all";
  /** The lock whose details are open. */
  selected: string | undefined;
  /** Store time minus this page's monotonic clock: a wall clock that is set meanwhile moves no lease. */
  #offsetMs = Date.now() - performance.now();
  /** When what is shown was true; undefined while it is. */
  #staleSinceMs: number | undefined;
  readonly #changed: () => void;
  readonly #searchTexts = new WeakMap<LockView, string>();

  /** @param changed is called after each change that came from the viewer */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Tells store time, as far as it is known: that a lease has ended cannot be said without asking the store. */
  nowMs(): number {
    return this.#staleSinceMs ?? performance.now() + this.#offsetMs;
  }

  get isStale(): boolean {
    return this.#staleSinceMs !== undefined;
  }

  /** Stops time: what is shown is no longer looked after. */
  freeze(): void {
    this.#staleSinceMs ??= this.nowMs();
  }

  takeStatus(status: Status): void {
    this.status = status;
    if (status.error !== undefined) return this.freeze();
    this.#staleSinceMs = undefined;
    this.#offsetMs = status.nowMs - performance.now();
  }

  change(change: Partial<Pick<App, "view" | "filter" | "show" | "selected">>): void {
    Object.assign(this, change);
    this.#changed();
  }

  get selectedLock(): LockView | undefined {
    return this.selected === undefined ? undefined : this.history.locks.get(this.selected);
  }

  /** Lists the locks that the filters leave, in the order in which they came. */
  filtered(): LockView[] {
    const nowMs = this.nowMs();
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    return [...this.history.locks.values()].filter(
      (lock) => isShown(lock, this.show, nowMs) && words.every((word) => this.#searchText(lock).includes(word)),
    );
  }

  #searchText(lock: LockView): string {
    const known = this.#searchTexts.get(lock);
    if (known !== undefined) return known;
    const text = [lock.name, ...[...lock.holders, ...lock.queue].map(fullText)].join("\n").toLowerCase();
    this.#searchTexts.set(lock, text);
    return text;
  }
}

export function stateOf({ holders, problem }: LockView, nowMs: number): LockState {
  if (problem !== undefined) return "unreadable";
  if (holders.length === 0) return "free";
  if (holders.every((holder) => holder.expiresAtMs <= nowMs)) return "expired";
  return holders.some((holder) => holder.mode === "shared") ? "shared" : "held";
}

export function stateText(lock: LockView, nowMs: number): string {
  const state = stateOf(lock, nowMs);
  if (state === "shared") return `shared × ${lock.holders.length}`;
  if (state === "held" && lock.limit > 1) return `${lock.holders.length} of ${lock.limit}`;
  return state;
}

function isShown(lock: LockView, show: Show, nowMs: number): boolean {
  if (show === "all") return true;
  if (show === "contended") return lock.queue.length > 0;
  const state = stateOf(lock, nowMs);
  return show === "held" ? state === "held" || state === "shared" : state === show;
}

/** Says when the last of the leases ends. */
export function expiryOf({ holders }: LockView): number | undefined {
  return holders.length === 0 ? undefined : Math.max(...holders.map((holder) => holder.expiresAtMs));
}
