import { type Election, type Lock, S3MutexError } from "../../index.js";
import { delay } from "../base/delay.js";
import type { Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";
import type { Log } from "../process/log.js";

/** Asks for the leadership again and again. A store that is away is waited for: who stands by must outlast an outage. */
export class Campaign {
  readonly #election: Election;
  readonly #output: Pick<Output, "note">;
  readonly #log: Log;

  constructor(election: Election, output: Pick<Output, "note">, log: Log) {
    this.#election = election;
    this.#output = output;
    this.#log = log;
  }

  /** @throws `aborted`, and whatever else asking again does not help against */
  async won(signal: AbortSignal): Promise<Lock> {
    try {
      for (let failures = 0; ; failures += 1) {
        try {
          return await this.#election.campaign({ signal });
        } catch (error) {
          // It was lost in the moment in which it was won: nothing was started under it.
          if (S3MutexError.is(error, "lost")) continue;
          if (!S3MutexError.is(error, "store-unavailable")) throw error;
          const said = inOwnWords(error.message).replace(/[^.?!]$/, "$&.");
          if (failures === 0) this.#output.note(`${said} The store is asked again and again.`);
          // Each further attempt has the same to say, once a minute.
          this.#log.mute();
          await delay(RETRY_MS, signal);
        }
      }
    } finally {
      this.#log.unmute();
    }
  }
}

const RETRY_MS = 1000;
