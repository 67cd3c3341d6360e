import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Hunt, Question, Ready, Survey, Verdict } from "./messages.js";

/** How it looks from outside when a mutant hangs or ends the process. */
const GONE: Verdict = { fate: "endless", isSpent: true };

/** One process in which mutants are hunted, one after the other. */
export class HunterProcess {
  readonly #process: ChildProcess;
  readonly #patienceMs: number;
  readonly #said: (Answer | Ready)[] = [];
  #isGone = false;
  #wake = () => {};
  /** To load the suite takes a time of its own, which does not count for a mutant. */
  readonly #isReady: Promise<boolean>;

  constructor(suite: string, patienceMs: number) {
    const script = fileURLToPath(new URL("hunter.ts", import.meta.url));
    this.#process = fork(script, [suite], { execArgv: ["--import", "tsx"] });
    this.#process.on("message", (message: Answer | Ready) => {
      this.#said.push(message);
      this.#wake();
    });
    this.#process.once("exit", () => {
      this.#isGone = true;
      this.#wake();
    });
    this.#patienceMs = patienceMs;
    this.#isReady = this.#next().then((said) => said === "ready");
  }

  async survey(): Promise<Survey> {
    await this.#ask({ kind: "survey" });
    const answer = await this.#next();
    if (typeof answer !== "object" || answer.kind !== "survey") throw new Error("the specs could not be run");
    return answer.survey;
  }

  async hunt(hunt: Hunt): Promise<Verdict> {
    if (hunt.plan.length === 0) return { fate: "survived", isSpent: false };
    await this.#ask(hunt);
    let limitMs = this.#patienceMs;
    for (;;) {
      const answer = await this.#next(limitMs);
      if (typeof answer !== "object") return GONE;
      if (answer.kind === "verdict") return answer.verdict;
      if (answer.kind === "progress") limitMs = answer.limitMs + this.#patienceMs;
    }
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }

  async #ask(question: Question): Promise<void> {
    if (!(await this.#isReady)) throw new Error("the specs cannot be loaded");
    this.#process.send(question, () => {});
  }

  /** Waits for what the process says next; gives `undefined` where it says nothing in time, or has ended. */
  async #next(limitMs?: number): Promise<Answer | Ready | undefined> {
    if (this.#said.length === 0 && !this.#isGone) {
      await new Promise<void>((resolve) => {
        const timer = limitMs === undefined ? undefined : setTimeout(resolve, limitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#said.shift();
  }
}
