import { parentPort } from "node:worker_threads";
import type { Outcome } from "./outcome.js";
import type { FromWorker, ToWorker } from "./pool.js";
import { runSeed } from "./run.js";

// A stack for each of the many errors that are part of the game costs more than the game; a replay has them.
Error.stackTraceLimit = 0;

parentPort?.on("message", async ({ seeds }: ToWorker) => {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) outcomes.push(await runSeed(seed));
  parentPort?.postMessage({ outcomes } satisfies FromWorker);
});
