import { type FoundObject, parseEnvelope } from "../../core/envelope.js";
import { S3MutexError } from "../../errors.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import { fencedReadPolicy } from "../swap/policies.js";
import { isNoEnvelope, readTwice } from "../swap/read-twice.js";
import { RetryBudget } from "../swap/retry-budget.js";
import { timingByStore } from "../swap/told-time.js";
import { untilAnswered } from "../swap/until-answered.js";
import { archivedError } from "./fenced-refusal.js";

export interface FencedRead {
  readonly lockName: string;
  readonly key: string;
  /** How long a store that does not answer is asked again, in milliseconds; it is asked at least twice. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads a fenced object without a lock, in the bucket of the locks: it may change the moment after. */
export async function readFenced(context: Context, wanted: FencedRead): Promise<FoundObject> {
  const { lockName, key, patienceMs, signal = context.closing } = wanted;
  const store = context.contentStore(context.bucketName);
  const budget = new RetryBudget(context, lockName, { ...fencedReadPolicy(context, patienceMs), signal });
  const outcome = await untilAnswered(budget, async (left) => {
    if (signal.aborted) throw stopped(wanted, context);
    const read = await readTwice(store, key, left, isNoEnvelope);
    context.clock.observe(timingByStore(read));
    return read;
  });
  if (outcome.kind === "refused") throw outcome.error;
  if (outcome.kind === "ok") return parseEnvelope(outcome.body);
  if (outcome.kind === "archived") throw archivedError({ lockName, bucketName: context.bucketName, key });
  return outcome.kind === "oversized" ? { kind: "foreign", body: undefined } : { kind: "absent" };
}

function stopped({ lockName, signal }: FencedRead, { closing }: Context): S3MutexError {
  if (closing.aborted) return wasClosed(lockName);
  return new S3MutexError("aborted", "The wait was aborted by its signal.", { lockName, cause: signal?.reason });
}
