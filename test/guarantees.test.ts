import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "../mutants/list/all.js";

/** `docs/guide/guarantees.md` names what sees each promise: all of it exists, and no promise is without. */

const guarantees = readFileSync("docs/guide/guarantees.md", "utf8");
/** Gives the cells of the rows with a number under a heading. */
function rowsUnder(heading: string): string[][] {
  const [, section = ""] = guarantees.split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0]?.match(/^\| \d+ \|.*$/gm) ?? [];
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const promises = rowsUnder("Promises");
const seenBy = rowsUnder("What sees each promise");
const namesIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

const simulation = readdirSync("sim", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join("sim", path), "utf8"))
  .join("\n");
const documented = namesIn(readFileSync("docs/simulation.md", "utf8"));
const model = readFileSync("model/checker.ts", "utf8");
const mutants = new Set(MUTANTS.map(({ name }) => name));

it("each promise has a row, and each row a promise", () => {
  expect(promises.length).toBeGreaterThan(10);
  expect(seenBy.map(([number]) => number)).toEqual(promises.map(([number]) => number));
});

describe.each(seenBy)("promise %s", (_, sim, invariants, broken, tests) => {
  it("is seen by a check, and that check was tried by a mutant", () => {
    const checks = [...namesIn(sim), ...namesIn(invariants), ...namesIn(tests)];
    expect(checks).not.toEqual([]);
    expect(namesIn(broken)).not.toEqual([]);
  });

  it("names properties that the simulation reports and its page describes", () => {
    expect(namesIn(sim).filter((name) => !simulation.includes(`report("${name}"`))).toEqual([]);
    expect(namesIn(sim).filter((name) => !documented.includes(name))).toEqual([]);
  });

  it("names invariants that the model has", () => {
    expect(namesIn(invariants).filter((name) => !model.includes(`"${name}"`))).toEqual([]);
  });

  it("names mutants that are on the list", () => {
    expect(namesIn(broken).filter((name) => !mutants.has(name))).toEqual([]);
  });

  it("names tests that there are", () => {
    expect(namesIn(tests).filter((path) => !existsSync(path))).toEqual([]);
  });
});
