import { S3MutexError } from "../../errors.js";
import type { ListOutcome } from "../../store/object-store.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import { questionPolicy } from "../swap/policies.js";
import { RetryBudget } from "../swap/retry-budget.js";
import { untilAnswered } from "../swap/until-answered.js";

/** Some of the keys that start with a prefix. */
export interface PageOfKeys {
  readonly keys: readonly string[];
  /** The ETags of those that the store listed with one. */
  readonly etags: ReadonlyMap<string, string>;
  readonly isLast: boolean;
}

/** Lists all keys that start with a prefix, page by page; a page without an answer is asked for again for a while. */
export async function* pagesOfKeys(
  context: Context,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<PageOfKeys> {
  const asked = new Set<string>();
  for (let continuation: string | undefined; ; ) {
    const page = await readPage(context, prefix, continuation, signal);
    continuation = page.continuation;
    // Otherwise it would never end.
    if (continuation !== undefined && asked.has(continuation)) throw goesInCircles(prefix);
    if (continuation !== undefined) asked.add(continuation);
    yield { keys: page.keys, etags: page.etags, isLast: continuation === undefined };
    if (continuation === undefined) return;
  }
}

async function readPage(
  context: Context,
  prefix: string,
  continuation: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Extract<ListOutcome, { kind: "ok" }>> {
  const budget = new RetryBudget(context, undefined, { ...questionPolicy(context), signal });
  const page = await untilAnswered(budget, (left) => {
    throwIfEnded(context, signal);
    return context.store.list(prefix, { ...left, ...(continuation === undefined ? {} : { continuation }) });
  });
  if (page.kind === "refused") throw page.error;
  context.clock.observe(page.timing);
  return page;
}

function goesInCircles(prefix: string): S3MutexError {
  const message = `The store lists the keys under ${JSON.stringify(prefix)} in circles: a page goes on with a continuation that was used before.`;
  return new S3MutexError("store-unsafe", message);
}

/** @throws `closed`, `aborted` */
export function throwIfEnded({ closing }: Context, signal: AbortSignal | undefined): void {
  if (closing.aborted) throw wasClosed();
  if (signal?.aborted) throw new S3MutexError("aborted", "The listing was stopped.", { cause: signal.reason });
}
