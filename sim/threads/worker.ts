import { parentPort } from "node:worker_threads";
import { runSeed } from "../run.js";
import { TraceHash } from "../trace-hash.js";
import type { FromWorker, Run, ToWorker } from "./pool.js";

// A stack for each of the many errors that are part of the game costs more than the game; a replay has them.
Error.stackTraceLimit = 0;

parentPort?.on("message", async ({ seeds, traces }: ToWorker) => {
  const runs: Run[] = [];
  for (const seed of seeds)
    runs.push(traces ? await tracedRun(seed) : { outcome: await runSeed(seed), trace: undefined });
  parentPort?.postMessage({ runs } satisfies FromWorker);
});

async function tracedRun(seed: number): Promise<Run> {
  const hash = new TraceHash();
  const outcome = await runSeed(seed, { onTrace: (line) => hash.add(line) });
  return { outcome, trace: hash.text };
}
