import type { Body, BodyHolder } from "../plan/body.js";
import type { Findings } from "./findings.js";

/** A place in a record. */
interface Entry {
  readonly key: string;
  readonly id: string;
}

/** What `close` says that it could not give back. */
export interface LeftBehind {
  readonly lockName: string;
  readonly acquisitionId: string;
  readonly fencingToken?: number;
  /** Epoch milliseconds of the store's clock. */
  readonly expiresAt: number;
}

/**
 * What is in the records belongs to a task. Of a process that was closed nothing is left, but for what `close` has said, which runs
 * out by itself; of one that does nothing, nothing is left at all. To be asked only where the store has answered.
 *
 * Each excuse is for what no client can know or do, names the seed that has shown it, and has a test of its own that shows where it ends
 * (test/sim/seams.test.ts). All of them together are what 2 of seeds 1 to 6,400 need.
 */
export class LeftoverChecker {
  readonly #findings: Findings;
  readonly #now: () => number;
  readonly #records: () => ReadonlyMap<string, Body>;
  /** Holds that are not renewed any more, under the id of the write that did so last. */
  readonly #abandoned = new Map<string, string>();
  /** When each hold was last written for its holder, by true time. */
  readonly #written = new Map<string, { readonly leaseWriteId: string; readonly atMs: number }>();
  /** By token: it was given away by `serialize`, and is for another process to give back. */
  readonly #handedOver = new Set<number>();
  /** By id: it was ended by force, which its holder learns with its next request, not before its close has said what it left. */
  readonly #forced = new Set<string>();
  /** By token: told that their object is not there, by what a cache had kept: what is not there is not cleared up (seed 96728). */
  readonly #misled = new Set<number>();
  /** Processes that take the store for unsafe, and write nothing to it for as long as that counts (seed 470378). */
  readonly #distrustful = new Set<string>();
  /** When each waiter's entry was there first. */
  readonly #joinedAtMs = new Map<string, number>();
  /** When the last few versions of each record landed. */
  readonly #landings = new Map<string, readonly number[]>();

  /** When the store was back after its outage, where it has one. */
  readonly #backAtMs: number;

  constructor(
    findings: Findings,
    now: () => number,
    records: () => ReadonlyMap<string, Body>,
    backAtMs = Number.NEGATIVE_INFINITY,
  ) {
    this.#findings = findings;
    this.#now = now;
    this.#records = records;
    this.#backAtMs = backAtMs;
  }

  /** Notes that a hold was ended on purpose without giving it back: it waits for the process that goes on with it. */
  handOver(token: number): void {
    this.#handedOver.add(token);
  }

  /** Notes that a hold was ended by force: its holder need not know yet. */
  force(id: string): void {
    this.#forced.add(id);
  }

  /** Notes that its holder was told by a cache that there is no such object. */
  misled(token: number): void {
    this.#misled.add(token);
  }

  /** Notes that this process has seen the store contradict itself, so that it does not write there for a while, nor clear up. */
  distrusts(process: string): void {
    this.#distrustful.add(process);
  }

