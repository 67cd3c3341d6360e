import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("P22: the text of timeoutMs for withLock and withPermits says what they wait without it", () => {
  const [, ofLocks = ""] =
    /export interface WithLockOptions ([\s\S]*?)\n\}/.exec(read("src/primitives/call-options.ts")) ?? [];
  expect(ofLocks).toMatch(/without it, the sum of the delays[^.]*6\.2 s/);
  expect(ofLocks).toContain("readonly timeoutMs?:");
  expect(ofLocks).toMatch(
    /Instead of the mutex's `maxRetries`, for how long to wait without a `timeoutMs`\. \*\/\s+readonly retries\?:/,
  );
  // Permits have the same, and not the one of `acquire`.
  const [, ofPermits = ""] =
    /export interface WithPermitsOptions\s+extends ([\s\S]*?) \{/.exec(read("src/primitives/semaphore/semaphore.ts")) ??
    [];
  expect(ofPermits).toMatch(/Omit<PermitOptions, "timeoutMs">,\s+Pick<WithLockOptions, "retries" \| "timeoutMs">/);
});

it("D: the text of what is called first has an example", () => {
  const named = (path: string) =>
    [...read(path).matchAll(/@example\n(?:(?!\*\/)[\s\S])*\*\/\s+(?:export )?(?:async )?(?:class )?(\w+)/g)].map(
      ([, name]) => name,
    );
  expect(named("src/s3-mutex.ts")).toContain("S3Mutex");
  expect(named("src/mutex.ts")).toEqual(
    expect.arrayContaining(["StoreMutex", "acquire", "withLock", "semaphore", "election", "runOnce", "watch"]),
  );
  expect(named("src/primitives/lock.ts")).toContain("fencedObject");
});

function read(path: string): string {
  return readFileSync(path, "utf8");
}
