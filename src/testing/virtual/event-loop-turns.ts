import { MessageChannel, type MessagePort } from "node:worker_threads";

/**
 * Turns of the event loop: in each of them everything goes on that can, every promise, every next tick and every immediate. By
 * messages, since fake timers replace everything else that could be asked for one; by two of them, since those of one port are
 * read many to a turn.
 */
export class EventLoopTurns {
  readonly #from: MessagePort;
  readonly #to: MessagePort;
  #wake: () => void = () => {};

  constructor() {
    const { port1, port2 } = new MessageChannel();
    [this.#from, this.#to] = [port1, port2];
    this.#to.on("message", () => this.#to.postMessage(undefined));
    this.#from.on("message", () => this.#wake());
  }

  /** Resolves in the next turn. One caller at a time. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#from.postMessage(undefined);
    });
  }

  /** Leaves nothing open behind. */
  close(): void {
    this.#from.close();
    this.#to.close();
  }
}
