import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { StoreReport, StoreVerdict } from "../../src/index.js";
import type { RunningStore } from "../kind.js";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
/** What `s3-mutex help doctor` announces as the longest, and a process to start. */
const LONGEST_MS = 130_000;

type Counts = Readonly<Record<string, number>>;

/** What `s3-mutex doctor` said of one store, run after run. */
export interface DoctorRuns {
  readonly runs: number;
  /** How often it said what: `pass`, `warn` or `fail`, or how it ended without a report. */
  readonly verdicts: Counts;
  /** In seconds, of whole processes. */
  readonly seconds: { readonly least: number; readonly median: number; readonly most: number };
  /** The checks that did not say the same each time, by title. */
  readonly unsteady: Readonly<Record<string, Counts>>;
  /** The titles of checks that failed, and in how many runs. */
  readonly failed: Counts;
}

/** Runs it so often, one after the other, as a user does. */
export async function runDoctor(
  store: RunningStore,
  bucketName: string,
  runs: number,
  log: (line: string) => void,
): Promise<DoctorRuns> {
  const verdicts: Record<string, number> = {};
  const failed: Record<string, number> = {};
  const checks = new Map<string, Record<string, number>>();
  const seconds: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const startedAtMs = performance.now();
    const { report, ending } = await doctor(store, bucketName);
    seconds.push((performance.now() - startedAtMs) / 1000);
    add(verdicts, report?.verdict ?? ending);
    for (const { title, verdict } of report?.checks ?? []) {
      const said = checks.get(title) ?? {};
      checks.set(title, said);
      add(said, verdict);
      if (verdict === "fail") add(failed, title);
    }
    log(
      `doctor ${run} of ${runs}: ${report?.verdict ?? ending} in ${seconds.at(-1)?.toFixed(1)} s ${faultsOf(report)}`,
    );
  }
  const unsteady = [...checks].filter(([, said]) => Object.keys(said).length > 1);
  return { runs, verdicts, seconds: spreadOf(seconds), unsteady: Object.fromEntries(unsteady), failed };
}

interface Ended {
  readonly report?: StoreReport;
  /** What it said where there is no report. */
  readonly ending: string;
}

function doctor({ gateways, credentials, region }: RunningStore, bucketName: string): Promise<Ended> {
  const endpoints = gateways.map(({ endpoint }, index) => [index === 0 ? "--endpoint-url" : "--gateway", endpoint]);
  const args = [MAIN, "doctor", "--json", ...endpoints.flat(), `s3://${bucketName}/locks/`];
  const child = spawn(process.execPath, args, {
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LONGEST_MS,
  });
  const [printed, said]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => printed.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const text = Buffer.concat(printed).toString();
      const report = text.startsWith("{") ? (JSON.parse(text) as StoreReport) : undefined;
      const ending = `exit code ${code}: ${Buffer.concat(said).toString().trim()}`;
      const isOf = (verdict: StoreVerdict) => code === (verdict === "fail" ? 1 : 0);
      if (report === undefined) return resolve({ ending });
      return resolve(isOf(report.verdict) ? { report, ending } : { ending: `${report.verdict}, and ${ending}` });
    });
  });
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function faultsOf(report: StoreReport | undefined): string {
  const faults = report?.checks.filter(({ verdict }) => verdict === "fail").map(({ id }) => id) ?? [];
  return faults.length === 0 ? "" : `(${faults.join(", ")})`;
}

function spreadOf(seconds: readonly number[]): DoctorRuns["seconds"] {
  const sorted = seconds.toSorted((one, other) => one - other).map((one) => Math.round(one * 10) / 10);
  const at = (index: number) => sorted[index] ?? 0;
  return { least: at(0), median: at(Math.floor(sorted.length / 2)), most: at(sorted.length - 1) };
}