  /** Checks what a process has left behind that has been closed. */
  closed(process: string, leftBehind: readonly LeftBehind[]): void {
    const reported = new Set(leftBehind.map(({ acquisitionId }) => acquisitionId));
    for (const { key, id } of this.#entriesOf(process)) {
      const isQueued = (this.#records().get(key)?.queue ?? []).some((one) => one.id === id);
      // A client that takes its entry out comes second to a crowd now and then, for as long as a close gives the store (seed 83263).
      const isExcused = isQueued && (this.#isCrowded(key) || this.#isFromBefore(id));
      if (!reported.has(id) && !isExcused)
        this.#findings.report("leftover", `${key}: ${id} of ${process}, which was closed`);
    }
    const holders = [...this.#records().values()].flatMap((record) => record.holders ?? []);
    for (const { lockName, acquisitionId: id, fencingToken, expiresAt } of leftBehind) {
      // Another process goes on with it.
      if (fencingToken !== undefined && this.#handedOver.has(fencingToken)) continue;
      const holder = holders.find((one) => one.id === id);
      if (holder !== undefined) this.#abandoned.set(id, holder.leaseWriteId);
      else if (!this.#forced.has(id) && expiresAt > this.#now() + CLOCKS_MS)
        this.#findings.report("leftover", `${process} says that it left ${id} in ${lockName}, which is not there`);
    }
  }

  /**
   * Lists what is still there of these processes, whose callers have all come to their ends, and had time to clear up. It has to go soon,
   * and not only by its own end: `stillQuiet` is to be called with it, when what the store had turned away was tried again.
   */
  quiet(processes: readonly string[]): readonly Entry[] {
    const trusting = processes.filter((process) => !this.#distrustful.has(process));
    return trusting.flatMap((process) => this.#entriesOf(process));
  }

  stillQuiet(entries: readonly Entry[]): void {
    for (const { key, id } of entries) {
      if (this.#isFromBefore(id)) continue;
      const { holders = [], queue = [] } = this.#records().get(key) ?? {};
      if ([...holders, ...queue].some((one) => one.id === id))
        this.#findings.report("leftover", `${key}: ${id}, which no task of its process believes in`);
    }
  }

  /**
   * Says whether the entry was written before the store went away. A client that gave up tries for a lease and some seconds; a store that
   * is away for longer keeps the entry until it expires (seed 178687), and past the end of its client where the clock that published its
   * end was hours off (seed 24773).
   */
  #isFromBefore(id: string): boolean {
    return (this.#joinedAtMs.get(id) ?? Number.POSITIVE_INFINITY) < this.#backAtMs;
  }

  #isCrowded(key: string): boolean {
    const landings = this.#landings.get(key) ?? [];
    return landings.length === CROWD && this.#now() - (landings[0] ?? 0) < CROWD_MS;
  }

  /** Notes what lands, and checks that nothing is renewed after a close: to be called for each version that lands. */
  landed(key: string, { holders = [], queue = [] }: Body): void {
    for (const { id } of queue) if (!this.#joinedAtMs.has(id)) this.#joinedAtMs.set(id, this.#now());
    this.#landings.set(key, [...(this.#landings.get(key) ?? []), this.#now()].slice(-CROWD));
    for (const { id, leaseWriteId } of holders) {
      if (this.#written.get(id)?.leaseWriteId !== leaseWriteId)
        this.#written.set(id, { leaseWriteId, atMs: this.#now() });
      const before = this.#abandoned.get(id);
      if (before !== undefined && before !== leaseWriteId)
        this.#findings.report("leftover", `${key}: ${id} is renewed after its process was closed`);
    }
  }

  /**
   * Lists a process's entries. What has run out, or was given back and stays for its time, belongs to no task any more, and a holder by
   * name keeps it for as long as was asked for.
   */
  #entriesOf(process: string): readonly Entry[] {
    const isOurs = ({ id, expiresAtMs }: Pick<BodyHolder, "id" | "expiresAtMs">) =>
      id.startsWith(`${process}#`) && expiresAtMs > this.#now();
    // A clock that is hours off publishes an end that is, too; the lease is as long as ever.
    const isOver = ({ id, leaseMs }: BodyHolder) => {
      const { atMs } = this.#written.get(id) ?? { atMs: Number.POSITIVE_INFINITY };
      return atMs + leaseMs + CLOCKS_MS <= this.#now();
    };
    return [...this.#records()].flatMap(([key, { holders = [], queue = [] }]) => {
      const isKept = ({ via, token, releasedAtMs }: BodyHolder) =>
        via === "name" || this.#handedOver.has(token) || this.#misled.has(token) || releasedAtMs !== undefined;
      const held = holders.filter((one) => !isKept(one) && !isOver(one));
      return [...held, ...queue].filter(isOurs).map(({ id }) => ({ key, id }));
    });
  }
}

/** How far apart true time and what a client takes for store time may be. */
const CLOCKS_MS = 2500;

/** So many writes to one record within so many milliseconds, two seconds of which a close gives the store. */
const CROWD = 8;
const CROWD_MS = 3000;
