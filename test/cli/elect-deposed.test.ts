import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, recordOf, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";

const TIMEOUT = { timeout: 60_000 };

/** Starts a service that ends with 5 when it is told to, and tells it so when another candidate leads, of which the leader has not heard. */
async function deposedUnheard() {
  const { environment, mutex, server } = await startStore();
  const folder = newFolder();
  const [tokens, end] = [join(folder, "tokens"), join(folder, "end")];
  const script = `echo $S3_MUTEX_FENCING_TOKEN >> ${tokens}; while [ ! -e ${end} ]; do sleep 0.02; done; exit 5`;
  const leading = cliHere(["elect", "--lease", "60s", "svc", "--", "sh", "-c", script], environment);
  let hasEnded = false;
  const ended = leading.finally(() => {
    hasEnded = true;
  });
  await until(() => existsSync(tokens));
  await mutex.releaseLock("svc", true);
  const other = await mutex.acquire("svc");
  writeFileSync(end, "");
  await until(() => hasEnded || recordOf(server, "svc")?.queue.length === 1);
  const tokensSoFar = () => readFileSync(tokens, "utf8").trim().split("\n").map(Number);
  return { ended, other, server, tokensSoFar };
}

test("a leader that learns only at its release that it was deposed says so, and campaigns again", TIMEOUT, async () => {
  const { ended, other, tokensSoFar } = await deposedUnheard();
  await other.release();
  const { exitCode, stderr } = await ended;
  expect(exitCode).toBe(5);
  expect(stderr).toMatch(/released by force\. The command had ended with 5\.\n.*leads "svc" no longer/);
  const [first = 0, second = 0] = tokensSoFar();
  expect(first).toBeLessThan(other.fencingToken);
  expect(second).toBeGreaterThan(other.fencingToken);
});

test("it leaves the queue when it is told to end then", TIMEOUT, async () => {
  const { ended, server, tokensSoFar } = await deposedUnheard();
  process.emit("SIGTERM", "SIGTERM");
  expect((await ended).exitCode).toBe(143);
  expect(recordOf(server, "svc")?.queue).toEqual([]);
  expect(tokensSoFar()).toHaveLength(1);
});
