import { S3MutexError } from "../../errors.js";
import { printable } from "../../printable.js";

/**
 * Where messages go; any of the four may be missing. `console`, pino, bunyan, winston and their like fit: a message is called with its
 * text and `{ err, ... }`, the other way round where the logger takes its fields first (pino, bunyan). The text says it all, the error's
 * code included; `err` is there for the stack and the cause.
 */
export interface Logger {
  debug?(message: string, ...details: unknown[]): void;
  info?(message: string, ...details: unknown[]): void;
  warn?(message: string, ...details: unknown[]): void;
  error?(message: string, ...details: unknown[]): void;
}

/** What belongs to a message besides its text. */
export interface LogFields {
  readonly err?: unknown;
  readonly [name: string]: unknown;
}

/** How the library says something. Never throws, and no rejection of the logger's comes of it. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** Makes a log of this logger. That it throws or rejects must not keep a lock from being renewed, released or handed out. */
export function logTo(logger: Logger): Log {
  const say =
    (level: "debug" | "warn" | "error") =>
    (text: string, fields: LogFields = {}) => {
      const whole = printable(`s3-mutex: ${text}${"err" in fields ? `: ${described(fields.err)}` : ""}`);
      try {
        const [first, ...rest] = takesFieldsFirst(logger) ? [fields, whole] : [whole, ...withoutNone(fields)];
        const answer: unknown = logger[level]?.(first as string, ...rest);
        // Unheard, the rejection of a method that is asynchronous would end the process.
        Promise.resolve(answer).catch(() => {});
      } catch {
        // The program cannot be told any more.
      }
    };
  return { debug: say("debug"), warn: say("warn"), error: say("error") };
}

/** Says whether a logger takes fields first: pino's have `bindings`, bunyan's `addSerializers`; winston's and others have neither. */
function takesFieldsFirst(logger: Logger): boolean {
  const { bindings, addSerializers, child } = logger as Record<string, unknown>;
  return typeof child === "function" && [bindings, addSerializers].some((method) => typeof method === "function");
}

function withoutNone(fields: LogFields): readonly LogFields[] {
  return Object.keys(fields).length === 0 ? [] : [fields];
}

/** Gives the message of an error and what a program would tell it by: `The lock "x" is not held any more: … (lost, expired)`. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return safeText(error);
  const { code } = error as { readonly code?: unknown };
  const reason = S3MutexError.is(error) ? error.reason : undefined;
  const words = [code, reason].filter((word) => typeof word === "string" && word !== "");
  return words.length === 0 ? error.message : `${error.message} (${words.join(", ")})`;
}

/** Makes a text of what a listener threw, which may be anything. */
function safeText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
