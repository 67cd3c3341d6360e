import { setTimeout as sleep } from "node:timers/promises";
import { S3Mutex, S3MutexError } from "../../index.js";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.js";

/** One process of the demo: an ordinary user of the library. Everything that befalls it comes from outside, by signals. */

const LOCK_NAME = "ledger";
/** What a turn's work takes between reading and writing. */
const THINKING_MS = { min: 5, max: 25 };

const settings = JSON.parse(process.argv[2] ?? "{}") as WorkerSettings;
const mutex = new S3Mutex({
  s3ClientConfig: {
    endpoint: settings.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  },
  bucketName: settings.bucketName,
  lockTimeoutMs: settings.leaseMs,
  clockSkewToleranceMs: settings.toleranceMs,
});
const stop = new AbortController();
let answered: (answer: ToWorker) => void = () => {};

function send(message: FromWorker): void {
  process.send?.(message);
}

function ask(question: FromWorker): Promise<ToWorker> {
  return new Promise((resolve) => {
    answered = resolve;
    send(question);
  });
}

/**
 * Reads, thinks, writes. Between the two the process may be frozen for longer than its lease, so the token goes along and the ledger
 * decides; a look at the clock before the write would leave the same gap, only smaller.
 */
async function update(token: number | undefined): Promise<void> {
  const last = await ask({ kind: "read", token });
  if (last.kind !== "last") throw new Error(`expected the last line, got ${last.kind}`);
  await sleep(THINKING_MS.min + Math.random() * (THINKING_MS.max - THINKING_MS.min));
  await ask({ kind: "append", number: last.number + 1, token });
}

async function workWithLock(): Promise<void> {
  while (!stop.signal.aborted) {
    send({ kind: "waiting" });
    try {
      const turn = async ({ fencingToken: token }: { readonly fencingToken: number }) => {
        send({ kind: "holding", token });
        await update(token);
      };
      await mutex.withLock(LOCK_NAME, turn, { signal: stop.signal, timeoutMs: 60_000 });
    } catch (error) {
      if (S3MutexError.is(error, "lost")) send({ kind: "lost", reason: error.reason });
      else if (!S3MutexError.is(error, "aborted")) throw error;
    }
  }
  send({ kind: "idle" });
}

async function workWithoutLock(updates: number): Promise<void> {
  for (let done = 0; done < updates; done += 1) await update(undefined);
  send({ kind: "idle" });
}

async function leave(): Promise<void> {
  await mutex.close();
  process.disconnect();
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "work-with-lock") workWithLock().catch(fail);
  else if (message.kind === "work-without-lock") workWithoutLock(message.updates).catch(fail);
  else if (message.kind === "stop") stop.abort();
  else if (message.kind === "exit") leave().catch(fail);
  else answered(message);
});
// The parent decides when this is over: Ctrl-C goes to all, and when the parent is gone, so are we.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());
send({ kind: "ready" });
