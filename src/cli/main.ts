#!/usr/bin/env node
// First of all: it remembers who this program was started by.
import "./process/parent.js";
import { EXIT } from "./base/exit-codes.js";
import { createOutput, isReaderGone } from "./base/output.js";
import { runCli } from "./command-line.js";
import { endWithNpm } from "./process/signals.js";

/** Silences the SDK where it announces which Node it will drop next: of no use to the user of a command. Other warnings stay. */
function silenceSdkNotice(): void {
  const emitWarning = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes("NodeVersionSupportWarning")) emitWarning(warning, ...rest);
  };
}

silenceSdkNotice();
const output = createOutput(process);
endWithNpm(process.env, output);
let unwritten: Error | undefined;
process.stdout.on("error", (error) => {
  // A reader that closes a pipe (`| head -1`) has what it wanted.
  if (!isReaderGone(error)) unwritten ??= error;
});
void runCli(process.argv.slice(2), output).then((exitCode) => {
  // What was written is out first; then nothing that is still open, such as a pooled connection, holds up the exit.
  process.stdout.write("", () => setImmediate(end, exitCode));
});

/** Ends the process. A write that failed is heard of only after its turn, so this comes in a later one. */
function end(exitCode: number): void {
  const isLost = unwritten !== undefined && exitCode === EXIT.ok;
  if (isLost) output.note(`what was to be written could not be: ${unwritten?.message}.`);
  process.stderr.write("", () => process.exit(isLost ? EXIT.failed : exitCode));
}
