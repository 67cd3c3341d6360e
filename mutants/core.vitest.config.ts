import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** From the quickest to the slowest: most mutants die early, and the first failure ends a run. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => slownessOf(one.moduleId) - slownessOf(other.moduleId));
  }
}

function slownessOf(file: string): number {
  const order = [
    /core\/transition\/(?!commands)/,
    /core\/(?!transition|codec|polling)/,
    /core\//,
    /rules-of|scenarios/,
  ];
  const at = order.findIndex((pattern) => pattern.test(file));
  return at === -1 ? order.length : at;
}

/**
 * The tests that mechanical mutants of src/core have to get past: those of core, and of the protocol in virtual time; or
 * only those that `CORE_SPECS` names, separated by commas.
 */
export default defineConfig({
  test: {
    include: process.env["CORE_SPECS"]?.split(",") ?? ["src/core/**/*.spec.ts", "test/protocol/**/*.test.ts"],
    // Hundreds of runs from seeds, which would take most of the time: what is wrong has to be found by a test that names it.
    exclude: ["test/protocol/chaos.test.ts"],
    // Instrumented code on a busy machine: a mutant that never ends is stopped by Stryker.
    testTimeout: 60_000,
    sequence: { sequencer: QuickestFirst },
  },
});
