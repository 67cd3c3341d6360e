import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines, whichProgram } from "./commands.js";

/** Every server of this process that runs, so that none outlives it. */
const running = new Set<Server>();
process.on("exit", () => {
  for (const server of running) server.kill();
});

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Gets both of its outputs. */
  readonly logFile: string;
}

/** A program that runs until it is stopped. It dies with this process, where Linux can be asked for that. */
export class Server {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #name: string;
  readonly #logFile: string;
  #isGone = false;

  constructor(command: string, args: readonly string[], { env, cwd, logFile }: ServerOptions) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "a");
    const setpriv = whichProgram("setpriv");
    const leash = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
    const [program = command, ...rest] = [...leash, command, ...args];
    this.#name = command.split("/").at(-1) ?? command;
    this.#logFile = logFile;
    this.#child = spawn(program, rest, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    running.add(this);
    this.#child.on("error", () => {});
    this.#exited = once(this.#child, "exit").catch(() => {});
    void this.#exited.then(() => {
      this.#isGone = true;
      running.delete(this);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Resolves when it is gone: asked first, killed after `patienceMs`. */
  async stop(patienceMs = 8_000): Promise<void> {
    if (patienceMs > 0) this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), patienceMs);
    if (this.#child.pid !== undefined) await this.#exited;
    clearTimeout(timer);
  }

  /** Asks every 100 ms until it is ready; rejects with the end of its log when it has ended or takes too long. */
  async ready(isReady: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!(await isReady().catch(() => false))) {
      if (this.#isGone) throw new Error(`${this.#name} ended while it was starting: ${this.logTail()}`);
      if (performance.now() > endMs)
        throw new Error(`${this.#name} was not ready in ${withinMs} ms: ${this.logTail()}`);
      await sleep(100);
    }
  }

  logTail(): string {
    return lastLines(readFileSync(this.#logFile, "utf8"), 8);
  }
}

/** Says whether a server accepts connections there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (listening: boolean) => () => {
      socket.destroy();
      resolve(listening);
    };
    socket.on("connect", answer(true)).on("error", answer(false));
  });
}

/** Says whether an HTTP server answers there, with anything but an error of its own. */
export async function answersHttp(port: number): Promise<boolean> {
  const { status, body } = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
  await body?.cancel();
  return status < 500;
}
