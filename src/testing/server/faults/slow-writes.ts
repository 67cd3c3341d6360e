import type { IncomingMessage } from "node:http";
import type { Timers } from "./server-clock.js";

/** As on MinIO. */
const PATIENCE_MS = 30_000;

/** Writes whose bodies have not come yet, for reads that wait for them. */
export class SlowWrites {
  readonly #timers: Timers;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Notes a write that has begun to arrive; the function is called when it was done. A client that goes away ends it as well. */
  begin(url: string, request: IncomingMessage): () => void {
    const path = pathOf(url);
    let end: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#underWay.set(path, over);
    void over.then(() => {
      if (this.#underWay.get(path) === over) this.#underWay.delete(path);
    });
    request.on("close", () => {
      if (!request.complete) end();
    });
    return end;
  }

  /** Resolves when no write of it is under way, or after 30 s. */
  async wait(url: string): Promise<void> {
    const over = this.#underWay.get(pathOf(url));
    if (over !== undefined) await Promise.race([over, this.#timers.sleep(PATIENCE_MS)]);
  }
}

function pathOf(url: string): string {
  return url.split("?")[0] ?? url;
}
