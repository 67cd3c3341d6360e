import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUCKETS, type StoreKind } from "./kind.js";
import { type DoctorRuns, runDoctor } from "./measure/doctor.js";
import type { StoreResult } from "./result.js";
import { clientConfigs, commit, createBucket, temporaryFolder } from "./run-store.js";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const DOCTORS = join(RESULTS, "doctor");

/** `stores/results/doctor/NAME.json` has the last that was recorded. */
export interface DoctorResult extends DoctorRuns {
  readonly store: string;
  readonly title: string;
  readonly version: string;
  /** The day, in UTC. */
  readonly date: string;
  readonly commit?: string;
}

/** Runs `doctor` again and again on one store: does it come to the verdict of the matrix each time, and how long does it take? */
export async function examineAgainAndAgain(
  kind: StoreKind,
  { runs, record, log }: { readonly runs: number; readonly record: boolean; readonly log: (line: string) => void },
): Promise<DoctorResult> {
  const installation = await kind.install();
  const base = temporaryFolder();
  const dataFolder = join(base, "data");
  mkdirSync(dataFolder);
  try {
    const store = await installation.start({ ports: [], dataFolder, keepData: false, gateways: 1 });
    try {
      const [config = {}] = clientConfigs(store);
      await createBucket(config, BUCKETS[0]);
      const said = await runDoctor(store, BUCKETS[0], runs, log);
      const { name, title } = kind;
      const about = { store: name, title, version: installation.version, date: new Date().toISOString().slice(0, 10) };
      const result = { ...about, ...(await commit()), ...said };
      if (record) {
        mkdirSync(DOCTORS, { recursive: true });
        writeFileSync(join(DOCTORS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
      }
      return result;
    } finally {
      await store.stop();
    }
  } finally {
    rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Counts how often `doctor` said what the matrix says; undefined where the matrix has no row of the store. */
export function rightVerdicts({ store, verdicts }: DoctorResult): number | undefined {
  const path = join(RESULTS, `${store}.json`);
  if (!existsSync(path)) return undefined;
  const { verdict } = JSON.parse(readFileSync(path, "utf8")) as StoreResult;
  const right = verdict === "unsafe" ? ["fail"] : ["pass", "warn"];
  return right.reduce((sum, one) => sum + (verdicts[one] ?? 0), 0);
}

export function readDoctorResults(): DoctorResult[] {
  if (!existsSync(DOCTORS)) return [];
  const files = readdirSync(DOCTORS).filter((file) => file.endsWith(".json"));
  return files.map((file) => JSON.parse(readFileSync(join(DOCTORS, file), "utf8")) as DoctorResult);
}

/** Spells `{ fail: 19, warn: 1 }` as `19 fail, 1 warn`. */
export function countsInWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
