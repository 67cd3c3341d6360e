import { S3MutexError } from "../../errors.js";
import { onAbort } from "../base/abort.js";
import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";

/** Between two attempts while the store is away. */
const PAUSE_MS = 1000;

/**
 * Makes the attempt again for as long as nothing but the absence of an answer is in the way, and says so once: a
 * candidate has to outlast an outage. Once the signal is aborted, the attempt itself has the last word.
 */
export async function outlast<T>(
  { effects, logger, closing }: Context,
  lockName: string,
  attempt: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!S3MutexError.is(error, "store-unavailable")) throw error;
      const subject = JSON.stringify(lockName);
      if (failures === 0)
        logger.warn(`the store is away, and is asked for ${subject} until it is back`, { err: error });
      const stop = new AbortController();
      const forget = [signal, closing].map((one) => (one === undefined ? () => {} : onAbort(one, () => stop.abort())));
      await sleep(effects, PAUSE_MS, { keepAlive: true, signal: stop.signal });
      for (const end of forget) end();
    }
  }
}
