import { areCompatible } from "../core/record.js";
import type { CheckedRequest } from "./arguments.js";
import type { WebLockInfo, WebLockMode } from "./types.js";

/** One request of this client. */
export class LockRequest {
  readonly name: string;
  readonly mode: WebLockMode;
  /** Whether it is in the queue until it is granted. */
  readonly waits: boolean;
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => {};
  #isSettled = true;
  #stage: "asked" | "granted" | "over" = "asked";

  constructor({ name, mode, ifAvailable, steal }: CheckedRequest) {
    this.name = name;
    this.mode = mode;
    this.waits = !ifAvailable && !steal;
    this.unsettle();
  }

  /** Resolves when it is known whether it is granted, and then when its callback was called, or has to wait. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether the store has not given it the lock yet. */
  get isAsked(): boolean {
    return this.#stage === "asked";
  }

  settle(): void {
    this.#isSettled = true;
    this.#settle();
  }

  /** Leaves it undecided until its callback was called, whatever it waited for before; false where it has ended meanwhile. */
  grant(): boolean {
    if (this.#stage === "over") return false;
    this.#stage = "granted";
    this.unsettle();
    return true;
  }

  /** Ends it, whatever comes of it later: all others would wait for what is undecided and has no end. */
  end(): void {
    this.#stage = "over";
    this.settle();
  }

  /** Leaves it undecided again, as it may be granted now. */
  unsettle(): void {
    if (!this.#isSettled || this.#stage === "over") return;
    this.#isSettled = false;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

/** The requests of this client for one name. */
export class NamedRequests {
  readonly held: LockRequest[] = [];
  /** In the order in which they are granted. */
  readonly pending: LockRequest[] = [];

  get isIdle(): boolean {
    return this.held.length === 0 && this.pending.length === 0;
  }

  /** Says whether this client alone keeps the request from being granted. */
  isBlocked(request: LockRequest): boolean {
    const earlier = this.pending.slice(0, this.pending.indexOf(request));
    return earlier.length > 0 || !areCompatible([...this.held, request], 1);
  }

  /** Counts it among the holders, unless it has ended: nothing would take it out of them again. */
  grant(request: LockRequest): void {
    if (!request.grant()) return;
    this.remove(request);
    this.held.push(request);
  }

  /** Puts it before all others who wait, so that it is granted first. */
  putFirst(request: LockRequest): void {
    this.remove(request);
    this.pending.unshift(request);
  }

  /** Finds the waiting requests that could be granted by now, as far as this client knows. */
  grantable(): readonly LockRequest[] {
    const count = this.pending.findIndex(
      (_, index) => !areCompatible([...this.held, ...this.pending.slice(0, index + 1)], 1),
    );
    return count === -1 ? [...this.pending] : this.pending.slice(0, count);
  }

  remove(request: LockRequest): void {
    for (const list of [this.held, this.pending]) {
      const index = list.indexOf(request);
      if (index !== -1) list.splice(index, 1);
    }
  }
}

/**
 * Merges what there is of one name: what the record says of others, in its order, and what this client knows of itself, which is more
 * than the record says: of the waiters of one process only the first is in it.
 */
export function merged(
  inRecord: readonly { readonly owner: string; readonly mode: WebLockMode }[],
  own: readonly LockRequest[],
  { name, clientId }: { readonly name: string; readonly clientId: string },
): WebLockInfo[] {
  const rest = own.map(({ mode }) => ({ name, mode, clientId }));
  const infos = inRecord.flatMap(({ owner, mode }): WebLockInfo[] =>
    owner === clientId ? rest.splice(0, 1) : [{ name, mode, clientId: owner }],
  );
  return [...infos, ...rest];
}
