import type { LockTally, Violation } from "../messages.js";

export interface Visitor {
  /** One hold of the lock by one worker: no two have the same. */
  readonly turn: string;
  readonly pid: number;
  readonly token: number;
}

export interface ProtectedCounterEvents {
  takeover(text: string): void;
  refused(text: string, visitor: Visitor, wasSure: boolean): void;
  violation(violation: Violation): void;
}

/**
 * What one lock protects: a counter that checks fencing tokens, and one that believes every worker. Each method is one atomic
 * step, since nothing else runs in between. The checked one remembers the highest token it has seen, in reads as well as in
 * writes: a reader with a newer token is about to build on what it read, so the older holder's write has to fail from then on.
 */
export class ProtectedCounter {
  readonly #lockName: string;
  readonly #events: ProtectedCounterEvents;
  #highestToken = 0;
  #latest: Visitor | undefined;
  #counter = 0;
  #accepted = 0;
  #plainCounter = 0;
  #plainWrites = 0;
  #refused = 0;
  #takeovers = 0;
  #lastWriter = "none";
  /** The worker that has come in with the highest token, until it goes. */
  #inside: Visitor | undefined;

  constructor(lockName: string, events: ProtectedCounterEvents) {
    this.#lockName = lockName;
    this.#events = events;
  }

  get inside(): Visitor | undefined {
    return this.#inside;
  }

  /** Before a worker asks for the lock: whatever it will be granted has to have a higher token than this. */
  get floor(): number {
    return this.#highestToken;
  }

  /** Reads both counters; the checked one is undefined for a worker with an old token. */
  enter(visitor: Visitor, floor: number): { readonly checked: number | undefined; readonly plain: number } {
    const { token, turn } = visitor;
    if (token <= floor) {
      this.#violate("token-fell", `${turn} was granted ${token} after ${floor} had been seen`);
    }
    if (token < this.#highestToken) {
      this.#refuse(visitor, "read", false);
      return { checked: undefined, plain: this.#plainCounter };
    }
    if (token === this.#highestToken && this.#latest !== undefined && this.#latest.turn !== turn) {
      this.#violate("token-granted-twice", `${turn} has ${token}, and so had ${this.#latest.turn}`);
    }
    if (this.#inside !== undefined && token > this.#highestToken) {
      this.#takeovers += 1;
      this.#events.takeover(`${turn} took ${this.#lockName} over from ${this.#inside.turn}, token ${token}`);
    }
    this.#highestToken = token;
    this.#latest = visitor;
    this.#inside = visitor;
    return { checked: this.#counter, plain: this.#plainCounter };
  }

  /** Writes without asking the worker which it is. */
  writePlain(value: number): void {
    this.#plainWrites += 1;
    this.#plainCounter = value;
  }

  /** Writes for a worker; false for one with an old token. `wasSure`: its clocks told it just before that it still held the lock. */
  write(visitor: Visitor, value: number, wasSure: boolean): boolean {
    if (visitor.token < this.#highestToken) {
      this.#refuse(visitor, "write", wasSure);
      return false;
    }
    if (value !== this.#counter + 1) {
      const text = `${visitor.turn} (token ${visitor.token}) wrote ${value} over ${this.#counter} by ${this.#lastWriter}`;
      this.#violate("lost-update", text);
    }
    this.#accepted += 1;
    this.#counter = value;
    this.#lastWriter = `${visitor.turn} (token ${visitor.token})`;
    return true;
  }

  /** Notes that a worker leaves, before the lock is given back. */
  leave(visitor: Visitor): void {
    if (this.#inside?.turn === visitor.turn) this.#inside = undefined;
  }

  tally(): LockTally {
    return {
      lockName: this.#lockName,
      highestToken: this.#highestToken,
      accepted: this.#accepted,
      counter: this.#counter,
      plainWrites: this.#plainWrites,
      plainCounter: this.#plainCounter,
      refused: this.#refused,
      takeovers: this.#takeovers,
    };
  }

  #refuse(visitor: Visitor, what: "read" | "write", wasSure: boolean): void {
    this.#refused += 1;
    const { turn, token } = visitor;
    const text = `${what} of ${this.#lockName} by ${turn} refused: token ${token}, seen ${this.#highestToken}`;
    this.#events.refused(text, visitor, wasSure);
  }

  #violate(kind: Violation["kind"], text: string): void {
    this.#events.violation({ kind, text: `${this.#lockName}: ${text}` });
  }
}
