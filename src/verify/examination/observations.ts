import type { AnswerTiming } from "../../store/object-store.js";
import type { ProbeOperation, ProbeOutcome } from "./probe-answer.js";
import { Writes } from "./writes.js";

/** `race`: failures are expected of losers; `quiet`: one request at a time, so that latencies mean something. */
export type Phase = "checks" | "race" | "quiet";

/** All that was seen on the way: how long requests took, which failed, and what the store's clock showed. */
export class Observations {
  readonly timings: AnswerTiming[] = [];
  readonly #latenciesMs = new Map<ProbeOperation, number[]>();
  phase: Phase = "checks";
  requests = 0;
  /** Those of them that the store gave a word of its own to, whichever. */
  told = 0;
  /** Answers of 5xx, and requests without an answer; those that raced are counted by themselves. */
  failed = 0;
  failedInRaces = 0;
  throttled = 0;
  /** Reads and writes that were denied, although they were allowed at first. */
  refused = 0;
  lastFailure: string | undefined;
  /** Keys of which it is asked whether a store takes them: what goes wrong there is an answer, and no error. */
  readonly trials = new Set<string>();
  /** Successes, and how many of them closed their connection. */
  readonly connections = { answers: 0, closed: 0 };
  /** How late a `Date` was at least, its whole seconds included; undefined where that could not be seen. */
  lateDateMs: number | undefined;
  readonly repeats = new Repeats();
  readonly writes = new Writes();

  note(operation: ProbeOperation, outcome: ProbeOutcome, key?: string): void {
    this.requests += 1;
    const { timing } = outcome;
    if (timing !== undefined) this.timings.push(timing);
    if (outcome.kind !== "unknown") this.told += 1;
    if (outcome.kind === "unknown" && !this.trials.has(key ?? ""))
      this.#noteFailure(outcome.error.message, outcome.throttled);
    const isOfLocks = operation === "get" || operation === "put";
    if (outcome.kind === "refused" && isOfLocks && outcome.error.code === "access-denied") {
      this.refused += 1;
      this.lastFailure = outcome.error.message;
    }
    if (outcome.kind !== "answer" || this.phase !== "quiet") return;
    const latencies = this.#latenciesMs.get(operation) ?? [];
    latencies.push(outcome.timing.receivedAtMs - outcome.timing.sentAtMs);
    this.#latenciesMs.set(operation, latencies);
  }

  noteConnection(header: string | undefined): void {
    this.connections.answers += 1;
    if (header?.toLowerCase() === "close") this.connections.closed += 1;
  }

  #noteFailure(message: string, throttled: boolean): void {
    if (throttled) this.throttled += 1;
    else if (this.phase === "race") this.failedInRaces += 1;
    else {
      this.failed += 1;
      this.lastFailure = message;
    }
  }

  /** Lists the latencies of quiet requests, sorted. */
  latenciesMs(operation: ProbeOperation): readonly number[] {
    return (this.#latenciesMs.get(operation) ?? []).toSorted((one, other) => one - other);
  }
}

/**
 * Writes that were done and answered as refused, since something on the way has sent them twice. That happens; a store that
 * answers each write so is another matter.
 */
export class Repeats {
  readonly #kinds = new Map<string, { once: number; twice: number }>();

  answeredOnce(kind: string): void {
    this.#of(kind).once += 1;
  }

  answeredTwice(kind: string): void {
    this.#of(kind).twice += 1;
  }

  /** Says whether there were enough of them to tell, and not one was answered as it should be. */
  isEachTime(kind: string): boolean {
    const { once, twice } = this.#of(kind);
    return once === 0 && twice >= ENOUGH_TO_TELL;
  }

  get total(): number {
    return [...this.#kinds.values()].reduce((sum, { twice }) => sum + twice, 0);
  }

  #of(kind: string): { once: number; twice: number } {
    const known = this.#kinds.get(kind) ?? { once: 0, twice: 0 };
    this.#kinds.set(kind, known);
    return known;
  }
}

/** So many in a row are not chance, however often a runtime repeats. */
const ENOUGH_TO_TELL = 8;

/** Finds the value that a share of the sorted values does not exceed; 0 where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
