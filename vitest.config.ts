import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { Retries } from "./scripts/retries-reporter.js";

/** The SDK announces the end of its support for Node 20 once in every process that makes a client. */
const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

/** Lists the files that heed `TESTS_IN_FULL`, which `test/scale.ts` reads. */
function inFull(): string[] {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" }).map((file) => `test/${file}`);
  const isScaled = (file: string) => file.endsWith(".test.ts") && readFileSync(file, "utf8").includes('/scale.js"');
  return files.filter(isScaled);
}

/** Slow by nature: programs that start, servers that make callers wait, leases that really end. `npm test` leaves them to `test:proof`. */
const SLOW = [
  ...["cli", "doctor", "stores"].map((folder) => `test/${folder}/**/*.test.ts`),
  "test/**/*-contract.test.ts",
  ...["acquire-lock", "answered", "endless", "faults", "handle", "inspect", "names-and-bodies", "versioned"].map(
    (name) => `test/api/${name}.test.ts`,
  ),
  ...["credentials", "in-flight", "memory", "store-headers"].map((name) => `test/store/${name}.test.ts`),
  ...["cancelling", "passing-on"].map((name) => `test/waiting/${name}.test.ts`),
  ...["answers-of-409", "carried-etag-form", "checked-store", "unanswered-check", "ways-to-one-url"].map(
    (name) => `test/safety/${name}.test.ts`,
  ),
  ...["malformed/malformed-requests", "primitives/large-semaphore", "sim/run", "web-locks/web-locks"].map(
    (name) => `test/${name}.test.ts`,
  ),
];

/**
 * Files share the processes of the workers, and with them what they import: to load the SDK for each of 300 files takes longer than
 * most of their tests. So a test puts back what it changes of its process: timers, environment, listeners.
 */
const shared = { env, isolate: false, setupFiles: ["scripts/vitest-setup.ts"] };

export default defineConfig({
  test: {
    // Vitest leaves one core to itself, which of two is half of the machine. Tests that wait for real leases and processes leave
    // processors idle, so there is half a worker more than there are of them.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    reporters: ["default", new Retries()],
    coverage: {
      provider: "custom",
      customProviderModule: "scripts/coverage-module.mjs",
      include: ["src/**/*.ts"],
      // The dashboard's page runs in a browser: `npm run test:browser` is what tests it.
      exclude: ["src/**/*.spec.ts", "src/cli/ui/page/**"],
      reporter: ["text-summary", "html", "json-summary"],
      // Whether a test has failed is told by the tests.
      reportOnFailure: true,
      // Core is judged by mutation instead (`npm run mutants:core`).
      thresholds: { "src/*.ts": { branches: 90 }, "src/!(core)/**/*.ts": { branches: 90 } },
    },
    projects: [
      {
        test: {
          name: "unit",
          ...shared,
          include: ["test/**/*.test.ts", "src/**/*.spec.ts"],
          exclude: ["test/package/**", "test/chaos/**", "test/processes/**", "test/browser/**", ...SLOW],
          // For what hangs only: no test passes or fails by these, however busy the machine is.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "slow",
          ...shared,
          include: SLOW,
          // Those are played in full by the next one, and here where mutants are hunted, which plays all in full.
          exclude: process.env["TESTS_IN_FULL"] === "yes" ? [] : inFull(),
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // Real processes that get signals or are killed, and in full what the others play a part of.
          name: "proof",
          env: { ...env, TESTS_IN_FULL: "yes" },
          include: ["test/{chaos,processes}/**/*.test.ts", ...inFull()],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          // In the system's own Chromium, where there is one.
          name: "browser",
          env,
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "package",
          env,
          include: ["test/package/**/*.test.ts"],
          // They install packages and start compilers.
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
