import { type Logger, S3Mutex, type S3MutexBaseOptions, type S3MutexOptions } from "../../index.js";
import type { Input } from "../base/command.js";
import type { Output } from "../base/output.js";
import { createLog } from "../process/log.js";
import { exitCodeOf, onEnding } from "../process/signals.js";
import type { StoreAddress } from "../store/address.js";
import { accessTo } from "../store/store-access.js";

interface WithMutexOptions {
  /** For commands that a signal is the usual end of. */
  readonly exitCodeWhenInterrupted?: number;
  /** More options of the mutex. */
  readonly options?: Partial<S3MutexBaseOptions>;
}

/** Runs a command with a mutex of its own, which is closed afterwards; a signal aborts, a second one ends the process. */
export async function withMutex(
  input: Input,
  address: StoreAddress,
  output: Output,
  use: (mutex: S3Mutex, interrupt: AbortSignal) => Promise<number>,
  { exitCodeWhenInterrupted, options: more = {} }: WithMutexOptions = {},
): Promise<number> {
  const { logger } = createLog(input.isDebugging, output);
  const waiting = new AbortController();
  const patient = input.isDebugging ? logger : withLateOutages(logger, waiting.signal);
  const options: S3MutexOptions = { ...accessTo(input, address), logger: patient, ...more };
  const mutex = new S3Mutex(options);
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const stopListening = onEnding((signal) => {
    interruptedBy = signal;
    stopListening();
    interrupt.abort();
  });
  const exitCode = () => exitCodeWhenInterrupted ?? exitCodeOf(interruptedBy as NodeJS.Signals);
  try {
    const used = use(mutex, interrupt.signal);
    // What is under way gets a moment; a store that does not answer does not keep the command from ending.
    return (await Promise.race([used, momentAfter(interrupt.signal)])) ?? exitCode();
  } catch (error) {
    if (interruptedBy === undefined) throw error;
    return exitCode();
  } finally {
    waiting.abort();
    output.status("");
    stopListening();
    await mutex.close();
  }
}

/** Holds back that the store does not answer: most of these commands end so a moment later; it is told before only if that is late. */
function withLateOutages(logger: Logger, over: AbortSignal): Logger {
  return {
    ...logger,
    warn(message, ...details) {
      const tell = () => logger.warn?.(message, ...details);
      if (!/^(s3-mutex: )?(?:the store does not answer|no request for )/.test(message)) return tell();
      const timer = setTimeout(tell, OUTAGE_MS).unref();
      over.addEventListener("abort", () => clearTimeout(timer), { once: true });
    },
  };
}

function momentAfter(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => setTimeout(() => resolve(undefined), MOMENT_MS).unref(), { once: true });
  });
}

const MOMENT_MS = 1000;
const OUTAGE_MS = 5000;
