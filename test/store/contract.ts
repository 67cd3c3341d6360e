import { describe, test } from "vitest";
import { type ConformanceGroup, conformanceChecks, type PortTarget } from "../../src/testing/index.js";

/**
 * What an adapter of the port promises is said once, by the public conformance suite; here each of its checks is a test. They run side by
 * side, as far as Vitest goes with that: those about locks wait for leases most of the time.
 */
export function describeContract(
  name: string,
  openStore: PortTarget["openStore"],
  groups: readonly ConformanceGroup[],
): void {
  describe.concurrent(`${name} keeps the contract of the port`, () => {
    for (const check of conformanceChecks({ openStore, groups, racers: 6, rounds: 3 }))
      test(`${check.group}: ${check.name}`, check.run, 120_000);
  });
}
