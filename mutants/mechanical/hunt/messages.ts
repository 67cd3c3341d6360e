/** What the pool asks a hunter. */
export type Question = { readonly kind: "survey" } | Hunt;

/** One mutant, and which tests to run with it. */
export interface Hunt {
  readonly kind: "hunt";
  readonly mutant: string;
  /** In this order, until one fails. */
  readonly plan: readonly Planned[];
  /** Whether it lies in code that runs when modules are loaded, which has to happen anew. */
  readonly isFresh: boolean;
}

export interface Planned {
  /** The test's place in the suite. */
  readonly at: number;
  /** It has failed if it takes longer. */
  readonly limitMs: number;
  /** A mutant that is run through more often has made an endless loop. */
  readonly hitLimit: number;
}

export type Answer =
  | { readonly kind: "survey"; readonly survey: Survey }
  /** The hunt goes on with a test that may take so long; a process that says nothing for longer hangs. */
  | { readonly kind: "progress"; readonly limitMs: number }
  | { readonly kind: "verdict"; readonly verdict: Verdict };

export interface Verdict {
  readonly fate: Fate;
  /** Which test noticed it, and how. */
  readonly failure?: Failure;
  /** Something may still run that it has set going: another process has to do the rest. */
  readonly isSpent: boolean;
}

/** How a mutant was noticed: a test failed, or it ran on without end; or not at all. */
export type Fate =
  | "killed"
  | "endless"
  | "survived"
  /** The test that failed with it failed without it as well: something else was wrong, and nothing is known. */
  | "unsettled";

/** What a hunter says once, before it is asked: it has loaded the suite. */
export type Ready = "ready";

/** What became of the tests without a mutant, and how often each of them ran through which mutants' places. */
export interface Survey {
  readonly failures: readonly Failure[];
  /** The places in the suite of those that failed. */
  readonly failed: readonly number[];
  readonly timesMs: readonly number[];
  readonly hitsAtLoad: Hits;
  readonly hitsByCase: readonly Hits[];
}

/** By the mutants' ids. */
export type Hits = Readonly<Record<string, number>>;

export interface Failure {
  readonly test: string;
  readonly error: string;
}
