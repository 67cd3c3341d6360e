import type { StoreQuirks } from "../src/testing/index.js";
import { Random } from "../src/testing/virtual/random.js";
import type { Spread } from "../testkit/statistics.js";
import { BenchServer } from "./server/bench-server.js";

/** What a figure has to reach; `words` where the target is another figure's multiple or the like. */
export interface Target {
  readonly is: "at most" | "at least" | "exactly";
  readonly value: number;
  readonly words?: string;
}

/** One measured figure. Where both are lists, they are one value a round. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Which direction is better, for the ratios; missing where the question makes no sense. */
  readonly better?: "higher" | "lower";
  /** Missing: what it measures does not exist yet, and `note` says what. */
  readonly measured?: Spread;
  readonly target?: Target;
  /** Judged by the worst round instead of the median: for what may never happen. */
  readonly strict?: boolean;
  readonly ancestor?: Spread;
  readonly limit?: Spread;
  readonly note?: string;
}

/** What a case is given to run with. */
export class Bench {
  readonly quick: boolean;
  readonly #seed: number;
  readonly #report: (text: string) => void;
  readonly #servers: BenchServer[] = [];

  constructor(options: { quick: boolean; seed: number; report: (text: string) => void }) {
    this.quick = options.quick;
    this.#seed = options.seed;
    this.#report = options.report;
  }

  rounds(full: number, quick = 1): number {
    return this.quick ? quick : full;
  }

  /** Makes a generator that draws the same numbers for the same part of every run. */
  random(part: string): Random {
    let seed = this.#seed;
    for (const char of part) seed = (Math.imul(seed, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
    return new Random(seed);
  }

  say(text: string): void {
    this.#report(text);
  }

  /** Starts a server of the case's own, which is closed when the case is over. */
  async server(latencyMs: number, quirks: StoreQuirks = {}): Promise<BenchServer> {
    const server = await BenchServer.start(latencyMs, quirks);
    this.#servers.push(server);
    return server;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

export interface BenchCase {
  /** What it is asked for by on the command line. */
  readonly name: string;
  readonly issue: 2 | 3 | 6 | 7;
  readonly title: string;
  run(bench: Bench): Promise<readonly Figure[]>;
}

/** Varies a time: it is as long as was asked for, give or take 30 % at random. */
export function varied(random: Random, ms: number): number {
  return ms * random.between(0.7, 1.3);
}

let names = 0;

/** Names a lock that was never used. */
export function freshName(part: string): string {
  names += 1;
  return `${part}-${process.pid}-${names}`;
}
