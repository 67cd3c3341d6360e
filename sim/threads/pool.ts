import { Worker } from "node:worker_threads";
import type { Outcome } from "../outcome.js";
import { bundleOf } from "./bundle.js";

/** What a worker is told to do, and what it says. */
export type ToWorker = { readonly seeds: readonly number[]; readonly traces: boolean };
export type FromWorker = { readonly runs: readonly Run[] };

export interface Run {
  readonly outcome: Outcome;
  /** The hash of its trace, where that was asked for. */
  readonly trace: string | undefined;
}

export interface PoolOptions {
  readonly seeds: number;
  readonly from: number;
  readonly threads: number;
  /** Whether the traces are hashed, which costs time. */
  readonly traces: boolean;
  readonly onRun: (run: Run) => void;
  /** A seed that takes more real time than this, or ends its worker. */
  readonly onLost: (seeds: readonly number[], why: string) => void;
}

const AT_ONCE = 8;
/** A run in which no virtual time passes any more never ends by itself. Counted in ticks: a process that is stopped has none. */
const STUCK_TICKS = 120;
const TICK_MS = 1000;

/** Nearly all that a run makes is garbage when it ends: the less often that is collected, the better. */
const LIMITS = { maxYoungGenerationSizeMb: 128 };

/** Runs seeds on worker threads; which thread runs a seed makes no difference to it. */
export async function runPool({ seeds, from, threads, traces, onRun, onLost }: PoolOptions): Promise<void> {
  let next = from;
  const end = from + seeds;
  const take = (): number[] => {
    const taken = Array.from({ length: Math.min(AT_ONCE, end - next) }, (_, index) => next + index);
    next += taken.length;
    return taken;
  };
  const program = await bundleOf("sim/threads/worker.ts");
  const serve = async () => {
    for (let batch = take(); batch.length > 0; ) {
      const worker = new Worker(program.path, { resourceLimits: LIMITS });
      const why = await converse(worker, { first: batch, nextBatch: () => (batch = take()), traces, onRun });
      await worker.terminate();
      if (why === undefined) return;
      onLost(batch, why);
      batch = take();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, Math.ceil(seeds / AT_ONCE)) }, serve)).finally(
    program.remove,
  );
}

interface Conversation extends Pick<PoolOptions, "traces" | "onRun"> {
  readonly first: readonly number[];
  readonly nextBatch: () => readonly number[];
}

/** Gives a worker one batch after the other. Resolves when there are no more; to the reason, when the worker fails. */
function converse(worker: Worker, { first, nextBatch, traces, onRun }: Conversation): Promise<string | undefined> {
  return new Promise((resolve) => {
    let ticks = 0;
    const watching = setInterval(() => {
      ticks += 1;
      if (ticks === STUCK_TICKS) finish(`no answer within ${STUCK_TICKS} s`);
    }, TICK_MS);
    const finish = (why: string | undefined) => {
      clearInterval(watching);
      resolve(why);
    };
    const give = (seeds: readonly number[]) => {
      if (seeds.length === 0) return finish(undefined);
      ticks = 0;
      worker.postMessage({ seeds, traces } satisfies ToWorker);
    };
    worker.on("message", ({ runs }: FromWorker) => {
      for (const run of runs) onRun(run);
      give(nextBatch());
    });
    worker.on("error", (error: Error) => finish(error.message));
    worker.on("exit", (code) => finish(`the worker exited with ${code}`));
    give(first);
  });
}
