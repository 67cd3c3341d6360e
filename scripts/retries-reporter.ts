import type { Reporter, TestCase } from "vitest/node";

/**
 * Names each test that failed first and passed when it was tried again, a line each, which `.ci/run` counts. What happens once in a
 * hundred times is what a lock is about, so a test says for itself whether it may be tried again, and why.
 */
export class Retries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { retryCount = 0 } = test.diagnostic() ?? {};
    if (retryCount > 0 && test.ok()) console.log(`retried ${test.module.relativeModuleId}: ${test.fullName}`);
  }
}
