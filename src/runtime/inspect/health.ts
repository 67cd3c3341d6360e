import type { S3MutexError, S3MutexErrorCode } from "../../errors.js";
import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";
import { timingByStore } from "../swap/told-time.js";

/** How a mutex is; for readiness probes. */
export interface Health {
  /** Whether the store has answered and the mutex is open. */
  readonly ok: boolean;
  /** How long the store took to answer, in milliseconds; missing when it did not. */
  readonly latencyMs?: number;
  /** Whether this process knows the store's clock; without it, every lock costs one more request, or has to be watched. */
  readonly isClockKnown: boolean;
  /** The locks that this mutex holds. */
  readonly held: readonly string[];
  /** The locks that its callers wait for, each once for each caller. */
  readonly waiting: readonly string[];
  /** The last request that went wrong, whether or not it was repeated with success. */
  readonly lastError?: HealthError;
}

/** What went wrong last. */
export interface HealthError {
  readonly code: S3MutexErrorCode;
  readonly message: string;
  /** Epoch milliseconds of the local clock. */
  readonly at: number;
}

/** Asks the store for an object that is not there; never rejects. */
export async function checkHealth(context: Context, key: string, timeoutMs: number): Promise<Health> {
  const { activity, clock, closing } = context;
  const latencyMs = closing.aborted ? undefined : await ask(context, key, timeoutMs);
  const { lastFailure } = context.diagnostics;
  return {
    ok: latencyMs !== undefined && !closing.aborted,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    isClockKnown: clock.now() !== undefined && !clock.isDateless,
    held: [...activity.held.values()],
    waiting: [...activity.waiting.values()],
    ...(lastFailure === undefined ? {} : { lastError: describe(lastFailure) }),
  };
}

function describe({ error, atMs }: { readonly error: S3MutexError; readonly atMs: number }): HealthError {
  return { code: error.code, message: error.message, at: atMs };
}

/** Measures how long the answer took; undefined when there was none in time, or the store refused. */
async function ask({ store, effects, clock }: Context, key: string, timeoutMs: number): Promise<number | undefined> {
  const startedAtMs = effects.monotonicMs();
  const done = new AbortController();
  // A request may have to wait for its turn behind others, for longer than its own time-out.
  const patience = sleep(effects, timeoutMs, { keepAlive: true, signal: done.signal }).then(() => undefined);
  const asking = store.read(key, { timeoutMs, urgent: true }).then(
    (outcome) => {
      clock.observe(timingByStore(outcome));
      const hasAnswered = outcome.kind !== "unknown" && outcome.kind !== "refused";
      return hasAnswered ? effects.monotonicMs() - startedAtMs : undefined;
    },
    // The mutex was closed meanwhile.
    () => undefined,
  );
  try {
    return await Promise.race([asking, patience]);
  } finally {
    done.abort();
  }
}
