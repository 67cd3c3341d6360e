import { expect, it } from "vitest";
import { configurationNamed } from "../../model/configurations.js";
import { MUTANTS } from "../../mutants/list/all.js";
import { problemOf } from "../../mutants/variant.js";

it("has mutants enough, each with a name of its own", () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

it.each(MUTANTS)("can still be made: $name", (mutant) => {
  expect(problemOf(mutant)).toBeUndefined();
  expect(mutant.file).toMatch(/^src\//);
  if (mutant.caughtBy !== "sim") expect(configurationNamed(mutant.caughtBy.model).clients).not.toEqual([]);
});

it("says what is wrong with one that cannot", () => {
  const mutant = { name: "stale", file: "src/core/lease.ts", search: "leaseMs", replace: "" };
  expect(problemOf(mutant)).toMatch(/^stale: what it replaces is \d+ times in src\/core\/lease.ts/);
});
