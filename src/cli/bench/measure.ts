import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { S3Mutex, S3MutexError } from "../../index.js";
import { createS3Client } from "../../store/s3/client/client.js";
import { headerFieldsOf } from "../../store/s3/client/store-headers.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { createLog } from "../process/log.js";
import { catchSignals, exitCodeOf } from "../process/signals.js";
import type { StoreAddress } from "../store/address.js";
import { accessTo, type StoreAccess } from "../store/store-access.js";
import { Meter, type Requests } from "./meter.js";
import { PARTS, type Part, type Process } from "./parts.js";
import { costOf, type Prices, type Result, showResults, spread } from "./results.js";

export interface BenchPlan {
  readonly turns: number;
  readonly contenders: number;
  readonly limitMs: number;
  readonly prices: Prices;
}

/** `s3-mutex bench` */
export async function benchCommand(
  input: Input,
  address: StoreAddress,
  plan: BenchPlan,
  output: Output,
): Promise<number> {
  const meter = new Meter();
  const folder = `${address.keyPrefix}.s3-mutex/bench-${randomUUID()}/`;
  const { logger } = createLog(input.isDebugging, output);
  const { s3ClientConfig, ...access } = accessTo(input, address);
  // What another process is to a lock, another instance with another client is.
  const processes: Process[] = Array.from({ length: plan.contenders }, () => {
    const s3Client = meter.watch(createS3Client(s3ClientConfig));
    return { s3Client, mutex: new S3Mutex({ ...access, s3Client, keyPrefix: folder, verify: "never", logger }) };
  });
  const stop = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const letGo = catchSignals({
    receive(signal, isEnding) {
      if (!isEnding) return;
      interruptedBy ??= signal;
      stop.abort();
    },
  });
  const timer = setTimeout(() => stop.abort(), plan.limitMs);
  let hasBegun = false;
  try {
    const results: Result[] = [];
    await checkAnswer(processes, stop.signal);
    hasBegun = true;
    for (const part of PARTS) {
      if (stop.signal.aborted) break;
      output.status(`measuring: ${part.title} ...`);
      results.push(await measured(part, processes, meter, plan, stop.signal));
    }
    output.status("");
    if (interruptedBy !== undefined) return exitCodeOf(interruptedBy);
    const requests = { putMs: spread(meter.putsMs), getMs: spread(meter.getsMs) };
    const report = { requests, parts: results, isComplete: !stop.signal.aborted, prices: plan.prices };
    if (input.values.flag("json")) output.json(report);
    else showResults(report, output);
    return EXIT.ok;
  } finally {
    clearTimeout(timer);
    output.status("");
    await Promise.all(processes.map(({ mutex }) => mutex.close()));
    if (hasBegun) await tidyUp(processes[0]?.s3Client, access, folder, output);
    for (const { s3Client } of processes) s3Client.destroy();
    letGo();
  }
}

/** A store that is not there is told in seconds, not when locks would give up. */
const ANSWER_MAX_MS = 5000;

async function checkAnswer([first]: readonly Process[], signal: AbortSignal): Promise<void> {
  const health = await first?.mutex.health({ timeoutMs: ANSWER_MAX_MS });
  if (health === undefined || health.ok || signal.aborted) return;
  const { code, message } = health.lastError ?? {
    code: "store-unavailable",
    message: `The store has not answered within ${ANSWER_MAX_MS / 1000} s.`,
  };
  // A request fails for the store's reasons: never with a lost lock or a deadlock.
  throw new S3MutexError(code as Exclude<typeof code, "lost" | "deadlock">, message);
}

async function measured(part: Part, processes: readonly Process[], meter: Meter, plan: BenchPlan, signal: AbortSignal) {
  const before = meter.requests;
  const startedAtMs = performance.now();
  const turnsMs = await part.run(processes, plan.turns, signal);
  const elapsedMs = performance.now() - startedAtMs;
  const { puts, gets } = meter.requests;
  const requests: Requests = { puts: puts - before.puts, gets: gets - before.gets };
  return {
    name: part.name,
    title: part.title,
    turns: turnsMs.length,
    turnMs: spread(turnsMs),
    turnsPerS: Math.round((turnsMs.length / elapsedMs) * 10_000) / 10,
    requests,
    dollarsPer1000Turns: costOf(requests, plan.prices, turnsMs.length / 1000),
  };
}

/** The locks that were used here are not used by others: their objects go without a condition. */
async function tidyUp(
  client: S3Client | undefined,
  { bucketName: Bucket, storeHeaders }: Omit<StoreAccess, "s3ClientConfig">,
  folder: string,
  output: Output,
): Promise<void> {
  const fields = headerFieldsOf(storeHeaders);
  try {
    const listed = await client?.send(new ListObjectsV2Command({ Bucket, Prefix: folder, ...fields.list }));
    for (const { Key } of listed?.Contents ?? []) {
      await client?.send(new DeleteObjectCommand({ Bucket, Key, ...fields.delete }));
    }
  } catch (error) {
    // What the SDK says of an answer that is not of S3 goes on for lines, about its own insides.
    const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
    output.note(`what is under s3://${Bucket}/${folder} could not be removed: ${why}.`);
  }
}
