import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import { type Case, Cases } from "./cases.js";
import type { Answer, Failure, Hunt, Question, Ready, Survey } from "./messages.js";

/**
 * A process of its own, which the pool ends when a mutant hangs: `hunter.ts <suite>`. It loads the suite of specs and
 * answers the pool's questions.
 */

/** How instrumented code and whoever runs it speak with each other; the names are Stryker's. */
interface Switchboard {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

const [path = ""] = process.argv.slice(2);
const suite = new Script(`(function (require, inSpec) {${readFileSync(path, "utf8")}\n})`, {
  filename: path,
}).runInThisContext() as (require: (name: string) => unknown, inSpec: Cases["inSpec"]) => void;
const require = createRequire(import.meta.url);
const fastCheck = require("fast-check") as typeof import("fast-check");

const board: Switchboard = { mutantCoverage: { static: {}, perTest: {} } };
Object.assign(globalThis, { __stryker__: board });
const cases = load();

process.on("message", async (question: Question) => {
  const answer: Answer = question.kind === "hunt" ? { failure: await hunt(question) } : { survey: await survey() };
  process.send?.(answer);
});
process.send?.("ready" satisfies Ready);
process.on("disconnect", () => process.exit());

function load(): readonly Case[] {
  const collected = new Cases();
  suite((name) => (name === "vitest" ? collected.vitest : require(name)), collected.inSpec);
  // That a property fails is enough: nobody reads its smallest example.
  fastCheck.configureGlobal({ ...fastCheck.readConfigureGlobal(), endOnFailure: true });
  return collected.all;
}

/** Runs everything without a mutant. */
async function survey(): Promise<Survey> {
  const failures: Failure[] = [];
  const timesMs: number[] = [];
  for (const [at, one] of cases.entries()) {
    board.currentTestId = String(at);
    const startedAtMs = performance.now();
    const failure = await failureOf(one);
    timesMs.push(performance.now() - startedAtMs);
    if (failure !== undefined) failures.push(failure);
  }
  board.currentTestId = undefined;
  const { static: atLoad, perTest } = board.mutantCoverage;
  return { failures, timesMs, hitsAtLoad: atLoad, hitsByCase: cases.map((_, at) => perTest[at] ?? {}) };
}

/** Runs the given tests with one mutant until one fails. */
async function hunt({ mutant, order, isFresh, hitLimit }: Hunt): Promise<Failure | undefined> {
  Object.assign(board, { activeMutant: mutant, hitCount: 0, hitLimit });
  try {
    const mutated = isFresh ? load() : cases;
    for (const one of orderedBy(order, mutated)) {
      const failure = await failureOf(one);
      if (failure !== undefined) return failure;
    }
    return undefined;
  } catch (error) {
    return { test: "(loading)", error: String(error) };
  } finally {
    Object.assign(board, { activeMutant: undefined, hitCount: undefined, hitLimit: undefined });
  }
}

/** A mutant may change which tests there are: then all of them. */
function orderedBy(order: readonly number[], mutated: readonly Case[]): readonly Case[] {
  return mutated.length === cases.length ? order.flatMap((at) => mutated[at] ?? []) : mutated;
}

async function failureOf({ spec, name, run }: Case): Promise<Failure | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return { test: `${spec}: ${name}`, error: String(error) };
  }
}
