// npm run stores                               the stores that are quick to install, in the short form
// npm run stores -- --only ceph --long         one of them, thoroughly
// npm run stores -- --start ceph --gateways 2  start one and leave it running
// docs/guide/stores.md has the results and the rest
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseStoresArguments, type StoresSettings } from "./arguments.js";
import { countsInWords, examineAgainAndAgain, rightVerdicts } from "./doctors.js";
import { writePage } from "./document/page.js";
import { NotInstallable, type StoreKind } from "./kind.js";
import { KINDS } from "./kinds.js";
import { isFair } from "./measure/race.js";
import { isSilent, turnsInWords } from "./measure/turns.js";
import { type StoreResult, winnersOf } from "./result.js";
import { runStore, temporaryFolder } from "./run-store.js";

// The SDK announces the end of its support for Node 20 in every process that makes a client.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
/** What shells report for a program that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const settings = settingsOrExit();
const interruption = new AbortController();
for (const [signal, code] of Object.entries(EXIT_CODES)) process.on(signal, () => interrupt(code));
// Between npm and us stands the program that runs TypeScript: when that is killed, no reader is left.
const starter = process.ppid;
if (process.env["npm_lifecycle_event"] !== undefined) {
  setInterval(() => {
    if (process.ppid !== starter) interrupt(1);
  }, 1000).unref();
}

/** Stops what is under way and exits; servers and temporary folders go when the process exits. */
function interrupt(code: number): void {
  interruption.abort();
  setImmediate(() => process.exit(code));
}

if (settings.document) {
  writePage();
} else if (settings.start !== undefined) {
  await startOne(settings, settings.start);
} else {
  await runAll(settings);
}

