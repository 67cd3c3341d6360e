import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test.each([
  [
    "fenced-object",
    "the slow one counts: 1\nthe quick one counts: 2\nthe slow one, with its lock as it believes: fenced-out\nthe count is 2\n",
  ],
  [
    "fenced-postgres",
    "the slow one believes that it holds the lock: true\nfenced out: a newer holder of account-17 was here\nthe balance is 70\n",
  ],
])("examples/%s.mjs runs", { timeout: 60_000 }, async (name, expected) => {
  const { stdout } = await promisify(execFile)(process.execPath, [`examples/${name}.mjs`]);
  expect(stdout).toBe(expected);
});
