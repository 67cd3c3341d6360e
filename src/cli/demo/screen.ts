import type { Colour, Output } from "../base/output.js";
import type { Worker, WorkerState } from "./fleet.js";

/** What happens, line by line, and below it who does what just now: redrawn on a terminal, a line a second elsewhere. */
export interface Screen {
  /** Writes a line for good, with the time since the start. */
  event(text: string, colour?: Colour): void;
  /** Writes a line for good, as it is. */
  line(text?: string): void;
  /** Sets the workers whose state is shown from now on; undefined for none. */
  watch(workers: readonly Worker[] | undefined): void;
  /** Shows their state as it is now; to be called several times a second. */
  refresh(): void;
  close(): void;
}

const STATUS_LINE_MS = 1000;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const MIN_COLUMNS = 80;
const BAR_COLUMNS = 20;

const LOOKS: Readonly<Record<WorkerState, { readonly label: string; readonly colour: Colour }>> = {
  starting: { label: "  starting", colour: "dim" },
  waiting: { label: "· waits", colour: "dim" },
  holding: { label: "● holds", colour: "green" },
  working: { label: "● works", colour: "yellow" },
  idle: { label: "  done", colour: "dim" },
  killed: { label: "✗ killed", colour: "red" },
  frozen: { label: "■ frozen", colour: "cyan" },
  zombie: { label: "! zombie", colour: "yellow" },
};

export function createScreen(output: Output): Screen {
  const startedMs = performance.now();
  const canDraw = output.isTerminal && output.columns >= MIN_COLUMNS;
  return canDraw ? new LiveScreen(output, startedMs) : new PlainScreen(output, startedMs);
}

function timeOf(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
}

class PlainScreen implements Screen {
  readonly #output: Output;
  readonly #startedMs: number;
  #workers: readonly Worker[] = [];
  #lastStatusMs = 0;

  constructor(output: Output, startedMs: number) {
    this.#output = output;
    this.#startedMs = startedMs;
  }

  event(text: string, colour?: Colour): void {
    this.#output.line(`${timeOf(this.#startedMs)}  ${colour === undefined ? text : this.#output.paint(colour, text)}`);
  }

  line(text = ""): void {
    this.#output.line(text);
  }

  watch(workers: readonly Worker[] | undefined): void {
    this.#workers = workers ?? [];
    this.#lastStatusMs = performance.now();
  }

  refresh(): void {
    if (this.#workers.every((worker) => worker.state === "starting")) return;
    if (performance.now() - this.#lastStatusMs < STATUS_LINE_MS) return;
    this.#lastStatusMs = performance.now();
    this.event(statusOf(this.#workers), "dim");
  }

  close(): void {}
}

function statusOf(workers: readonly Worker[]): string {
  const updates = workers.reduce((sum, worker) => sum + worker.updates, 0);
  const working = workers.filter((worker) => worker.state === "working").length;
  if (working > 0) return `${working} work; ${updates} updates`;
  const waiting = workers.filter((worker) => worker.state === "waiting").length;
  const holder = workers.find((worker) => worker.state === "holding");
  const who = holder === undefined ? "no worker holds it" : `${holder.name} holds, token ${holder.token}`;
  return `${who}; ${waiting} wait; ${updates} updates`;
}

class LiveScreen implements Screen {
  readonly #output: Output;
  readonly #startedMs: number;
  #workers: readonly Worker[] = [];
  #drawnRows = 0;

  constructor(output: Output, startedMs: number) {
    this.#output = output;
    this.#startedMs = startedMs;
    output.write(HIDE_CURSOR);
  }

  event(text: string, colour?: Colour): void {
    this.line(`${this.#output.paint("dim", timeOf(this.#startedMs))}  ${this.#painted(text, colour)}`);
  }

  line(text = ""): void {
    this.#output.write(`${this.#erasure()}${text}\n`);
    this.#drawnRows = 0;
    this.#draw();
  }

  watch(workers: readonly Worker[] | undefined): void {
    this.#workers = workers ?? [];
    this.#draw();
  }

  refresh(): void {
    this.#draw();
  }

  close(): void {
    this.#workers = [];
    this.#draw();
    this.#output.write(SHOW_CURSOR);
  }

  #draw(): void {
    const rows = this.#rows();
    this.#output.write(this.#erasure() + rows.map((row) => `${row}\n`).join(""));
    this.#drawnRows = rows.length;
  }

  /** Gives the codes that go back to where the drawing began, and leave nothing below. */
  #erasure(): string {
    return this.#drawnRows === 0 ? "" : `\u001b[${this.#drawnRows}A\u001b[J`;
  }

  #rows(): readonly string[] {
    if (this.#workers.length === 0) return [];
    const most = Math.max(BAR_COLUMNS, ...this.#workers.map((worker) => worker.updates));
    return ["", ...this.#workers.map((worker) => this.#row(worker, most))];
  }

  #row(worker: Worker, most: number): string {
    const { label, colour } = LOOKS[worker.state];
    const showsToken = worker.token !== undefined && ["holding", "killed", "frozen", "zombie"].includes(worker.state);
    const token = (showsToken ? `token ${worker.token}` : "").padEnd(19);
    const bar = "▪".repeat(Math.ceil((worker.updates / most) * BAR_COLUMNS));
    const head = `${worker.name.padEnd(9)} ${label.padEnd(10)} ${token}`;
    return `         ${this.#painted(head, colour)}  ${bar} ${worker.updates || ""}`;
  }

  #painted(text: string, colour: Colour | undefined): string {
    return colour === undefined ? text : this.#output.paint(colour, text);
  }
}
