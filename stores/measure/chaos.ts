import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lastLines } from "../host/commands.js";
import type { RunningStore } from "../kind.js";
import { Balancer } from "./balancer.js";

export interface ChaosResult {
  readonly passed: boolean;
  readonly seconds: number;
  /** Updates that the token check let through. */
  readonly turns: number;
  readonly lostBehindTokens: number;
  readonly kills: number;
  readonly freezes: number;
  readonly gatewaysKilled: number;
  readonly failures: readonly string[];
}

const MAIN = fileURLToPath(new URL("../../chaos/main.ts", import.meta.url));

/**
 * Kills and freezes worker processes over the store (docs/chaos.md); where there are several gateways, these are killed and restarted in
 * turn as well, behind one address.
 */
export async function runChaos(
  store: RunningStore,
  bucketName: string,
  settings: { readonly seconds: number; readonly killGateways: boolean; readonly signal: AbortSignal },
): Promise<ChaosResult> {
  const { seconds, killGateways, signal } = settings;
  const balancer = await Balancer.start(store.gateways.map(({ endpoint }) => endpoint));
  const over = new AbortController();
  const killed = killGateways ? killInTurn(store, over.signal) : Promise.resolve(0);
  try {
    const printed = await chaosProcess(store, bucketName, balancer.endpoint, seconds, signal);
    over.abort();
    return { ...resultOf(printed), seconds, gatewaysKilled: await killed };
  } finally {
    over.abort();
    await killed.catch(() => {});
    await balancer.close();
  }
}

/** Kills one gateway after the other: dead for four seconds, alive for eight. Counts how many died. */
async function killInTurn({ gateways }: RunningStore, signal: AbortSignal): Promise<number> {
  let count = 0;
  const pause = (delayMs: number) => sleep(delayMs, undefined, { signal }).catch(() => {});
  await pause(5_000);
  while (!signal.aborted) {
    const gateway = gateways[count % gateways.length];
    await gateway?.kill();
    count += 1;
    await pause(4_000);
    await gateway?.restart();
    await pause(8_000);
  }
  return count;
}

function chaosProcess(
  { credentials, region }: RunningStore,
  bucketName: string,
  endpoint: string,
  seconds: number,
  signal: AbortSignal,
): Promise<string> {
  const args = ["--import", "tsx", MAIN, "--seconds", String(seconds), "--json"];
  const env = {
    ...process.env,
    CHAOS_BUCKET: bucketName,
    CHAOS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    let printed = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4_000);
    });
    child.on("error", reject);
    child.on("close", () => {
      signal.removeEventListener("abort", stop);
      if (printed.trimStart().startsWith("{")) resolve(printed);
      else reject(new Error(`chaos ended without a report: ${lastLines(said, 5)}`));
    });
  });
}

function resultOf(printed: string): Omit<ChaosResult, "seconds" | "gatewaysKilled"> {
  const { passed, lost, failures, counts, tally } = JSON.parse(printed) as {
    readonly passed: boolean;
    readonly lost: number;
    readonly failures: readonly string[];
    readonly counts: Readonly<Record<string, number>>;
    readonly tally: { readonly locks: ReadonlyArray<{ readonly accepted: number }> };
  };
  return {
    passed,
    turns: tally.locks.reduce((sum, { accepted }) => sum + accepted, 0),
    lostBehindTokens: lost,
    kills: counts["kills"] ?? 0,
    freezes: counts["freezes"] ?? 0,
    failures,
  };
}
