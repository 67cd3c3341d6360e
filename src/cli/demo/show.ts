import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startS3Server } from "../../testing/index.js";
import type { Output } from "../base/output.js";
import { CommandError } from "../base/usage-error.js";
import { Choreography, type Pace, type Story } from "./choreography.js";
import { Fleet, type Worker } from "./fleet.js";
import { Ledger, type Tally } from "./ledger.js";
import type { FromWorker } from "./messages.js";
import { createScreen, type Screen } from "./screen.js";

export interface ShowSettings {
  readonly workers: number;
  readonly pace: Pace;
  /** After this it has failed: a machine that is too busy for it must not hang. */
  readonly limitMs: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly withLock: Tally;
  readonly withoutLock: Tally;
  /** Writes with an old token that the ledger refused. */
  readonly refused: number;
}

/** Short, so that the demo is: a lock that is not renewed is free again after the sum. */
const LEASE_MS = 1500;
const TOLERANCE_MS = 500;
const BUCKET = "demo";
const FRAME_MS = 80;

/** Plays the whole demo, and leaves nothing behind: no process, no file. */
export async function play(settings: ShowSettings, output: Output): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-demo-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  const server = await startS3Server({ buckets: [BUCKET] });
  const screen = createScreen(output);
  const show = new Show(settings, screen, folder, server.endpoint);
  try {
    return await show.play();
  } finally {
    await show.close();
    screen.close();
    await server.close();
    removeFolder();
    process.off("exit", removeFolder);
  }
}

