import type { Logger } from "../../index.js";
import type { Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";

/** The library's messages on stderr. */
export interface Log {
  readonly logger: Logger;
  /** Mutes the log: from here on how the library tidies up is of interest for debugging only. */
  mute(): void;
  unmute(): void;
}

/** Several calls of one command find the same out at about the same time: one line says it. */
const REPEATED_MS = 2000;

/** What the check of the store has found, the call that waited for it fails with, and says once more. */
const FOLLOWED_BY_ERROR = /^(?:s3-mutex: )?(?:the store could not be checked|nothing is locked here)\b/;

/** Makes a log. Warnings (a renewal that failed and is tried again) are for readers of a job's log; the rest is for debugging. */
export function createLog(isDebugging: boolean, output: Output): Log {
  let isMuted = false;
  const saidAtMs = new Map<string, number>();
  const isNews = (message: string) => {
    const nowMs = performance.now();
    for (const [said, atMs] of saidAtMs) if (nowMs - atMs >= REPEATED_MS) saidAtMs.delete(said);
    if (saidAtMs.has(message)) return false;
    saidAtMs.set(message, nowMs);
    return true;
  };
  const say = (message: string, fields?: unknown) => {
    // What becomes of the command when its lock is lost is said by the code that ends it.
    const isLoss = (fields as { readonly err?: { readonly code?: unknown } } | undefined)?.err?.code === "lost";
    const isTold = isLoss || FOLLOWED_BY_ERROR.test(message);
    if (isMuted || (isTold && !isDebugging)) return;
    if (isDebugging || isNews(message)) output.note(inOwnWords(message.replace(/^s3-mutex: /, "")));
  };
  return {
    logger: isDebugging ? { debug: say, info: say, warn: say, error: say } : { warn: say, error: say },
    mute() {
      isMuted = !isDebugging;
    },
    unmute() {
      isMuted = false;
    },
  };
}
