/**
 * What the examples in the documentation find around them, as a reader has it in mind: a mutex, the same in another
 * process, and work to do. An example imports what it uses of this and does not declare itself.
 */
import { createServer } from "node:http";
import { S3Client } from "@aws-sdk/client-s3";
import { type Lock, S3Mutex } from "../../src/index.js";

export const s3Client = new S3Client({});

/** The mutex of this process. */
export const mutex = new S3Mutex({ s3Client, bucketName: "my-bucket" });

/** One of another process: a client and a clock of its own. */
export const otherProcess = new S3Mutex({ s3ClientConfig: {}, bucketName: "my-bucket" });

interface Stop {
  readonly signal: AbortSignal;
}

/** Does work that takes a moment and ends early when it is told to. */
export async function doSomething(signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, 5));
  signal?.throwIfAborted();
  return "done";
}

export async function collectRows({ signal }: Stop): Promise<readonly string[]> {
  return [await doSomething(signal)];
}

export async function saveReport(rows: readonly string[], fencingToken: number): Promise<string> {
  return `${rows.length} rows, token of ${String(fencingToken).length} digits`;
}

export async function sendInvoices(signal: AbortSignal): Promise<void> {
  await doSomething(signal);
}

export const batches: readonly string[] = ["first", "second", "third"];

export async function importBatch(batch: string, { signal }: Stop & { readonly fencingToken: number }): Promise<void> {
  await doSomething(signal);
  console.log(`imported the ${batch} batch`);
}

export async function moveMoney(_amount: number, _tokens: readonly (number | undefined)[]): Promise<void> {
  await doSomething();
}

export async function writeOrder(): Promise<void> {
  await doSomething();
}

export async function migrate(): Promise<boolean> {
  return (await doSomething()) === "done";
}

export async function runNightlyJob(lock: Lock): Promise<string> {
  return doSomething(lock.signal);
}

export const metrics = {
  timing(name: string, _valueMs: number): void {
    console.log(name);
  },
};

export async function readPrices(): Promise<readonly string[]> {
  return [await doSomething()];
}

export async function writePrices(_rows: readonly string[] | null, _fencingToken: number): Promise<void> {
  await doSomething();
}

export async function download(_name: string, signal?: AbortSignal): Promise<void> {
  await doSomething(signal);
}

export async function scheduleNext({ signal }: Stop & { readonly fencingToken: number }): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The user presses Ctrl-C after half a second. */
export const shutdown = new AbortController();
setTimeout(() => shutdown.abort(), 500).unref();

/** What the process does besides: it serves requests. */
export const server = createServer();
