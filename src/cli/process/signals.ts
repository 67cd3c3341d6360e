import { constants } from "node:os";
import { exitCodeOfSignal } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { onNpmGone } from "./parent.js";

/** Those that ask for an end. A terminal sends them to a whole group, so that is who gets them. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** Messages to one program: they would end others that do not expect them. */
const INFORMING = ["SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;
/** Ctrl-Z would stop the renewals and not the command, which is in another group: it does nothing. */
const IGNORED = ["SIGTSTP"] as const;

/** One press of Ctrl-C under npx comes twice, from the terminal and from npm. A user that asks again takes longer than that. */
const ECHO_MS = 250;

export interface SignalReceiver {
  /** `isEnding`: the sender wants this to be over. */
  receive(signal: NodeJS.Signals, isEnding: boolean): void;
}

/** Where the end of npm counts as SIGTERM, and is told of. */
export interface UnderNpm {
  readonly environment: NodeJS.ProcessEnv;
  readonly output: Output;
}

/**
 * Catches the signals that are passed on; returns how to let go of them again. With `underNpm`, the end of the npm that this
 * runs under counts as SIGTERM, unless there was a signal before it.
 */
export function catchSignals(receiver: SignalReceiver, underNpm?: UnderNpm): () => void {
  let last: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  const ending = (signal: NodeJS.Signals) => {
    const atMs = performance.now();
    if (last?.signal === signal && atMs - last.atMs < ECHO_MS) return;
    last = { signal, atMs };
    receiver.receive(signal, true);
  };
  const informing = (signal: NodeJS.Signals) => receiver.receive(signal, false);
  const nothing = () => {};
  const handlers = [
    ...ENDING.map((signal) => [signal, ending] as const),
    ...INFORMING.map((signal) => [signal, informing] as const),
    ...IGNORED.map((signal) => [signal, nothing] as const),
  ].filter(([signal]) => signal in constants.signals);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const stopWatching =
    underNpm &&
    onNpmGone(underNpm.environment, () => {
      if (last !== undefined) return;
      underNpm.output.note("npm, under which this runs, has ended: that is taken for SIGTERM.");
      ending("SIGTERM");
    });
  return () => {
    stopWatching?.();
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

export function exitCodeOf(signal: NodeJS.Signals): number {
  return exitCodeOfSignal(constants.signals[signal]);
}
