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
  /** Receives a signal. `isEnding`: the sender wants this to be over. */
  receive(signal: NodeJS.Signals, isEnding: boolean): void;
}

let isAskedToEnd = false;

/** Tells of each signal that asks this program to end; returns how to let go of them again. */
export function onEnding(receive: (signal: NodeJS.Signals) => void): () => void {
  return listen(ENDING, (signal) => {
    isAskedToEnd = true;
    receive(signal);
  });
}

/** Resolves with the first of them. A second one ends the process, as if the first had not been caught. */
export function askedToEnd(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const letGo = onEnding((signal) => {
      letGo();
      resolve(signal);
    });
  });
}

/**
 * Takes the end of the npm that this runs under for SIGTERM, for every command alike: no other process passes that on. Where there was a
 * signal before it, that one is enough.
 */
export function endWithNpm(environment: NodeJS.ProcessEnv, output: Output): void {
  onNpmGone(environment, () => {
    if (isAskedToEnd) return;
    output.note("npm, under which this runs, has ended: that is taken for SIGTERM.");
    process.kill(process.pid, "SIGTERM");
  });
}

/** Catches the signals that are passed on; returns how to let go of them again. */
export function catchSignals(receiver: SignalReceiver): () => void {
  let last: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  const letGo = [
    onEnding((signal) => {
      const atMs = performance.now();
      if (last?.signal === signal && atMs - last.atMs < ECHO_MS) return;
      last = { signal, atMs };
      receiver.receive(signal, true);
    }),
    listen(INFORMING, (signal) => receiver.receive(signal, false)),
    listen(IGNORED, () => {}),
  ];
  return () => {
    for (const each of letGo) each();
  };
}

/** Handles those of the signals that there are on this system; the function returned ends that. */
function listen(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void {
  const known = signals.filter((signal) => signal in constants.signals);
  for (const signal of known) process.on(signal, handler);
  return () => {
    for (const signal of known) process.off(signal, handler);
  };
}

export function exitCodeOf(signal: NodeJS.Signals): number {
  return exitCodeOfSignal(constants.signals[signal]);
}
