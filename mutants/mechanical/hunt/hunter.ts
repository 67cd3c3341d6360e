import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import { type Case, Cases } from "./cases.js";
import type { Answer, Failure, Hunt, Planned, Question, Ready, Survey, Verdict } from "./messages.js";
import { Unhandled } from "./unhandled.js";

/**
 * A process of its own, which the pool ends when a mutant hangs: `hunter.ts <suite>`. It loads the suite of specs and
 * answers the pool's questions.
 */

/** How instrumented code and its runner speak with each other; the names are Stryker's. */
interface Switchboard {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

/** Without a mutant a test may take as long as under vitest. */
const LONGEST_MS = 60_000;

const [path = ""] = process.argv.slice(2);
const suite = new Script(`(function (require, inSpec) {${readFileSync(path, "utf8")}\n})`, {
  filename: path,
}).runInThisContext() as (require: (name: string) => unknown, inSpec: Cases["inSpec"]) => void;
const require = createRequire(import.meta.url);
const fastCheck = require("fast-check") as typeof import("fast-check");

const board: Switchboard = { mutantCoverage: { static: {}, perTest: {} } };
Object.assign(globalThis, { __stryker__: board });
const cases = load();
const unhandled = new Unhandled();

process.on("message", async (question: Question) => {
  if (question.kind === "hunt") answer({ kind: "verdict", verdict: await hunt(question) });
  else answer({ kind: "survey", survey: await survey() });
});
process.send?.("ready" satisfies Ready);
process.on("disconnect", () => process.exit());

function answer(said: Answer): void {
  process.send?.(said);
}

function load(): readonly Case[] {
  const collected = new Cases();
  suite((name) => (name === "vitest" ? collected.vitest : require(name)), collected.inSpec);
  // That a property fails is enough: its smallest example is not read.
  fastCheck.configureGlobal({ ...fastCheck.readConfigureGlobal(), endOnFailure: true });
  return collected.all;
}

/** Runs everything without a mutant. */
async function survey(): Promise<Survey> {
  const failures: Failure[] = [];
  const failed: number[] = [];
  const timesMs: number[] = [];
  for (const [at, one] of cases.entries()) {
    board.currentTestId = String(at);
    const startedAtMs = performance.now();
    const { failure } = await outcomeOf(one, LONGEST_MS);
    timesMs.push(performance.now() - startedAtMs);
    // Tests against real time get another chance, as in CI: machines are shared.
    if (failure === undefined || (await outcomeOf(one, LONGEST_MS)).failure === undefined) continue;
    failures.push(failure);
    failed.push(at);
  }
  board.currentTestId = undefined;
  const { static: atLoad, perTest } = board.mutantCoverage;
  return { failures, failed, timesMs, hitsAtLoad: atLoad, hitsByCase: cases.map((_, at) => perTest[at] ?? {}) };
}

/** Runs the given tests with one mutant until one fails. */
async function hunt({ mutant, plan, isFresh }: Hunt): Promise<Verdict> {
  Object.assign(board, { activeMutant: mutant, hitCount: 0, hitLimit: Number.POSITIVE_INFINITY });
  try {
    const mutated = isFresh ? load() : cases;
    if (mutated.length !== cases.length) {
      const failure = { test: "(loading)", error: `${mutated.length} tests instead of ${cases.length}` };
      return { fate: "killed", failure, isSpent: false };
    }
    for (const planned of plan) {
      const verdict = await judge(mutated[planned.at] as Case, planned);
      if (verdict !== undefined) return verdict;
    }
    return { fate: "survived", isSpent: false };
  } catch (error) {
    return { fate: "killed", failure: { test: "(loading)", error: String(error) }, isSpent: false };
  } finally {
    switchOff();
  }
}

function switchOff(): void {
  Object.assign(board, { activeMutant: undefined, hitCount: undefined, hitLimit: undefined });
}

/** Says what a test has found out about the mutant that is on, if anything. */
async function judge(one: Case, { at, limitMs, hitLimit }: Planned): Promise<Verdict | undefined> {
  answer({ kind: "progress", limitMs });
  Object.assign(board, { hitCount: 0, hitLimit });
  const { failure, isLate } = await outcomeOf(one, limitMs);
  // The library may have caught what was thrown at the limit.
  const isEndless = (board.hitCount ?? 0) > hitLimit;
  if (failure === undefined && !isEndless) return undefined;
  const seen = failure === undefined ? {} : { failure };
  if (isLate || isEndless) return { fate: "endless", ...seen, isSpent: true };
  switchOff();
  // Only what passes without the mutant has failed because of it; a promise that it has left may be rejected just then.
  let again = await outcomeOf(cases[at] as Case, LONGEST_MS);
  if (again.failure !== undefined) again = await outcomeOf(cases[at] as Case, LONGEST_MS);
  return again.failure === undefined
    ? { fate: "killed", ...seen, isSpent: false }
    : { fate: "unsettled", failure: again.failure, isSpent: true };
}

async function outcomeOf({ spec, name, run }: Case, limitMs: number): Promise<{ failure?: Failure; isLate: boolean }> {
  const test = `${spec}: ${name}`;
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, limitMs, true);
  });
  try {
    const late = await Promise.race([unhandled.during(run), isLate]);
    return late === true
      ? { failure: { test, error: `takes longer than ${limitMs} ms` }, isLate: true }
      : { isLate: false };
  } catch (error) {
    return { failure: { test, error: String(error) }, isLate: false };
  } finally {
    clearTimeout(timer);
  }
}
