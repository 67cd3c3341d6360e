import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Answer, type Numbered, onLine, type Question, sendLine } from "../resource/wire.js";

/** A worker's connection to what the locks protect. */
export class ResourceClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    onLine<Numbered<Answer>>(socket, (answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Asks at once: the question is on its way when this returns, so that nothing comes between a look at the clocks and the write. */
  ask(question: Question): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      sendLine(this.#socket, { ...question, id });
    });
  }
}

export async function connectToResource(port: number): Promise<ResourceClient> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  // The resource outlives every worker: when it is gone, so is the conductor, or soon will be.
  socket.on("error", () => {});
  socket.on("close", () => process.exit(1));
  return new ResourceClient(socket);
}
