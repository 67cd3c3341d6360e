import type { FromResource, Tally, ToResource } from "../messages.js";
import { Child } from "./child.js";

export interface ResourceEvents {
  message(message: FromResource): void;
  /** Hears that it ended, which it must not. */
  failed(error: Error): void;
}

/** The process that has what the locks protect, as the conductor sees it. */
export class Resource {
  readonly #child: Child<ToResource, FromResource>;
  readonly #events: ResourceEvents;
  #isClosing = false;
  #answerTally: (tally: Tally) => void = () => {};
  #answerInside: (pids: readonly number[]) => void = () => {};
  #answerPort: (port: number) => void = () => {};
  readonly port: Promise<number>;

  constructor(folder: string, lockNames: readonly string[], events: ResourceEvents) {
    this.#events = events;
    this.port = new Promise((resolve) => {
      this.#answerPort = resolve;
    });
    const settings = { folder, lockNames };
    this.#child = new Child("resource/resource-process.ts", settings, (message) => this.#receive(message));
    void this.#child.exited.then((how) => {
      if (!this.#isClosing) events.failed(new Error(`the resource ended (${how}): ${this.#child.stderr}`));
    });
  }

  guard(pid: number): void {
    this.#child.send({ kind: "guard", pid });
  }

  unguard(pid: number): void {
    this.#child.send({ kind: "unguard", pid });
  }

  /** Asks for what it has counted; one call at a time. */
  tally(): Promise<Tally> {
    return new Promise((resolve) => {
      this.#answerTally = resolve;
      this.#child.send({ kind: "tally" });
    });
  }

  /** Says which of these are in a critical section, as soon as any is; none when the time is up. One call at a time. */
  pidsInside(of: readonly number[], waitMs: number): Promise<readonly number[]> {
    return new Promise((resolve) => {
      this.#answerInside = resolve;
      this.#child.send({ kind: "who-is-inside", of, waitMs });
    });
  }

  /** Ends it, and the processes that it still guards. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#child.disconnect();
    await this.#child.exited;
  }

  kill(): void {
    this.#isClosing = true;
    this.#child.signal("SIGKILL");
  }

  #receive(message: FromResource): void {
    if (message.kind === "listening") this.#answerPort(message.port);
    else if (message.kind === "tally") this.#answerTally(message.tally);
    else if (message.kind === "inside") this.#answerInside(message.pids);
    else this.#events.message(message);
  }
}
