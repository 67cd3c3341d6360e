import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { S3Mutex, S3MutexError } from "../../index.js";
import { createS3Client } from "../../store/s3/client/client.js";
import { headerFieldsOf } from "../../store/s3/client/store-headers.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { bounded } from "../process/bounded.js";
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

/** Runs `s3-mutex bench`. */
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
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const letGo = catchSignals({
    receive(signal, isEnding) {
      if (!isEnding) return;
      interruptedBy ??= signal;
      interrupt.abort();
      stop.abort();
    },
  });
  const timer = setTimeout(() => stop.abort(), plan.limitMs);
  let hasBegun = false;
  try {
    const results: Result[] = [];
    await untilInterrupted(checkAnswer(processes, stop.signal), interrupt.signal);
    hasBegun = !stop.signal.aborted;
    for (const part of PARTS) {
      if (stop.signal.aborted) break;
      output.status(`measuring: ${part.title} ...`);
      const result = await untilInterrupted(measured(part, processes, meter, plan, stop.signal), interrupt.signal);
      if (result !== undefined) results.push(result);
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
    await untilInterrupted(Promise.all(processes.map(({ mutex }) => mutex.close())), interrupt.signal);
    if (hasBegun) {
      const answerMs = interruptedBy === undefined ? ANSWER_MAX_MS : MOMENT_MS;
      await tidyUp(processes[0]?.s3Client, access, { folder, answerMs }, output);
    }
    for (const { s3Client } of processes) s3Client.destroy();
    letGo();
  }
}

/** Waits for the work; undefined where it goes on for longer than a moment after Ctrl-C, as on a store that does not answer. */
async function untilInterrupted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  work.catch(() => {});
  const early = await bounded(work, TIMER_MAX_MS, signal);
  return early ?? (await bounded(work, MOMENT_MS, NEVER));
}

const TIMER_MAX_MS = 2 ** 31 - 1;
const NEVER = new AbortController().signal;
/** For the work that is interrupted; for closing, and for each answer to the tidying up, the same once more. */
const MOMENT_MS = 500;

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

/** Removes the objects of the locks that were used here, without a condition: others do not use them. */
async function tidyUp(
  client: S3Client | undefined,
  { bucketName: Bucket, storeHeaders }: Omit<StoreAccess, "s3ClientConfig">,
  { folder, answerMs }: { readonly folder: string; readonly answerMs: number },
  output: Output,
): Promise<void> {
  const fields = headerFieldsOf(storeHeaders);
  // Nothing of the SDK bounds that.
  const inTime = () => ({ abortSignal: AbortSignal.timeout(answerMs) });
  try {
    const listed = await client?.send(new ListObjectsV2Command({ Bucket, Prefix: folder, ...fields.list }), inTime());
    for (const { Key } of listed?.Contents ?? []) {
      await client?.send(new DeleteObjectCommand({ Bucket, Key, ...fields.delete }), inTime());
    }
  } catch (error) {
    // What the SDK says of an answer that is not of S3 goes on for lines, about its own insides.
    const [said] = (error instanceof Error ? error.message : String(error)).split("\n");
    const isSilent = error instanceof Error && /^(?:Abort|Timeout)Error$/.test(error.name);
    const why = isSilent ? "the store does not answer" : said;
    output.note(`what is under s3://${Bucket}/${folder} could not be removed: ${why}.`);
  }
}
