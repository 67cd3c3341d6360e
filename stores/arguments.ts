import { parseArgs } from "node:util";
import { wholeNumber } from "../testkit/whole-number.js";
import { KINDS } from "./kinds.js";

export interface StoresSettings {
  /** Undefined: those of the short form, or all. */
  readonly only: readonly string[] | undefined;
  readonly all: boolean;
  readonly long: boolean;
  readonly record: boolean;
  /** Only run `doctor`, so many times on each. */
  readonly doctor: number | undefined;
  /** Only write the page anew. */
  readonly document: boolean;
  /** Only start one, until Ctrl-C. */
  readonly start: string | undefined;
  readonly ports: readonly number[];
  readonly dataFolder: string | undefined;
  readonly gateways: number;
}

const NAMES = KINDS.map(({ name }) => name);

const USAGE = `npm run stores -- [options]

  without options    the stores that are quick to install, in the short form; CI does that
  --only NAMES       these, with commas: ${NAMES.join(", ")}
  --all              all of them: compiling those in Go takes several minutes each
  --long             100 rounds of racing instead of 20, and 5 minutes of chaos with gateways killed instead of 20 seconds
  --record           keep the results in stores/results and write docs/guide/stores.md anew
  --doctor N         only run \`s3-mutex doctor\` on them, N times each: does it say the same each time?
  --document         only write docs/guide/stores.md anew

npm run stores -- --start NAME [options]     start one and leave it running until Ctrl-C

  --port N           of its endpoint; with commas for several gateways (default: free ones)
  --data FOLDER      keep its data there (default: a temporary folder)
  --gateways N       how many to the same data, for Ceph (default 1)

S3_MUTEX_STORES_CACHE: where what was downloaded and compiled is kept (default: s3-mutex-stores in the user's cache)`;

/** Throws, with a sentence for the user, when it makes no sense. */
export function parseStoresArguments(args: readonly string[]): StoresSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      all: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      doctor: { type: "string" },
      document: { type: "boolean", default: false },
      start: { type: "string" },
      port: { type: "string" },
      data: { type: "string" },
      gateways: { type: "string", default: "1" },
    },
  });
  const only = values.only?.split(",");
  for (const name of [...(only ?? []), ...(values.start === undefined ? [] : [values.start])]) {
    if (!NAMES.includes(name)) throw new Error(`There is no store ${name}: ${NAMES.join(", ")}.\n\n${USAGE}`);
  }
  return {
    only,
    all: values.all,
    long: values.long,
    record: values.record,
    doctor:
      values.doctor === undefined
        ? undefined
        : wholeNumber("doctor", values.doctor, { least: 1, most: 1000, usage: USAGE }),
    document: values.document,
    start: values.start,
    ports:
      values.port?.split(",").map((text) => wholeNumber("port", text, { least: 1, most: 65_535, usage: USAGE })) ?? [],
    dataFolder: values.data,
    gateways: wholeNumber("gateways", values.gateways, { least: 1, most: 16, usage: USAGE }),
  };
}
