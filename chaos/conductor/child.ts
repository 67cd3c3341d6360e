import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What stays of what a process said on stderr. */
const STDERR_KEPT = 4000;

/** A process of ours: TypeScript, run as it is. */
export class Child<Outgoing extends object, Incoming> {
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  #stderr = "";
  #isGone = false;

  constructor(path: string, settings: object, listener: (message: Incoming) => void) {
    this.#process = fork(fileURLToPath(new URL(`../${path}`, import.meta.url)), [JSON.stringify(settings)], {
      execArgv: ["--import", "tsx"],
      // What the SDK has to say about Node versions is of no interest here; errors are.
      env: { ...process.env, NODE_NO_WARNINGS: "1", AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // What a process that was killed had sent before still arrives, which is right: it did happen.
    this.#process.on("message", (message) => listener(message as Incoming));
    // Writing to one that has just died is not news; its exit is.
    this.#process.on("error", () => {});
    this.#exited = once(this.#process, "exit").then(([exitCode, signal]: unknown[]) => {
      this.#isGone = true;
      return typeof signal === "string" ? signal : `exit code ${String(exitCode)}`;
    });
    this.#exited.catch(() => {});
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** How it ended, with the last that it said on stderr. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  /** Resolves with the signal or the exit code when it has ended. */
  get exited(): Promise<string> {
    return this.#exited;
  }

  send(message: Outgoing): void {
    if (!this.#isGone && this.#process.connected) this.#process.send(message, () => {});
  }

  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (!this.#isGone) this.#process.kill(signal);
  }

  /** Closes the channel: the process ends itself. */
  disconnect(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
