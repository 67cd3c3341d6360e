import type { MechanicalMutant } from "../mechanical-mutant.js";
import { HunterProcess } from "./hunter-process.js";
import type { Failure, Fate, Survey } from "./messages.js";
import { planOf } from "./plan.js";

/** A process that says nothing for this much longer than its test may take hangs. */
const PATIENCE_MS = 10_000;

export interface Chosen {
  /** All that are in the suite. */
  readonly mutants: readonly MechanicalMutant[];
  /** Those that are switched on. @default all of them */
  readonly hunted?: readonly MechanicalMutant[];
}

/** Switches the mutants on one after the other, in as many processes as there are jobs, and tells the fate of each. */
export class Pool {
  readonly #suite: string;
  readonly #jobs: number;
  readonly #patienceMs: number;

  constructor(suite: string, jobs: number, patienceMs = PATIENCE_MS) {
    this.#suite = suite;
    this.#jobs = jobs;
    this.#patienceMs = patienceMs;
  }

  /** Runs the tests without a mutant. */
  async survey(): Promise<Survey> {
    const hunter = this.#newHunter();
    const survey = await hunter.survey();
    hunter.end();
    return survey;
  }

  /** Resolves to what fails without a mutant when all is over: what a mutant has left behind would falsify the others. */
  async hunt(
    { mutants, hunted = mutants }: Chosen,
    survey: Survey,
    onFate: (mutant: MechanicalMutant, fate: Fate, by?: Failure) => void,
  ): Promise<readonly Failure[]> {
    const plan = planOf(mutants, survey);
    const pending = [...hunted];
    const work = async () => {
      let hunter = this.#newHunter();
      const huntOnce = async (mutant: MechanicalMutant) => {
        const verdict = await hunter.hunt(plan(mutant));
        if (!verdict.isSpent) return verdict;
        hunter.end();
        hunter = this.#newHunter();
        return verdict;
      };
      for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
        const first = await huntOnce(mutant);
        // In a process that is as good as new there is nothing of other mutants.
        const verdict = first.fate === "unsettled" ? await huntOnce(mutant) : first;
        onFate(mutant, verdict.fate, verdict.failure);
      }
      const { failures } = await hunter.survey();
      hunter.end();
      return failures;
    };
    return (await Promise.all(Array.from({ length: this.#jobs }, work))).flat();
  }

  #newHunter(): HunterProcess {
    return new HunterProcess(this.#suite, this.#patienceMs);
  }
}
