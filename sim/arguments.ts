import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Edits } from "./plan.js";

export type SimArguments =
  | {
      readonly kind: "range";
      readonly seeds: number;
      readonly from: number;
      readonly threads: number;
      readonly traces: boolean;
    }
  | { readonly kind: "replay"; readonly seed: number; readonly trace: boolean; readonly edits: Edits }
  | { readonly kind: "shrink"; readonly seed: number };

export const USAGE = `npm run sim -- --seeds 2000 --from 1     that many seeds, on all processors (--threads 2: on two)
npm run sim -- --seeds 2000 --traces      and one hash of what happened in all of them
npm run sim -- --seed 42 --trace         one seed again, with every event
npm run sim -- --shrink 42               a failing seed made smaller`;

/** @throws where an option is unknown or takes a whole number and has something else */
export function parseSimArguments(args: readonly string[]): SimArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "2000" },
      from: { type: "string", default: "1" },
      threads: { type: "string", default: String(availableParallelism()) },
      traces: { type: "boolean", default: false },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      edits: { type: "string", default: "{}" },
      shrink: { type: "string" },
    },
  });
  if (values.shrink !== undefined) return { kind: "shrink", seed: count("shrink", values.shrink, 0) };
  if (values.seed !== undefined) {
    const seed = count("seed", values.seed, 0);
    return { kind: "replay", seed, trace: values.trace, edits: JSON.parse(values.edits) as Edits };
  }
  return {
    kind: "range",
    seeds: count("seeds", values.seeds, 1),
    from: count("from", values.from, 0),
    threads: count("threads", values.threads, 1),
    traces: values.traces,
  };
}

/** @throws where it is none, or too small */
export function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} takes a whole number of at least ${least}, not ${JSON.stringify(text)}`);
}
