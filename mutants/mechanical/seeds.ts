import { expect, it } from "vitest";
import { runSeed } from "../../sim/run.js";

/** A few dozen, so that a mutant that no test sees costs seconds. */
const SEEDS = 40;

it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))("seed %d", async (seed) => {
  expect((await runSeed(seed)).findings).toEqual([]);
});
