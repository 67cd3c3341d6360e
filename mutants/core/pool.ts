import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CoreMutant } from "./core-mutant.js";
import type { Answer, Failure, Hits, Hunt, Question, Ready, Survey } from "./messages.js";

/** How a mutant was noticed: a test failed, or it ran on without end; or not at all. */
export type Fate = "killed" | "endless" | "survived";

/** Stryker's: in an endless loop is what is run through a hundred times as often as without a mutant. */
const MOST_HITS = 100;
/** A hunt that takes this and ten times as long as its tests without a mutant is given up. */
const PATIENCE_MS = 10_000;

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
    const hunter = new Hunter(this.#suite);
    const survey = await hunter.survey();
    hunter.end();
    return survey;
  }

  /** Resolves to what fails without a mutant when all is over: what a mutant has left behind would falsify the others. */
  async hunt(
    mutants: readonly CoreMutant[],
    survey: Survey,
    onFate: (mutant: CoreMutant, fate: Fate) => void,
  ): Promise<readonly Failure[]> {
    const pending = [...mutants];
    const work = async () => {
      let hunter = new Hunter(this.#suite);
      for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
        const hunt = planOf(mutant, survey);
        const fate =
          hunt.order.length === 0 ? "survived" : await hunter.hunt(hunt, this.#patienceMs + slowness(hunt, survey));
        onFate(mutant, fate ?? "endless");
        if (fate === undefined) hunter = new Hunter(this.#suite);
      }
      const { failures } = await hunter.survey();
      hunter.end();
      return failures;
    };
    return (await Promise.all(Array.from({ length: this.#jobs }, work))).flat();
  }
}

/** Which tests a mutant has to get past, the quickest first. What runs when modules are loaded concerns all of them. */
function planOf({ id }: CoreMutant, { timesMs, hitsAtLoad, hitsByCase }: Survey): Hunt {
  const hitsOf = (hits: Hits | undefined) => hits?.[id] ?? 0;
  const isFresh = hitsOf(hitsAtLoad) > 0;
  const order = [...timesMs.keys()]
    .filter((at) => isFresh || hitsOf(hitsByCase[at]) > 0)
    .sort((one, other) => (timesMs[one] ?? 0) - (timesMs[other] ?? 0));
  const hits = hitsByCase.reduce((sum, one) => sum + hitsOf(one), hitsOf(hitsAtLoad));
  return { kind: "hunt", mutant: id, order, isFresh, hitLimit: MOST_HITS * hits };
}

function slowness({ order }: Hunt, { timesMs }: Survey): number {
  return 10 * order.reduce((sum, at) => sum + (timesMs[at] ?? 0), 0);
}

/** One process. */
class Hunter {
  readonly #process: ChildProcess;
  /** To load the suite takes a time of its own, which is no mutant's. */
  readonly #isReady: Promise<boolean>;

  constructor(suite: string) {
    const script = fileURLToPath(new URL("hunter.ts", import.meta.url));
    this.#process = fork(script, [suite], { execArgv: ["--import", "tsx"] });
    this.#isReady = this.#next().then((said) => said === ("ready" satisfies Ready));
  }

  async survey(): Promise<Survey> {
    const answer = await this.#ask({ kind: "survey" });
    if (answer === undefined || !("survey" in answer)) throw new Error("the specs could not be run");
    return answer.survey;
  }

  /** Resolves to `undefined` where there was no end in sight, and where the process has ended: it cannot be used again. */
  async hunt(hunt: Hunt, limitMs: number): Promise<Fate | undefined> {
    const answer = await this.#ask(hunt, limitMs);
    if (answer === undefined || "survey" in answer) return undefined;
    if (answer.failure === undefined) return "survived";
    return answer.failure.error.includes("Hit count limit reached") ? "endless" : "killed";
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }

  async #ask(question: Question, limitMs?: number): Promise<Answer | undefined> {
    if (!(await this.#isReady)) throw new Error("the specs cannot be loaded");
    return this.#next(question, limitMs) as Promise<Answer | undefined>;
  }

  /** What it says next; `undefined` where it does not in time, or has ended. */
  #next(question?: Question, limitMs?: number): Promise<unknown> {
    return new Promise((resolve) => {
      const finish = (answer?: unknown) => {
        clearTimeout(timer);
        this.#process.removeAllListeners();
        if (answer === undefined) this.end();
        resolve(answer);
      };
      const timer = limitMs === undefined ? undefined : setTimeout(finish, limitMs);
      this.#process.once("message", finish).once("exit", () => finish());
      if (question === undefined) return;
      this.#process.send(question, (error) => {
        if (error !== null) finish();
      });
    });
  }
}
