/** What the pool asks a hunter. */
export type Question = { readonly kind: "survey" } | Hunt;

/** One mutant, and which tests to run with it. */
export interface Hunt {
  readonly kind: "hunt";
  readonly mutant: string;
  /** The tests by their place in the suite, the quickest first. */
  readonly order: readonly number[];
  /** Whether it lies in code that runs when modules are loaded, which has to happen anew. */
  readonly isFresh: boolean;
  /** A mutant that is run through more often has made an endless loop. */
  readonly hitLimit: number;
}

export type Answer = { readonly survey: Survey } | { readonly failure?: Failure | undefined };

/** What a hunter says once, before it is asked: it has loaded the suite. */
export type Ready = "ready";

/** What became of the tests without a mutant, and how often each of them ran through which mutants' places. */
export interface Survey {
  readonly failures: readonly Failure[];
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
