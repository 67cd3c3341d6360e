import { Socket } from "node:net";
import type { WriteStream } from "node:tty";
import { printable, printableJson } from "./text.js";

export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Where a command's words go: results to stdout, everything about how it goes to stderr. */
export interface Output {
  /** Whether stdout is a terminal that can be drawn on. */
  readonly isTerminal: boolean;
  /** Whether stderr is a terminal, so that a person may watch it. */
  readonly isWatched: boolean;
  /** Whether stdout is read by another program, which can go away. */
  readonly isPipe: boolean;
  /** Aborted when that program has gone away (`| head -1`), or when what is written does not arrive, as on a full disk. */
  readonly readerGone: AbortSignal;
  /** Columns of the terminal. */
  readonly columns: number;
  /** Its rows. */
  readonly rows: number;
  /** Writes a line of the result. */
  line(text?: string): void;
  /** Writes the result for programs: one line of JSON. */
  json(value: unknown): void;
  /** Writes a part of the result as it is, without a line break. */
  write(text: string): void;
  /** Writes a message to stderr, after the program's name; one line, whatever is in it. */
  note(message: string): void;
  /** Does the same for a message whose line breaks are meant. */
  noteLines(message: string): void;
  /** Shows a line on stderr that the next one replaces, and an empty one removes; nothing where stderr is not watched. */
  status(text: string): void;
  /** Colours a text where stdout shows colours. */
  paint(colour: Colour, text: string): string;
}

/** What a write to a reader that has gone away fails with: of a pipe, a terminal, a socket. */
const GONE: ReadonlySet<string> = new Set(["EPIPE", "EIO", "ECONNRESET"]);

export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && GONE.has(code);
}

export function createOutput({ stdout, stderr, env }: NodeJS.Process): Output {
  // A reader that went away (`| head`) must not end a CLI that is holding a lock for a running command.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  const readerGone = new AbortController();
  stdout.on("error", () => readerGone.abort());
  const isTerminal = isDrawable(stdout, env);
  const isColoured = showsColours(stdout, env);
  return {
    isTerminal,
    isWatched: stderr.isTTY === true,
    isPipe: stdout instanceof Socket && !stdout.isTTY,
    readerGone: readerGone.signal,
    get columns() {
      return stdout.columns ?? 80;
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    line: (text = "") => void stdout.write(`${text}\n`),
    json: (value) => void stdout.write(`${printableJson(value)}\n`),
    write: (text) => void stdout.write(text),
    note: (message) => void stderr.write(`s3-mutex: ${printable(message)}\n`),
    noteLines: (message) => void stderr.write(`s3-mutex: ${message.split("\n").map(printable).join("\n")}\n`),
    status(text) {
      if (stderr.isTTY === true) stderr.write(`\r${printable(text).slice(0, (stderr.columns ?? 80) - 1)}\u001b[K`);
    },
    paint(colour, text) {
      const [open, close] = CODES[colour];
      return isColoured ? `\u001b[${open}m${text}\u001b[${close}m` : text;
    },
  };
}

function isDrawable(stream: WriteStream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Says whether a stream shows colours, by the conventions: https://no-color.org, and FORCE_COLOR for where there is no terminal. */
function showsColours(stream: WriteStream, env: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR, FORCE_COLOR } = env as { readonly NO_COLOR?: string; readonly FORCE_COLOR?: string };
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
  return isDrawable(stream, env);
}
