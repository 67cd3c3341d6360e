import type { LockReport, LocksView } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { problemText } from "../base/own-words.js";
import { ageText, counted, fitted, printable } from "../base/text.js";
import type { LocksAddress } from "../store/address.js";
import { mainHolder, whoAndWhere } from "./describe.js";
import { lockTable, summaryOf } from "./lock-table.js";
import { type Selection, selected } from "./selection.js";
import { withMutex } from "./with-mutex.js";

export interface WatchSettings {
  readonly intervalMs: number;
  readonly selection: Selection;
}

/** Something that shows one view after the other. */
interface Screen {
  show(view: LocksView): void;
  close(): void;
}

/** Runs `s3-mutex watch`. */
export function watchCommand(
  input: Input,
  address: LocksAddress,
  { intervalMs, selection }: WatchSettings,
  output: Output,
): Promise<number> {
  const isJson = input.values.flag("json");
  const title = printable(`s3://${address.bucketName}/${address.keyPrefix}${address.namePrefix}`);
  return withMutex(
    input,
    address,
    output,
    async (mutex, interrupt) => {
      const createScreen = () =>
        output.isTerminal && !isJson ? new LiveTable(title, selection, output) : new Log(selection, isJson, output);
      const signal = AbortSignal.any([interrupt, output.readerGone]);
      output.status("reading all locks for the first time ...");
      await showAll(mutex.watch({ prefix: address.namePrefix, intervalMs, signal }), createScreen, output);
      return EXIT.ok;
    },
    // Each view says what is wrong with it; the library would say the same beside that.
    { exitCodeWhenInterrupted: EXIT.ok, options: input.isDebugging ? {} : { logger: { warn() {} } } },
  );
}

/** Shows the views on a screen that is made with the first of them: a store that refuses must not clear the terminal. */
async function showAll(views: AsyncIterable<LocksView>, createScreen: () => Screen, output: Output): Promise<void> {
  let screen: Screen | undefined;
  try {
    for await (const view of views) {
      output.status("");
      screen ??= createScreen();
      screen.show(view);
    }
  } finally {
    screen?.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** The alternate screen, so that what stood there before is there again afterwards; and no cursor. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const ERASE_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";

class LiveTable implements Screen {
  readonly #title: string;
  readonly #selection: Selection;
  readonly #output: Output;
  readonly #leave = () => this.#output.write(LEAVE);

  constructor(title: string, selection: Selection, output: Output) {
    this.#title = title;
    this.#selection = selection;
    this.#output = output;
    output.write(ENTER);
    // However the process ends, the terminal is as it was.
    process.once("exit", this.#leave);
  }

  show(view: LocksView): void {
    const { rows, columns } = this.#output;
    const body = this.#body(view);
    const footer = this.#footer(view, Math.max(0, body.length - (rows - 4)));
    const lines = [this.#header(view), "", ...body.slice(0, Math.max(1, rows - 4)), "", fitted(footer, columns)];
    const text = lines.slice(0, rows).map((line) => `${line}${ERASE_LINE}`);
    this.#output.write(`${HOME}${text.join("\r\n")}${ERASE_BELOW}`);
  }

  close(): void {
    process.off("exit", this.#leave);
    this.#leave();
  }

  #header({ locks, error }: LocksView): string {
    const { paint, columns } = this.#output;
    const time = new Date().toTimeString().slice(0, 8);
    const problem = error === undefined ? undefined : fitted(`${error.code}: ${problemText(error)}`, columns - 10);
    if (problem !== undefined) return `${time}  ${paint("red", problem)}`;
    return fitted(`${time}  ${this.#title}  ${summaryOf(locks)}`, columns);
  }

  #body({ locks }: LocksView): string[] {
    const reports = selected(locks, this.#selection);
    return reports.length === 0 ? ["(none)"] : lockTable(reports, this.#output);
  }

  #footer({ requests, tookMs }: LocksView, hidden: number): string {
    const more = hidden > 0 ? `${counted(hidden, "line")} more; ` : "";
    return `${more}the last poll took ${ageText(tookMs)}; ${requests.list} LIST, ${requests.get} GET so far; Ctrl-C ends`;
  }
}

/** At least once in so many polls a reader that hears nothing is tried. */
const QUIET_LOOKS_MAX = 32;

/** A line for each lock at first, then for each that changes. */
class Log implements Screen {
  readonly #selection: Selection;
  readonly #isJson: boolean;
  readonly #output: Output;
  /** What was shown last of each lock. */
  readonly #shown = new Map<string, string>();
  #failure: string | undefined;
  #linesTold = 0;
  /** Looks since there was something to tell, and how many of them make the next try. */
  #quietLooks = 0;
  #nextTry: number;

  constructor(selection: Selection, isJson: boolean, output: Output) {
    this.#selection = selection;
    this.#isJson = isJson;
    this.#output = output;
    this.#nextTry = isJson ? 1 : Number.POSITIVE_INFINITY;
  }

  show({ locks, removed, error }: LocksView): void {
    this.#tellFailure(error && problemText(error));
    const before = this.#linesTold;
    this.#tellChanges(locks, removed);
    if (this.#linesTold > before) {
      this.#quietLooks = 0;
      this.#nextTry = 1;
    } else {
      this.#tryReader();
    }
  }

  close(): void {}

  #tellChanges(locks: LocksView["locks"], removed: LocksView["removed"]): void {
    const wanted = new Set(selected(locks, this.#selection));
    for (const report of locks) {
      const text = wanted.has(report) ? sentenceOf(report) : undefined;
      const before = this.#shown.get(report.lockName);
      // Renewals and the passing of time are not news.
      if (text === before) continue;
      if (text === undefined) this.#shown.delete(report.lockName);
      else this.#shown.set(report.lockName, text);
      this.#tell(report, report.lockName, text ?? sentenceOf(report));
    }
    for (const lockName of removed) {
      if (!this.#shown.delete(lockName)) continue;
      this.#tell({ lockName, state: "gone", reportedAt: Date.now() }, lockName, "gone");
    }
  }

  /**
   * Writes what means nothing, as only a write finds out that its reader has gone. In JSON a space between two values is nothing, and is
   * written again and again; lines for people have an empty one between what comes at one time and what comes at another.
   */
  #tryReader(): void {
    if (!this.#output.isPipe) return;
    this.#quietLooks += 1;
    if (this.#quietLooks < this.#nextTry) return;
    this.#quietLooks = 0;
    this.#nextTry = this.#isJson ? Math.min(2 * this.#nextTry, QUIET_LOOKS_MAX) : Number.POSITIVE_INFINITY;
    this.#output.write(this.#isJson ? " " : "\n");
  }

  #tell(value: unknown, lockName: string, text: string): void {
    this.#linesTold += 1;
    if (this.#isJson) this.#output.json(value);
    else this.#output.line(`${new Date().toISOString()}  ${printable(lockName)}  ${text}`);
  }

  #tellFailure(message: string | undefined): void {
    if (message === this.#failure) return;
    this.#output.note(message === undefined ? "the store answers again." : message);
    this.#failure = message;
  }
}

function sentenceOf(report: LockReport): string {
  const { state, problem, waiters } = report;
  if (problem !== undefined) return `unreadable: ${problemText(problem)}`;
  const holder = mainHolder(report);
  const others = report.holders.length > 1 ? ` and ${report.holders.length - 1} more` : "";
  const by = holder === undefined ? "" : ` by ${whoAndWhere(holder)}${others}, token ${holder.fencingToken}`;
  const waiting = waiters.length === 0 ? "" : `, ${waiters.length} waiting`;
  return `${state}${by}${waiting}`;
}
