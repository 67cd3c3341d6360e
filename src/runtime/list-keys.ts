import { S3MutexError } from "../errors.js";
import { wasClosed } from "./closed.js";
import type { Context } from "./context.js";
import { MAX_REQUEST_MS, sleep } from "./timing.js";

/** Some of the keys that start with a prefix. */
export interface PageOfKeys {
  readonly keys: readonly string[];
  /** The ETags of those that the store listed with one. */
  readonly etags: ReadonlyMap<string, string>;
  readonly isLast: boolean;
}

/** Lists all keys that start with a prefix, page by page; a page that nobody answers for is asked for again a few times. */
export async function* pagesOfKeys(
  context: Context,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<PageOfKeys> {
  let continuation: string | undefined;
  let failures = 0;
  for (;;) {
    throwIfEnded(context, signal);
    const page = await context.store.list(prefix, {
      timeoutMs: MAX_REQUEST_MS,
      ...(continuation === undefined ? {} : { continuation }),
    });
    if (page.kind === "refused") throw page.error;
    context.clock.observe(page.timing);
    if (page.kind === "unknown") {
      failures += 1;
      if (failures >= MAX_FAILURES) throw page.error;
      await sleep(context.effects, RETRY_MS * 2 ** failures, { keepAlive: true, signal });
      continue;
    }
    failures = 0;
    continuation = page.continuation;
    yield { keys: page.keys, etags: page.etags, isLast: continuation === undefined };
    if (continuation === undefined) return;
  }
}

const MAX_FAILURES = 5;
const RETRY_MS = 50;

/** @throws `closed`, `aborted` */
export function throwIfEnded({ closing }: Context, signal: AbortSignal | undefined): void {
  if (closing.aborted) throw wasClosed();
  if (signal?.aborted) throw new S3MutexError("aborted", "The listing was stopped.", { cause: signal.reason });
}
