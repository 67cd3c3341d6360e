import { type Body, holdersOf } from "../plan/body.js";
import type { Findings } from "./findings.js";

/** A line of work: it waits for one of these locks, and its name is the label of what it holds. */
export interface Waiting {
  readonly name: string;
  /** What it waits for right now; undefined while it does not wait. */
  readonly wants: readonly string[] | undefined;
  /** Its time-out is over: it lets go of what it holds, while its call has not ended yet. */
  readonly isGivingUp: boolean;
  /** Neither dead nor frozen. */
  readonly isAwake: boolean;
}

export interface Edge {
  readonly lockName: string;
  readonly fencingToken: number;
}

/**
 * Who really waits for whom: holds are read from the records, waits are known from the callers. Every cycle is to be broken
 * within a bound, and a victim has to have been in one.
 */
export class DeadlockChecker {
  readonly #findings: Findings;
  readonly #now: () => number;
  readonly #record: (lock: string) => Body | undefined;
  readonly #tasks: () => readonly Waiting[];
  /** How long ago a task that gives way now may have looked. */
  readonly #disturbanceMs: number;
  #stuck: { readonly cycle: string; readonly sinceMs: number } | undefined;
  /** By cycle, who gave way last, and what it had waited for. */
  readonly #victims = new Map<string, { readonly who: string; readonly waitsFor: string | undefined }>();
  /** By line of work, what it took by name, with the token under which it was granted. */
  readonly #named = new Map<string, Edge[]>();
  #disturbedAtMs = Number.NEGATIVE_INFINITY;
  /** Cycles that were there when it looked. */
  seen = 0;
  /** Victims whose cycle was verified. */
  victims = 0;

  constructor(
    findings: Findings,
    now: () => number,
    record: (lock: string) => Body | undefined,
    tasks: () => readonly Waiting[],
    roundTripMs = 0,
  ) {
    this.#findings = findings;
    this.#now = now;
    this.#record = record;
    this.#tasks = tasks;
    this.#disturbanceMs = Math.max(DISTURBANCE_MS, LOOKS * roundTripMs);
  }

  /** Notes that something broke waits or holds other than a deadlock does: a crash, a freeze, a time-out, force. */
  disturb(): void {
    this.#disturbedAtMs = this.#now();
  }