function settingsOrExit(): StoresSettings {
  try {
    return parseStoresArguments(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

async function startOne({ ports, dataFolder, gateways }: StoresSettings, name: string): Promise<void> {
  const kind = KINDS.find((one) => one.name === name) as StoreKind;
  const folder = dataFolder === undefined ? join(temporaryFolder(), "data") : resolve(dataFolder);
  mkdirSync(folder, { recursive: true });
  const installation = await kind.install();
  const keepData = dataFolder !== undefined;
  const store = await installation.start({ ports, dataFolder: folder, keepData, gateways });
  console.log(`${kind.title} ${installation.version} is ready; Ctrl-C ends it.\n`);
  for (const { endpoint } of store.gateways) console.log(`export AWS_ENDPOINT_URL_S3=${endpoint}`);
  console.log(`export AWS_REGION=${store.region}`);
  console.log(`export AWS_ACCESS_KEY_ID=${store.credentials.accessKeyId}`);
  console.log(`export AWS_SECRET_ACCESS_KEY=${store.credentials.secretAccessKey}`);
  // What is kept has to be written: a signal ends the server in order first.
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.removeAllListeners(signal).on(signal, () => void store.stop().finally(() => process.exit(code)));
  }
  await new Promise(() => setInterval(() => {}, 60_000));
}

async function runAll({ only, all, long, record, doctor }: StoresSettings): Promise<void> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const kind of KINDS) {
    if (only !== undefined && !only.includes(kind.name)) continue;
    const startedAtMs = performance.now();
    const isWanted = only !== undefined || all || kind.isInShortForm;
    const attempt = () => (doctor === undefined ? tryOne(kind, { long, record }) : askDoctor(kind, doctor, record));
    const { word, text } = isWanted ? await attempt() : skipped("not in the short form");
    counts[word] += 1;
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    console.log(`${{ passed: "ok  ", failed: "FAIL", skipped: "skip" }[word]} ${kind.name}: ${text} (${seconds} s)`);
  }
  if (record) writePage();
  console.log(`stores: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exit(counts.failed === 0 ? 0 : 1);
}

interface Line {
  readonly word: "passed" | "failed" | "skipped";
  readonly text: string;
}

function skipped(reason: string): Line {
  return { word: "skipped", text: `skipped: ${reason}` };
}

async function tryOne(kind: StoreKind, { long, record }: { long: boolean; record: boolean }): Promise<Line> {
  try {
    const installation = await kind.install();
    const result = await runStore(kind, installation, { long, record, signal: interruption.signal, log });
    if (record) writeFileSync(join("stores/results", `${kind.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
    return lineOf(kind, result);
  } catch (error) {
    return refusal(kind, error);
  }
}

/** Asks `doctor` again and again whether it says each time what the matrix says. */
async function askDoctor(kind: StoreKind, runs: number, record: boolean): Promise<Line> {
  try {
    const result = await examineAgainAndAgain(kind, { runs, record, log });
    const right = rightVerdicts(result);
    const { least, median, most } = result.seconds;
    const text = `doctor of ${result.version}: ${countsInWords(result.verdicts)}, in ${least} to ${most} s, mostly ${median}`;
    return { word: right === runs ? "passed" : "failed", text };
  } catch (error) {
    return refusal(kind, error);
  }
}

function refusal(kind: StoreKind, error: unknown): Line {
  if (error instanceof NotInstallable && !kind.isRequired) return skipped(error.message);
  return { word: "failed", text: error instanceof Error ? error.message : String(error) };
}

function log(line: string): void {
  console.log(`       ${line}`);
}

/** Judges a store: it passes when it is what it was known to be, and the locks do on it what they have to. */
function lineOf(kind: StoreKind, result: StoreResult): Line {
  const { version, verdict, faults, suite, create, latency, verification, turns, chaos } = result;
  const locks = suite.failed.filter(({ group }) => group === "locks" || group === "1.x");
  const problems = [
    ...(kind.isKnownToBeSafe && verdict !== "safe" ? ["it was known to be safe"] : []),
    ...verificationProblems(kind, result),
    ...silenceProblems(kind, result),
    ...locks.map(({ name, reason }) => `not so: ${name} (${reason})`),
    ...(chaos?.failures ?? []),
  ];
  const figures = [
    `${suite.passed} of ${suite.passed + suite.failed.length} checks`,
    `racing creates: ${winnersOf(create)}`,
    `PUT ${latency.put.p50} ms, GET ${latency.get.p50} ms`,
    `verifyStore: ${verification.verdict} in ${(verification.elapsedMs / 1000).toFixed(1)} s`,
    ...(turns === undefined ? [] : [`two processes: ${turnsInWords(turns)}`]),
    ...(chaos === undefined ? [] : [`chaos: ${chaos.turns} turns, ${chaos.lostBehindTokens} lost behind tokens`]),
  ];
  const why = faults.length === 0 ? "" : ` (${faults[0]})`;
  const text = `${version} is ${verdict}${why}; ${figures.join("; ")}`;
  const shown = problems.length > 3 ? [...problems.slice(0, 3), `and ${problems.length - 3} more`] : problems;
  return { word: problems.length === 0 ? "passed" : "failed", text: [text, ...shown].join("; ") };
}

/**
 * Names the buckets where two were inside and neither was told. A store that loses races is excused: that is not asked about by default,
 * and it may lose one in any run.
 */
function silenceProblems(
  { knownFault }: StoreKind,
  { turns, versions, create, replace }: StoreResult,
): readonly string[] {
  if (knownFault !== undefined || !isFair(create) || !isFair(replace)) return [];
  const buckets = Object.entries(versions ?? {}).flatMap(([name, one]) =>
    "turns" in one ? [{ name, turns: one.turns }] : [],
  );
  const all = [...(turns === undefined ? [] : [{ name: "plain", turns }]), ...buckets];
  return all
    .filter((one) => isSilent(one.turns))
    .map((one) => `two inside (${one.name} bucket): ${turnsInWords(one.turns)}`);
}

/** Checks that `verifyStore` has come to the same verdict. That it misses a race which is rarely lost is not a surprise. */
function verificationProblems({ knownFault }: StoreKind, { verdict, verification }: StoreResult): readonly string[] {
  const { verdict: said, elapsedMs } = verification;
  const isRight = knownFault !== undefined || (said === "fail") === (verdict === "unsafe");
  return [
    ...(isRight ? [] : [`verifyStore says ${said}`]),
    // It takes less than 15 s on a machine that has nothing else to do.
    ...(elapsedMs > 45_000 && verdict === "unsafe" ? [`verifyStore took ${elapsedMs} ms`] : []),
  ];
}
