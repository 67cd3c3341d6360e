import { S3MutexError } from "../../src/errors.js";
import { RetryBudget, type RetryOptions } from "../../src/runtime/swap/retry-budget.js";
import type { UnknownOutcome } from "../../src/store/object-store.js";
import { Clockwork, contextOn, settled } from "./clockwork.js";

export const unknown = (why: string, { sent = true, throttled = false } = {}): UnknownOutcome => ({
  kind: "unknown",
  error: new S3MutexError("store-unavailable", why),
  throttled,
  sent,
});

/** Begins a call that has 30 s, and 5 s for each request. */
export function begun(
  options: Partial<RetryOptions> = {},
  { isListing = false, contenders, isTold = true }: { isListing?: boolean; contenders?: number; isTold?: boolean } = {},
) {
  const clockwork = new Clockwork();
  const stage = contextOn(clockwork);
  const startedAtMs = clockwork.monotonicMs;
  const failures: string[] = [];
  const onFailure = (error: Error) => void failures.push(error.message);
  const usual = { untilMs: startedAtMs + 30_000, timeoutMs: 5000, role: "holder" as const };
  const all = { ...usual, ...(isTold ? { onFailure } : {}), ...options };
  const known = contenders === undefined ? [] : ([() => contenders] as const);
  const budget = new RetryBudget(stage.context, isListing ? undefined : "x", all, ...known);
  const sinceMs = () => clockwork.monotonicMs - startedAtMs;
  /** How long it takes from now until the promise is settled, and to what. */
  const timed = async (promise: Promise<unknown>) => {
    const fromMs = clockwork.monotonicMs;
    let outcome: unknown = "pending";
    let atMs: number | undefined;
    const end = (value: unknown) => {
      outcome = value;
      atMs = clockwork.monotonicMs;
    };
    promise.then(end, end);
    await settled();
    for (let passed = 0; atMs === undefined && passed < 200_000; passed += 1) {
      const [next = 1] = clockwork.pendingMs;
      await clockwork.pass(Math.max(next, 0.001));
    }
    return { tookMs: (atMs ?? Number.NaN) - fromMs, outcome };
  };
  return { ...stage, clockwork, budget, failures, sinceMs, timed };
}

export const never = () => new Promise<never>(() => {});
