import { expect, test, vi } from "vitest";
import type { FaultRule, StoreQuirks } from "../../src/testing/index.js";
import { startStore } from "../cli/cli.js";
import { cliHere } from "../cli/here.js";

vi.setConfig({ testTimeout: 60_000 });

const CASES: readonly (readonly [string, { readonly quirks?: StoreQuirks; readonly fault?: FaultRule }])[] = [
  ["cannot do conditions", { quirks: { conditionalPutUnsupported: true } }],
  ["answers writes with 501", { fault: { fault: "status", status: 501, operation: "PutObject" } }],
  ["answers all with 416", { fault: { fault: "status", status: 416 } }],
  ["answers writes with 414", { fault: { fault: "status", status: 414, operation: "PutObject" } }],
];

test.each(CASES)("doctor does not advise itself for a store that %s; another command advises it", async (_, how) => {
  const { server, environment } = await startStore({ quirks: how.quirks ?? {} });
  if (how.fault !== undefined) server.faults.add(how.fault);
  const doctor = await cliHere(["doctor", "--rounds", "2"], environment);
  expect(doctor.exitCode).not.toBe(0);
  expect(doctor.stdout + doctor.stderr).not.toMatch(/s3-mutex doctor/);
  const { stderr } = await cliHere(["run", "-n", "a", "--", "true"], environment);
  expect(stderr).toMatch(/s3-mutex doctor/);
});
