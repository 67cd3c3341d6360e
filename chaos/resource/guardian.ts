import { rmSync } from "node:fs";

/**
 * Ends what the conductor can no longer end because it crashed itself. Its children end when their channel to it closes,
 * all but those that are frozen at that moment, who never get to know.
 */
export class Guardian {
  readonly #folder: string;
  readonly #pids = new Set<number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(pid: number): void {
    this.#pids.add(pid);
  }

  remove(pid: number): void {
    this.#pids.delete(pid);
  }

  cleanUp(): void {
    for (const pid of this.#pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    // A store that was killed a moment ago may have a last file half written while the folder is being emptied.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
