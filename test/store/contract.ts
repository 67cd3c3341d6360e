import { describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/store/object-store.js";
import { type ConformanceGroup, conformanceChecks, type PortTarget } from "../../src/testing/index.js";

/**
 * Makes each check of the public conformance suite a test: what an adapter of the port promises is said once, there. They run side by side,
 * as far as Vitest goes with that: those about locks wait for leases most of the time.
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

/** Tests what goes beyond the contract, which lets a missing object be a conflict. */
export function testAbsenceIsTold(openStore: () => ObjectStore): void {
  test("an object that is gone is told from another version of it, as AWS does and not every store", async () => {
    const store = openStore();
    const options = { timeoutMs: 5000 };
    const written = await store.write("gone", "one", { kind: "if-absent" }, options);
    const etag = written.kind === "ok" ? written.etag : "";
    expect(await store.write("never", "two", { kind: "if-match", etag }, options)).toMatchObject({ kind: "absent" });
    expect(await store.remove("gone", etag, options)).toMatchObject({ kind: "ok" });
    expect(await store.remove("gone", etag, options)).toMatchObject({ kind: "absent" });
  });
}
