import { setTimeout as sleep } from "node:timers/promises";
import type { Visit } from "../resource/wire.js";
import type { Line } from "./workplace.js";

/** A lock that is held, as the critical section sees it. */
export interface Held {
  readonly name: string;
  readonly fencingToken: number;
  /** Aborted when the lock is lost; locks known by name have none. */
  readonly signal?: AbortSignal;
  /** Throws when the clocks say that it is lost; locks known by name have none. */
  assertHeld?(): void;
  /** False when it is lost; the way for locks known by name. */
  refresh?(): Promise<boolean>;
}

export type Noticed = "signal" | "assertHeld" | "release" | "withLock" | "refreshLock" | "releaseLock";

/** The section was left early: the lock is lost. */
class NoticedLoss extends Error {}

let turns = 0;

/** One critical section over one lock or several: read, think, write. */
export class Turn {
  readonly #line: Line;
  readonly #id: string;
  readonly #floors = new Map<string, number>();
  #hasNoticed = false;

  constructor(line: Line) {
    turns += 1;
    this.#line = line;
    this.#id = `${line.settings.name}#${turns}`;
  }

  /** Notes, before the locks are asked for, the tokens seen until now: those of the locks have to be higher. */
  async prepare(lockNames: readonly string[]): Promise<void> {
    for (const lock of lockNames) {
      const { floor = 0 } = await this.#line.resource.ask({ ask: "floor", lock });
      this.#floors.set(lock, floor);
    }
  }

  floorOf(lockName: string): number {
    return this.#floors.get(lockName) ?? 0;
  }

  /** Counts a loss once for a turn, by how it was noticed first. */
  noticeLoss(how: Noticed): void {
    if (this.#hasNoticed) return;
    this.#hasNoticed = true;
    this.#line.diary.count("losses noticed");
    this.#line.diary.count(`noticed by ${how}`);
    this.#line.diary.note(`${this.#id} noticed by ${how} that it had lost its lock`);
  }

  /**
   * Works under the locks. Careful turns stop as soon as they can know that the lock is lost, as the documentation says one should.
   * The others go on, as programs do whose author has not thought of it: then all depends on the token check.
   */
  async work(locks: readonly Held[]): Promise<void> {
    const isCareful = this.#line.random.chance(0.6);
    const visits = locks.map((lock) => this.#visitOf(lock));
    const read: { readonly checked: number | undefined; readonly plain: number }[] = [];
    for (const visit of visits) {
      const floor = this.floorOf(visit.lock);
      const { checked, plain = 0 } = await this.#line.resource.ask({ ask: "enter", floor, ...visit });
      read.push({ checked, plain });
    }
    try {
      await this.#think(locks, isCareful);
      for (const [index, lock] of locks.entries()) {
        const seen = read[index];
        const visit = visits[index];
        if (seen !== undefined && visit !== undefined) await this.#write(lock, visit, seen, isCareful);
      }
    } catch (error) {
      if (!(error instanceof NoticedLoss)) throw error;
    }
    for (const visit of visits) await this.#line.resource.ask({ ask: "leave", ...visit });
  }

  #visitOf({ name, fencingToken }: Held): Visit {
    return { lock: name, turn: this.#id, pid: process.pid, token: fencingToken };
  }

  async #write(
    lock: Held,
    visit: Visit,
    seen: { readonly checked: number | undefined; readonly plain: number },
    isCareful: boolean,
  ): Promise<void> {
    if (isCareful && (await lock.refresh?.()) === false) this.#leaveEarly("refreshLock");
    const wasSure = isCareful && lock.assertHeld !== undefined;
    if (wasSure) this.#assertHeld(lock);
    // From here to the write nothing is awaited. A freeze fits in all the same: that is what tokens are for.
    const next = seen.checked === undefined ? {} : { checked: seen.checked + 1 };
    const { accepted } = await this.#line.resource.ask({
      ask: "write",
      ...visit,
      ...next,
      plain: seen.plain + 1,
      wasSure,
    });
    if (accepted && next.checked !== undefined) {
      this.#line.diary.acknowledged(visit.lock, next.checked, visit.token);
    }
  }

  #assertHeld(lock: Held): void {
    try {
      lock.assertHeld?.();
    } catch {
      this.#leaveEarly("assertHeld");
    }
  }

  #leaveEarly(how: Noticed): never {
    this.noticeLoss(how);
    throw new NoticedLoss(how);
  }

  async #think(locks: readonly Held[], isCareful: boolean): Promise<void> {
    const { random, settings } = this.#line;
    const kind = random.number();
    const { leaseMs } = settings;
    // Mostly short; now and then so long that the lock has to be renewed meanwhile.
    const thinkingMs =
      kind < 0.85 ? random.between(2, 25) : kind < 0.96 ? random.between(50, 250) : random.between(0.4, 1.2) * leaseMs;
    if (!isCareful) {
      await sleep(thinkingMs);
      return;
    }
    const signals = locks.flatMap(({ signal }) => signal ?? []);
    await sleep(thinkingMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => {});
    if (signals.some((signal) => signal.aborted)) this.#leaveEarly("signal");
  }
}