class Show {
  readonly #settings: ShowSettings;
  readonly #screen: Screen;
  readonly #fleet: Fleet;
  readonly #limit: NodeJS.Timeout;
  readonly #frames: NodeJS.Timeout;
  readonly #withLock: Ledger;
  readonly #withoutLock: Ledger;
  #ledger: Ledger;
  #hasEnded = false;
  readonly #choreography: Choreography;
  #refused = 0;
  #fail: (error: unknown) => void = () => {};
  readonly #failure: Promise<never>;
  #finished: () => void = () => {};
  readonly #choreographed = new Promise<void>((resolve) => {
    this.#finished = resolve;
  });
  #changed: () => void = () => {};

  constructor(settings: ShowSettings, screen: Screen, folder: string, endpoint: string) {
    this.#settings = settings;
    this.#screen = screen;
    this.#failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // It is raced against wherever something is waited for; in between it has no listener.
    this.#failure.catch(() => {});
    this.#withLock = new Ledger(join(folder, "with-lock.txt"));
    this.#withoutLock = new Ledger(join(folder, "without-lock.txt"));
    this.#ledger = this.#withLock;
    this.#choreography = new Choreography(settings.pace, this.#story());
    this.#limit = setTimeout(() => this.#giveUp(), settings.limitMs);
    // Nothing happens while all workers wait for a dead holder's lease to end, and that is worth seeing as well.
    this.#frames = setInterval(() => screen.refresh(), FRAME_MS);
    settings.signal.addEventListener("abort", () => this.#fail(settings.signal.reason), { once: true });
    const worker = { endpoint, bucketName: BUCKET, leaseMs: LEASE_MS, toleranceMs: TOLERANCE_MS };
    this.#fleet = new Fleet(settings.workers, worker, {
      message: (from, message) => this.#receive(from, message),
      failed: (error) => this.#fail(error),
    });
    this.#screen.event(`${settings.workers} processes, one ledger, one lock on ${endpoint}`);
  }

  async play(): Promise<Outcome> {
    this.#screen.watch(this.#fleet.workers);
    await this.#allAre("idle");
    this.#screen.event("with the lock: each reads the last line, and writes the next", "bold");
    this.#tellAll({ kind: "work-with-lock" });
    await this.#orFailure(this.#choreographed);
    this.#tellAll({ kind: "stop" });
    await this.#allAre("idle");
    const withLock = this.#withLock.tally();
    this.#screen.event(
      `${withLock.updates} updates, ${withLock.lost} of them lost`,
      withLock.lost === 0 ? "green" : "red",
    );
    await this.#playWithoutLock(withLock.updates);
    const withoutLock = this.#withoutLock.tally();
    this.#screen.watch(undefined);
    this.#screen.event(`${withoutLock.updates} updates, ${withoutLock.lost} of them lost`, "red");
    await this.#orFailure(this.#fleet.leave());
    return { withLock, withoutLock, refused: this.#refused };
  }

  async close(): Promise<void> {
    clearTimeout(this.#limit);
    clearInterval(this.#frames);
    this.#hasEnded = true;
    await this.#fleet.end();
  }

  /** Lets the workers that are left make the same number of updates. */
  async #playWithoutLock(updates: number): Promise<void> {
    this.#screen.event("the same without the lock", "bold");
    this.#ledger = this.#withoutLock;
    const { alive } = this.#fleet;
    for (const [index, worker] of alive.entries()) {
      worker.state = "working";
      worker.updates = 0;
      const share = Math.floor(updates / alive.length) + (index < updates % alive.length ? 1 : 0);
      worker.send({ kind: "work-without-lock", updates: share });
    }
    await this.#allAre("idle");
  }

  #receive(worker: Worker, message: FromWorker): void {
    // What a process had sent before it was ended comes when the ledger is gone.
    if (this.#hasEnded) return;
    // What a dead or frozen one had sent before it knew still arrives.
    if (worker.state === "killed" || worker.state === "frozen") return;
    if (message.kind === "read") this.#read(worker, message.token);
    else if (message.kind === "append") this.#append(worker, message.number, message.token);
    else if (message.kind === "lost") this.#screen.event(`${worker.name} noticed that it had lost the lock`, "dim");
    else if (message.kind === "holding") {
      worker.state = "holding";
      worker.token = message.token;
    } else worker.state = message.kind === "waiting" ? "waiting" : "idle";
    this.#changed();
  }

  #read(worker: Worker, token: number | undefined): void {
    const number = this.#ledger.read(token);
    const answer = () => worker.send({ kind: "last", number });
    // Only a worker that does hold the lock is a victim worth having.
    if (token === undefined || token < this.#ledger.highestToken) answer();
    else this.#choreography.read(worker, token, answer);
  }

  #append(worker: Worker, number: number, token: number | undefined): void {
    const accepted = this.#ledger.append(number, token);
    if (accepted) worker.updates += 1;
    else this.#refused += 1;
    worker.send({ kind: "appended", accepted });
    if (token !== undefined) this.#choreography.wrote(worker, token, accepted);
  }

  #story(): Story {
    const screen = this.#screen;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s later`;
    const lease = `its lease was ${LEASE_MS / 1000} s`;
    return {
      killed: ({ name }, token) =>
        screen.event(`${name} killed (SIGKILL) while holding the lock, token ${token}`, "red"),
      inherited: ({ name }, token, afterMs) =>
        screen.event(`${name} has it ${seconds(afterMs)}, token ${token}: ${lease}`, "green"),
      frozen: ({ name }, token) =>
        screen.event(`${name} frozen (SIGSTOP) between read and write, token ${token}`, "cyan"),
      thawed(zombie, { name }, token, afterMs) {
        screen.event(`${name} has it ${seconds(afterMs)}, token ${token}, and has written`, "green");
        screen.event(`${zombie.name} thawed (SIGCONT): it believes it holds the lock, and writes`, "yellow");
      },
      refused: ({ name }, token) =>
        screen.event(`${name} refused: the ledger has seen a token above ${token}`, "green"),
      done: () => this.#finished(),
    };
  }

  /** Resolves when all workers that are left have come to this state. */
  async #allAre(state: Worker["state"]): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.#changed = () => {
        if (this.#fleet.alive.every((worker) => worker.state === state)) resolve();
      };
    });
    this.#changed();
    await this.#orFailure(arrived);
  }

  #orFailure<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failure]);
  }

  #tellAll(message: Parameters<Worker["send"]>[0]): void {
    for (const worker of this.#fleet.alive) worker.send(message);
  }

  #giveUp(): void {
    const seconds = this.#settings.limitMs / 1000;
    this.#fail(new CommandError(`The demo did not get past "${this.#choreography.step}" within ${seconds} s.`));
  }
}
