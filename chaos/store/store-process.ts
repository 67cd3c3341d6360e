import { setTimeout as sleep } from "node:timers/promises";
import type { S3Server } from "../../src/testing/index.js";
import { Random } from "../../src/testing/virtual/random.js";
import { loadTesting } from "../built.js";
import type { Counts, FromStore, ToStore } from "../messages.js";
import { rulesOf } from "./weather.js";

/** The embedded S3 server by itself, so that it can be killed like any other process; its objects are in the data folder. */
interface StoreSettings {
  readonly dataFolder: string;
  readonly bucketName: string;
  /** The first that is free is taken. */
  readonly ports: readonly number[];
}

const REPORT_EVERY_MS = 200;
const ROUNDS_MAX = 50;

const settings = JSON.parse(process.argv[2] ?? "{}") as StoreSettings;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());
const server = await listen();
report(server);
process.on("message", ({ name, seed }: ToStore) => {
  server.faults.clear();
  for (const rule of rulesOf(name, new Random(seed))) server.faults.add(rule);
});
tell({ kind: "listening", port: server.port });

async function listen(): Promise<S3Server> {
  const { startS3Server } = await loadTesting();
  const { dataFolder, bucketName, ports } = settings;
  let lastError: unknown;
  // A port that was ours a moment ago may be held for a while by what is left of its connections.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    for (const port of ports) {
      try {
        return await startS3Server({ dataFolder, buckets: [bucketName], port, recentRequestsMax: 0 });
      } catch (error) {
        lastError = error;
      }
    }
    await sleep(100);
  }
  throw lastError;
}

/** Reports little and often, since what was counted and not told dies with the process. */
function report(running: S3Server): void {
  let counts: Counts = {};
  running.onRequest((request) => {
    counts["requests"] = (counts["requests"] ?? 0) + 1;
    if (request.faults.length > 0) counts["struck"] = (counts["struck"] ?? 0) + 1;
  });
  setInterval(() => {
    if (Object.keys(counts).length > 0) tell({ kind: "counts", counts });
    counts = {};
  }, REPORT_EVERY_MS);
}

function tell(message: FromStore): void {
  if (process.connected) process.send?.(message);
}
