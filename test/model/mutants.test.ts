import { readFileSync } from "node:fs";
import { transform } from "esbuild";
import { expect, it } from "vitest";
import { configurationNamed } from "../../model/configurations.js";
import { MUTANTS } from "../../mutants/list/all.js";
import type { Method } from "../../mutants/mutant.js";
import { sampleOf } from "../../mutants/sample.js";
import { mutated, problemOf } from "../../mutants/variant.js";

it("has mutants enough, each with a name of its own", () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

it.each(MUTANTS)("can still be made: $name", (mutant) => {
  expect(problemOf(mutant)).toBeUndefined();
  expect(mutant.file).toMatch(/^src\//);
  expectKnown(mutant.caughtBy);
});

it("each is a program: what is not a program fails whatever looks at it", async () => {
  const broken = await Promise.all(
    MUTANTS.map((mutant) =>
      transform(mutated(mutant), { loader: "ts" }).then(
        () => [],
        () => [mutant.name],
      ),
    ),
  );
  expect(broken.flat()).toEqual([]);
});

function expectKnown(method: Method): void {
  if (method === "sim") return;
  if ("model" in method) return expect(configurationNamed(method.model).clients).not.toEqual([]);
  expect(readFileSync(method.test, "utf8")).toContain(method.named);
}

it("takes other mutants for another commit, and all of them in the end", () => {
  const seen = new Set<string>();
  for (let commit = 0; commit * 20 < MUTANTS.length; commit += 1) {
    const sample = sampleOf(MUTANTS, 20, commit * 20);
    expect(new Set(sample).size).toBe(20);
    for (const { name } of sample) seen.add(name);
  }
  expect(seen.size).toBe(MUTANTS.length);
});

it("says what is wrong with one that cannot", () => {
  const mutant = { name: "stale", file: "src/core/lease.ts", search: "leaseMs", replace: "" };
  expect(problemOf(mutant)).toMatch(/^stale: what it replaces is \d+ times in src\/core\/lease.ts/);
});
