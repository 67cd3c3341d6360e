import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("P22: the text of timeoutMs for withLock and withPermits says what they wait without it", () => {
  const [, ofLocks = ""] = /export interface WithLockOptions ([\s\S]*?)\n\}/.exec(read("src/call-options.ts")) ?? [];
  expect(ofLocks).toMatch(/without it, the sum of the delays[^.]*6\.2 s/);
  expect(ofLocks).toContain("readonly timeoutMs?:");
  // Permits have the same, and not the one of `acquire`.
  const [, ofPermits = ""] =
    /export interface WithPermitsOptions\s+extends ([\s\S]*?) \{/.exec(read("src/semaphore.ts")) ?? [];
  expect(ofPermits).toMatch(/Omit<PermitOptions, "timeoutMs">,\s+Pick<WithLockOptions, "retries" \| "timeoutMs">/);
});

function read(path: string): string {
  return readFileSync(path, "utf8");
}
