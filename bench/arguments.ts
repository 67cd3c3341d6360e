import { parseArgs } from "node:util";
import { wholeNumber } from "../testkit/whole-number.js";
import type { BenchCase } from "./case.js";

export interface BenchArguments {
  readonly cases: readonly BenchCase[];
  readonly json: boolean;
  readonly quick: boolean;
  readonly seed: number;
  /** Contention in virtual time instead of the cases; `record`: the figures become the record that later ones are compared with. */
  readonly virtual: { readonly record: boolean } | undefined;
}

/** Throws, with what there is instead, when a case or an option is not known. */
export function parseBenchArguments(args: readonly string[], known: readonly BenchCase[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      virtual: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new Error(`No such case: ${unknown.join(", ")}. There are: ${known.map(({ name }) => name).join(", ")}`);
  }
  const seed = wholeNumber("seed", values.seed, { least: 0 });
  const cases = positionals.length === 0 ? known : known.filter(({ name }) => positionals.includes(name));
  if (values.record && !values.virtual)
    throw new Error("--record goes with --virtual: other figures depend on the machine");
  const virtual = values.virtual ? { record: values.record } : undefined;
  return { cases, json: values.json, quick: values.quick, seed, virtual };
}
