import type { MechanicalMutant } from "../mechanical-mutant.js";
import type { Hits, Hunt, Survey } from "./messages.js";

/** Stryker's: in an endless loop is what is run through a hundred times as often as without a mutant. */
const MOST_HITS = 100;
/** Nothing is a loop that was run through less often than this. */
const FEWEST_HITS = 1000;
/** A test that takes this and ten times as long as without a mutant has failed. */
const LONGEST_MS = 4000;
/** Of the tests that see a mutant, as many of the quickest as take so long together. */
const BUDGET_MS = 10_000;

/** Plans which tests each mutant has to get past: those that run through its place, the quickest first. */
export function planOf(mutants: readonly MechanicalMutant[], survey: Survey): (mutant: MechanicalMutant) => Hunt {
  const { timesMs, hitsAtLoad, hitsByCase } = survey;
  const timeOf = (at: number) => timesMs[at] ?? 0;
  const failed = new Set(survey.failed);
  const quickest = [...timesMs.keys()]
    .filter((at) => !failed.has(at))
    .sort((one, other) => timeOf(one) - timeOf(other));
  const filesOf = hitsByCase.map((hits) => filesSeen(hits, mutants));

  return ({ id, file }) => {
    const hitsOf = (hits: Hits | undefined) => hits?.[id] ?? 0;
    const isFresh = hitsOf(hitsAtLoad) > 0;
    // What runs when modules are loaded concerns all tests, first of all those that run through something of that file.
    const order = isFresh
      ? [...quickest].sort((one, other) => Number(filesOf[other]?.has(file)) - Number(filesOf[one]?.has(file)))
      : quickest.filter((at) => hitsOf(hitsByCase[at]) > 0);
    const mostAtOnce = hitsByCase.reduce((most, hits) => Math.max(most, hitsOf(hits)), hitsOf(hitsAtLoad));
    let spentMs = 0;
    const plan = order.flatMap((at) => {
      spentMs += timeOf(at);
      if (spentMs > BUDGET_MS) return [];
      const hits = isFresh ? mostAtOnce : hitsOf(hitsByCase[at]);
      const hitLimit = Math.max(FEWEST_HITS, MOST_HITS * hits);
      return { at, limitMs: LONGEST_MS + 10 * timeOf(at), hitLimit };
    });
    return { kind: "hunt", mutant: id, plan, isFresh };
  };
}

function filesSeen(hits: Hits, mutants: readonly MechanicalMutant[]): ReadonlySet<string> {
  return new Set(mutants.filter(({ id }) => (hits[id] ?? 0) > 0).map(({ file }) => file));
}
