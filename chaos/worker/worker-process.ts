import { setTimeout as sleep } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { Random } from "../../src/testing/virtual/random.js";
import { loadLibrary } from "../built.js";
import type { ToWorker, WorkerSettings } from "../messages.js";
import { BROKEN_TURNS } from "./breakages.js";
import { Diary } from "./diary.js";
import { takeTurn } from "./kinds-of-turns.js";
import { connectToResource } from "./resource-client.js";
import type { Line, Workplace } from "./workplace.js";

/** One process that works with locks. Everything that befalls it comes from outside. */
const settings = JSON.parse(process.argv[2] ?? "{}") as WorkerSettings;
/** Two at once, so that callers of one process compete as well. */
const LINES = 2;
/** What faults explain; anything else is a bug. */
const EXPECTED: Readonly<Record<string, string>> = {
  lost: "lost errors",
  deadlock: "deadlocks resolved",
  "timed-out": "timed out",
  "store-unavailable": "store unavailable",
};

const stop = new AbortController();
process.on("message", (message: ToWorker) => {
  if (message.kind === "stop") stop.abort();
});
// The conductor decides when this is over: Ctrl-C reaches all processes, and when the conductor is gone, so are we.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());

const { S3Mutex, S3MutexError } = await loadLibrary();
const diary = new Diary(settings.journalPath);
const client = createClient();
const mutex = new S3Mutex({
  s3Client: client,
  bucketName: settings.bucketName,
  keyPrefix: settings.keyPrefix,
  lockTimeoutMs: settings.leaseMs,
  clockSkewToleranceMs: settings.toleranceMs,
  label: settings.name,
});
const workplace = await createWorkplace();
const random = new Random(settings.seed);
diary.tell({ kind: "ready" });
await Promise.all(Array.from({ length: LINES }, () => workUntilStopped({ ...workplace, random: random.fork() })));
await mutex.close();
client.destroy();
diary.flush();
// Whatever the library might have left running does not count as work.
process.disconnect();

function createClient(): S3Client {
  const s3Client = new S3Client({ ...settings.client });
  s3Client.middlewareStack.add(
    (next) => (args) => {
      diary.count("requests sent");
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "countRequests" },
  );
  return s3Client;
}

async function createWorkplace(): Promise<Workplace> {
  const tokens = new Map<string, number>();
  mutex.on("acquired", ({ lockName, fencingToken }) => tokens.set(lockName, fencingToken));
  const resource = await connectToResource(settings.resourcePort);
  const tokenOf = (lockName: string) => tokens.get(lockName) ?? 0;
  return { settings, mutex, resource, diary, stopping: stop.signal, tokenOf };
}

async function workUntilStopped(line: Line): Promise<void> {
  const turn = settings.breakage === undefined ? takeTurn : BROKEN_TURNS[settings.breakage];
  while (!stop.signal.aborted) {
    try {
      await turn(line);
    } catch (error) {
      explain(error);
    }
    // Each worker has one core in six: let the others have theirs.
    await sleep(line.random.between(2, 50));
  }
}

/** Counts what had to be reckoned with, and reports the rest. */
function explain(error: unknown): void {
  const code = S3MutexError.is(error) ? error.code : undefined;
  const expected = EXPECTED[code ?? ""];
  if (expected !== undefined) {
    diary.count(expected);
    if (code === "deadlock") diary.note(`${settings.name}: ${(error as Error).message}`);
    return;
  }
  if (code === "aborted" && stop.signal.aborted) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  diary.tell({ kind: "wrong", text: `${settings.name}: ${text}` });
}
