// What vitest loads for coverage, in its own process and in each worker: its own v8 coverage, with the processes that tests
// start counted in.
import v8 from "@vitest/coverage-v8";

export default {
  ...v8,
  getProvider: async () => new (await import("./coverage-provider.mjs")).WithChildren(),
};
