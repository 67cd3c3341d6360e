import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { wholeNumber } from "../testkit/whole-number.js";
import type { Edits } from "./plan/plan.js";

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
  if (values.shrink !== undefined) return { kind: "shrink", seed: wholeNumber("shrink", values.shrink, { least: 0 }) };
  if (values.seed !== undefined) {
    const seed = wholeNumber("seed", values.seed, { least: 0 });
    return { kind: "replay", seed, trace: values.trace, edits: JSON.parse(values.edits) as Edits };
  }
  return {
    kind: "range",
    seeds: wholeNumber("seeds", values.seeds, { least: 1 }),
    from: wholeNumber("from", values.from, { least: 0 }),
    threads: wholeNumber("threads", values.threads, { least: 1 }),
    traces: values.traces,
  };
}
