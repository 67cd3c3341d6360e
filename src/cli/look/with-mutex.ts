import { constants } from "node:os";
import { S3Mutex, type S3MutexOptions } from "../../index.js";
import type { StoreAddress } from "../address.js";
import type { Input } from "../command.js";
import { exitCodeOfSignal } from "../exit-codes.js";
import type { Output } from "../output.js";
import { createLog } from "../run/log.js";
import { clientConfigOf } from "../store-options.js";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a command with a mutex of its own, which is closed afterwards; a signal aborts, a second one ends the process. */
export async function withMutex(
  input: Input,
  { bucketName, keyPrefix }: StoreAddress,
  output: Output,
  use: (mutex: S3Mutex, interrupt: AbortSignal) => Promise<number>,
): Promise<number> {
  const { logger } = createLog(input.isDebugging, output);
  const options: S3MutexOptions = { s3ClientConfig: clientConfigOf(input), bucketName, keyPrefix, logger };
  const mutex = new S3Mutex(options);
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    interruptedBy = signal;
    stopListening();
    interrupt.abort();
  };
  const stopListening = () => {
    for (const signal of ENDING) process.off(signal, onSignal);
  };
  for (const signal of ENDING) process.on(signal, onSignal);
  try {
    return await use(mutex, interrupt.signal);
  } catch (error) {
    if (interruptedBy === undefined) throw error;
    return exitCodeOfSignal(constants.signals[interruptedBy]);
  } finally {
    output.status("");
    stopListening();
    await mutex.close();
  }
}
