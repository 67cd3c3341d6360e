import type { Writable } from "node:stream";
import type { Viewer } from "./shared-reader.js";

/** A viewer who reads slower than things happen gets everything at once when it is ready, instead of a growing backlog. */
export class StreamViewer implements Viewer {
  readonly #stream: Writable;
  #isBehind = false;

  constructor(stream: Writable, catchUp: () => void) {
    this.#stream = stream;
    stream.on("drain", () => {
      if (!this.#isBehind) return;
      this.#isBehind = false;
      catchUp();
    });
  }

  tell(event: string, data: unknown): void {
    if (this.#stream.writableNeedDrain) {
      this.#isBehind = true;
      return;
    }
    this.#stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
