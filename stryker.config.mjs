/** Mechanical mutation of src/core: `npm run mutants:core`. What survives, and why, is in docs/mutants.md. */
export default {
  mutate: ["src/core/**/*.ts", "!src/core/**/*.spec.ts"],
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "mutants/core.vitest.config.ts", related: false },
  concurrency: 1,
  ignorePatterns: ["dist", "coverage", "docs", "api", "bench", "chaos", "model", "examples"],
  // There is no such file: Stryker would rewrite tsconfig.json with the compiler's API, which TypeScript 7 does not have.
  tsconfigFile: "none.json",
  tempDirName: "node_modules/.stryker",
  incremental: true,
  incrementalFile: "node_modules/.stryker-incremental.json",
  reporters: ["clear-text", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: "node_modules/.stryker-report.json" },
  thresholds: { high: 98, low: 95, break: 95 },
};