  /** Notes that a task was granted a lock by name just now. There is no handle to tell how long it has it: the record does. */
  tookByName(who: string, lockName: string, owner: string): void {
    const holder = holdersOf(this.#record(lockName)).find((one) => one.owner === owner && one.via === "name");
    if (holder !== undefined)
      this.#named.set(who, [...this.#heldByName(who), { lockName, fencingToken: holder.token }]);
  }

  /** Says whether another task can wait for it, for what it took by name and has neither given back nor lost. */
  holdsByName(who: string): boolean {
    return this.#heldByName(who).length > 0;
  }

  #heldByName(who: string): readonly Edge[] {
    const isHeld = ({ lockName, fencingToken }: Edge) =>
      holdersOf(this.#record(lockName)).some(({ token }) => token === fencingToken);
    return (this.#named.get(who) ?? []).filter(isHeld);
  }

  /** Reports a cycle that has been there for too long, as one that is not broken: to be called every now and then. */
  check(boundMs: number): void {
    const cycle = this.#findCycle();
    if (cycle !== undefined) this.seen += 1;
    if (cycle === undefined || cycle !== this.#stuck?.cycle) {
      this.#stuck = cycle === undefined ? undefined : { cycle, sinceMs: this.#now() };
      return;
    }
    if (this.#now() - this.#stuck.sinceMs < boundMs) return;
    this.#findings.report("deadlock", `no task gives way in ${boundMs / 1000} s: ${cycle}`);
    this.#stuck = undefined;
  }

  /**
   * Checks a task that gives way, for a cycle for which no other has. Being in a deadlock is stable, so unless it was disturbed, each edge
   * of its cycle is there now.
   */
  noteVictim(who: string, cycle: readonly Edge[]): void {
    this.#checkOnlyVictim(who, cycle);
    if (this.#now() - this.#disturbedAtMs < this.#disturbanceMs || this.#tasks().some(({ isGivingUp }) => isGivingUp))
      return;
    this.victims += 1;
    for (const [index, { lockName, fencingToken }] of cycle.entries()) {
      const holder = holdersOf(this.#record(lockName)).find(({ token }) => token === fencingToken);
      const next = cycle[(index + 1) % cycle.length]?.lockName ?? "";
      const task = this.#tasks().find(({ name }) => name === holder?.label);
      if (holder === undefined) {
        this.#findings.report("victim", `${who} gave way, but ${lockName} is not held with ${fencingToken}`);
      } else if (task !== undefined && !task.wants?.includes(next)) {
        this.#findings.report(
          "victim",
          `${who} gave way, but ${task.name}, who holds ${lockName}, does not wait for ${next}`,
        );
      }
    }
  }

  #checkOnlyVictim(who: string, cycle: readonly Edge[]): void {
    const holds = cycle.map(({ lockName, fencingToken }) => `${lockName} ${fencingToken}`).toSorted();
    const key = holds.join(", ");
    const waitsFor = cycle[0]?.lockName;
    const other = this.#victims.get(key);
    // One that gave way, kept what it holds and asked again is in that cycle again, and any of them may give way then.
    if (other !== undefined && other.waitsFor !== waitsFor && !this.#waitsAgain(cycle, other.waitsFor))
      this.#findings.report("victim", `${who} and ${other.who} give way for the same cycle: ${key}`);
    this.#victims.set(key, { who, waitsFor });
  }

  /** Says whether the one of the cycle that waited for this lock waits for it now. */
  #waitsAgain(cycle: readonly Edge[], lockName: string | undefined): boolean {
    const held = cycle.at(cycle.findIndex((edge) => edge.lockName === lockName) - 1);
    if (lockName === undefined || held === undefined) return false;
    const task = this.#tasks().find(({ name }) => name === this.#nameOfHolder(held));
    return task?.wants?.includes(lockName) === true;
  }

  /** Names the holder's line of work, which the record does not say of what is taken by name. */
  #nameOfHolder({ lockName, fencingToken }: Edge): string | undefined {
    const holder = holdersOf(this.#record(lockName)).find(({ token }) => token === fencingToken);
    const isIt = (edge: Edge) => edge.lockName === lockName && edge.fencingToken === fencingToken;
    return holder?.label ?? [...this.#named].find(([, edges]) => holder !== undefined && edges.some(isIt))?.[0];
  }

  /** Finds a cycle among the tasks that are awake, spelled out; undefined when there is none. */
  #findCycle(): string | undefined {
    const tasks = new Map(this.#tasks().map((task) => [task.name, task]));
    const holderOf = (lock: string) => tasks.get(holdersOf(this.#record(lock))[0]?.label ?? "");
    for (const start of tasks.values()) {
      const path: string[] = [];
      let task: Waiting | undefined = start;
      while (task?.isAwake && task.wants !== undefined && path.length <= tasks.size) {
        // Several locks are taken one after the other: it waits for the first that it does not hold.
        const name: string = task.name;
        const wanted = task.wants.find((lock) => holderOf(lock)?.name !== name);
        const record = wanted === undefined ? undefined : this.#record(wanted);
        if (wanted === undefined || record === undefined) break;
        path.push(`${name} waits for ${wanted} (${holdersOf(record)[0]?.id})`);
        task = holderOf(wanted);
        if (task === start) return path.toSorted().join(", ");
      }
    }
    return undefined;
  }
}

const DISTURBANCE_MS = 6000;
/** A victim has looked at each of its cycle twice and has taken its own entry out, and any of these may have to be repeated. */
const LOOKS = 8;
