import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { type ConformanceGroup, type ConformanceResult, runConformance } from "../src/testing/index.js";
import { runCommand } from "./host/commands.js";
import { BUCKETS, type Installation, type RunningStore, type StoreKind } from "./kind.js";
import { type ChaosResult, runChaos } from "./measure/chaos.js";
import { measureLatency } from "./measure/latency.js";
import { observe } from "./measure/observe.js";
import { race } from "./measure/race.js";
import { takeTurns } from "./measure/turns.js";
import { verify } from "./measure/verify.js";
import { tryVersions } from "./measure/versions.js";
import { faultsOf, type StoreResult } from "./result.js";

/** No lock is in the second before two processes take turns there: the store was not asked anything yet. */
const [BUCKET, TURNS_BUCKET] = BUCKETS;

export interface RunSettings {
  readonly long: boolean;
  /** For stores/results: what CI has no time for is tried as well. */
  readonly record: boolean;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** Starts a store, tries everything on it, and stops it. */
export async function runStore(
  kind: StoreKind,
  installation: Installation,
  settings: RunSettings,
): Promise<StoreResult> {
  const base = temporaryFolder();
  const dataFolder = join(base, "data");
  mkdirSync(dataFolder);
  const gateways = kind.name === "ceph" ? 2 : 1;
  try {
    const store = await installation.start({ ports: [], dataFolder, keepData: false, gateways });
    try {
      return await tryAll(kind, installation.version, store, settings);
    } finally {
      await store.stop();
    }
  } finally {
    rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Makes a temporary folder, which goes with this process at the latest. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-store-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes configurations as for `new S3Client(...)`, one for each gateway. */
export function clientConfigs({ gateways, credentials, region }: RunningStore): S3ClientConfig[] {
  return gateways.map(({ endpoint }) => ({ endpoint, region, forcePathStyle: true, credentials }));
}

async function tryAll(
  kind: StoreKind,
  version: string,
  store: RunningStore,
  { long, record, signal, log }: RunSettings,
): Promise<StoreResult> {
  const configs = clientConfigs(store);
  const [config] = configs as [S3ClientConfig];
  for (const bucket of BUCKETS) await createBucket(config, bucket);
  const size = { clients: 16, rounds: long ? 100 : 20 };
  const measured = {
    store: kind.name,
    title: kind.title,
    version,
    source: kind.source,
    date: new Date().toISOString().slice(0, 10),
    ...(await commit()),
    gateways: configs.length,
    observation: await observe(config, BUCKET),
    create: await race(configs, BUCKET, "create", size),
    replace: await race(configs, BUCKET, "replace", size),
    latency: await measureLatency(config, BUCKET),
  };
  const isHopeless = faultsOf({ ...measured, suite: { passed: 0, failed: [], withLocks: false } }).length > 0;
  const suite = await trySuite(configs, isHopeless, log);
  const verification = await verify(configs, BUCKET);
  const turns = await takeTurns(configs, TURNS_BUCKET, { processes: 2, turns: 20 });
  const versions = await tryVersions(configs, { turns: 10, withDoctor: long || record });
  const found = { ...measured, suite, verification, turns, versions };
  const faults = [...faultsOf({ ...measured, suite }), ...(kind.knownFault === undefined ? [] : [kind.knownFault])];
  if (faults.length > 0) return { ...found, verdict: "unsafe", faults };
  const killGateways = long && configs.length > 1;
  const attempt = () => runChaos(store, BUCKET, { seconds: long ? 300 : 20, killGateways, signal });
  let chaos = await attempt();
  if (wasOnlyLate(chaos)) {
    log(`late, on a machine that may be busy; once more: ${chaos.failures.join("; ")}`);
    chaos = await attempt();
  }
  return { ...found, chaos, verdict: "safe", faults };
}

/** Says whether nothing was wrong but that something took too long, which on a shared machine happens: real time gets a second chance. */
function wasOnlyLate({ passed, lostBehindTokens, failures }: ChaosResult): boolean {
  return !passed && lostBehindTokens === 0 && failures.every((failure) => /within \d+ ms/.test(failure));
}

/** Creates a bucket. A store that refuses to, and has it already, is served: some take requests about objects only. */
export async function createBucket(config: S3ClientConfig, Bucket: string): Promise<void> {
  const client = new S3Client(config);
  const exists = () => client.send(new PutObjectCommand({ Bucket, Key: "exists", Body: "yes" }));
  try {
    await client.send(new CreateBucketCommand({ Bucket })).catch((error: unknown) =>
      exists().catch(() => {
        throw error;
      }),
    );
  } finally {
    client.destroy();
  }
}

/** Finds the last commit that changed the library. Without git, as in a package, it is not known. */
export async function commit(): Promise<{ readonly commit?: string }> {
  const said = await runCommand("git", ["log", "-1", "--format=%h", "--", "src"]).catch(() => undefined);
  return said === undefined ? {} : { commit: said.trim() };
}

async function trySuite(
  configs: readonly S3ClientConfig[],
  isHopeless: boolean,
  log: (line: string) => void,
): Promise<StoreResult["suite"]> {
  const onResult = ({ passed, group, name, durationMs, reason = "" }: ConformanceResult) =>
    log(`${passed ? "ok  " : "FAIL"} ${group}: ${name} (${durationMs} ms) ${firstLine(reason)}`.trimEnd());
  // What waits for conditions that never hold only waits for its time to be over.
  const timeoutMs = isHopeless ? 10_000 : 60_000;
  const run = (groups: readonly ConformanceGroup[]) =>
    runConformance({ s3ClientConfig: configs, bucketName: BUCKET, groups, timeoutMs }, onResult);
  const requests = await run(["store", "races"]);
  // Locks over requests that do the wrong thing only wait for each other.
  const withLocks = !isHopeless && requests.failed === 0;
  const locks = withLocks ? await run(["locks", "1.x"]) : { passed: 0, results: [] };
  const failed = [...requests.results, ...locks.results].filter(({ passed }) => !passed);
  return {
    passed: requests.passed + locks.passed,
    failed: failed.map(({ group, name, reason = "" }) => ({ group, name, reason: firstLine(reason) })),
    withLocks,
  };
}

/** Takes the first line: the rest is a comparison, line by line. */
function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
