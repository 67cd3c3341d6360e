import { parseArgs } from "node:util";
import { wholeNumber } from "../testkit/whole-number.js";
import { BREAKAGES, type Breakage } from "./messages.js";

export interface ChaosSettings {
  readonly seconds: number;
  readonly processes: number;
  readonly locks: number;
  readonly leaseMs: number;
  readonly seed: number;
  readonly faults: boolean;
  readonly json: boolean;
  /** Undefined: the embedded server. */
  readonly remote: RemoteStore | undefined;
  readonly breakage: Breakage | undefined;
}

export interface RemoteStore {
  readonly endpoint: string | undefined;
  readonly bucketName: string;
  readonly region: string;
}

export const USAGE = `npm run chaos -- --seconds N [options]

  --seconds N     how long processes are killed and frozen
  --processes P   how many work at a time (default 6, at least 2)
  --locks M       over how many locks (default 3)
  --lease MS      how long a lock lasts that is not renewed (default 1500, at least 600)
  --seed S        what happens when, as far as processes can be made to repeat it (default: a new one, printed)
  --no-faults     kill and freeze workers only: the store stays up and answers
  --json          the figures as JSON on stdout, progress on stderr

CHAOS_BUCKET, CHAOS_ENDPOINT_URL, AWS_REGION and credentials as the SDK finds them: another store than the embedded one`;

/** Throws, with a sentence for the user, when it makes no sense. */
export function parseChaosArguments(args: readonly string[], environment: NodeJS.ProcessEnv): ChaosSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string" },
      processes: { type: "string", default: "6" },
      locks: { type: "string", default: "3" },
      lease: { type: "string", default: "1500" },
      seed: { type: "string" },
      "no-faults": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const remote = remoteOf(environment);
  return {
    seconds: wholeNumber("seconds", values.seconds, { least: 1, usage: USAGE }),
    processes: wholeNumber("processes", values.processes, { least: 2, usage: USAGE }),
    locks: wholeNumber("locks", values.locks, { least: 1, usage: USAGE }),
    leaseMs: wholeNumber("lease", values.lease, { least: 600, usage: USAGE }),
    seed: values.seed === undefined ? newSeed() : wholeNumber("seed", values.seed, { least: 0, usage: USAGE }),
    faults: !values["no-faults"] && remote === undefined,
    json: values.json,
    remote,
    breakage: breakageOf(environment["CHAOS_BREAK"]),
  };
}

function newSeed(): number {
  return Math.floor(Math.random() * 1_000_000);
}

function remoteOf(environment: NodeJS.ProcessEnv): RemoteStore | undefined {
  const bucketName = environment["CHAOS_BUCKET"] || undefined;
  const endpoint = environment["CHAOS_ENDPOINT_URL"] || undefined;
  if (bucketName === undefined && endpoint === undefined) return undefined;
  if (bucketName === undefined) throw new Error("CHAOS_ENDPOINT_URL is set: set CHAOS_BUCKET to a bucket there, too.");
  return { bucketName, endpoint, region: environment["AWS_REGION"] || "us-east-1" };
}

function breakageOf(text: string | undefined): Breakage | undefined {
  if (text === undefined || text === "") return undefined;
  const breakage = BREAKAGES.find((one) => one === text);
  if (breakage === undefined) throw new Error(`CHAOS_BREAK is one of ${BREAKAGES.join(", ")}, not ${text}.`);
  return breakage;
}
