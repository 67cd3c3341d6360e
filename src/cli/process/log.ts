import type { Logger } from "../../index.js";
import type { Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";

/** The library's messages on stderr. */
export interface Log {
  readonly logger: Logger;
  /** From here on how the library tidies up is of interest for debugging only. */
  mute(): void;
  unmute(): void;
}

/** Warnings (a renewal that failed and is tried again) are for readers of a job's log; the rest is for debugging. */
export function createLog(isDebugging: boolean, output: Output): Log {
  let isMuted = false;
  const say = (message: string, fields?: unknown) => {
    // What becomes of the command when its lock is lost is said by the code that ends it.
    const isLoss = (fields as { readonly err?: { readonly code?: unknown } } | undefined)?.err?.code === "lost";
    if (isMuted || (isLoss && !isDebugging)) return;
    output.note(inOwnWords(message.replace(/^s3-mutex: /, "")));
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
