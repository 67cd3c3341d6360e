import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { wrapped } from "../base/text.js";
import { CommandError, UsageError } from "../base/usage-error.js";
import type { Outcome } from "../demo/show.js";
import { exitCodeOf, onEnding } from "../process/signals.js";

const DEFAULT_SECONDS = 10;
/** What the two takeovers, the start and the part without the lock take, more or less; the rest is for three quiet stretches. */
const FIXED_SECONDS = 6.5;
const MIN_SECONDS = 7;
const MIN_UPDATES = 8;
const DEFAULT_WORKERS = 5;
/** However slow the machine is. */
const EXTRA_SECONDS = 80;

export const demo: Command = {
  usage: ["demo [--seconds N] [--workers N]"],
  about: `
Several processes update one ledger that only tolerates one writer. One of them is killed while it
holds the lock; one is frozen for longer than its lease, and then writes as a zombie. Then the same
without the lock. It ends with the counts, and with exit code 1 if an update was lost with the lock.
Everything runs on this machine, and nothing is left behind.`,
  options: {
    seconds: {
      type: "string",
      value: "N",
      help: `About how long, at least ${MIN_SECONDS} (default: ${DEFAULT_SECONDS})`,
    },
    workers: { type: "string", value: "N", help: `How many processes, 3 to 12 (default: ${DEFAULT_WORKERS})` },
  },
  examples: [{ about: "See it", line: "s3-mutex demo" }],
  async run({ values, positionals }, output) {
    if (positionals.length > 0) throw new UsageError(`demo takes no arguments, and ${positionals[0]} is one.`);
    if (process.platform === "win32") throw new CommandError("The demo freezes processes, which Windows cannot do.");
    const seconds = values.wholeNumber("seconds", { min: MIN_SECONDS, max: 3600 }) ?? DEFAULT_SECONDS;
    const workers = values.wholeNumber("workers", { min: 3, max: 12 }) ?? DEFAULT_WORKERS;
    const pace = { updates: MIN_UPDATES, ms: ((seconds - FIXED_SECONDS) * 1000) / 3 };
    const limitMs = (seconds + EXTRA_SECONDS) * 1000;
    const interrupt = interruption();
    const { play } = await import("../demo/show.js");
    try {
      const signal = AbortSignal.any([interrupt.signal, output.readerGone]);
      const outcome = await play({ workers, pace, limitMs, signal }, output);
      return conclude(outcome, output);
    } catch (error) {
      if (interrupt.exitCode !== undefined) return interrupt.exitCode;
      if (output.readerGone.aborted) return EXIT.ok;
      throw error;
    }
  },
};

function interruption(): { readonly signal: AbortSignal; readonly exitCode: number | undefined } {
  const controller = new AbortController();
  let exitCode: number | undefined;
  onEnding((signal) => {
    exitCode ??= exitCodeOf(signal);
    controller.abort();
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}

function conclude({ withLock, withoutLock, refused }: Outcome, output: Output): number {
  const { paint } = output;
  const row = (label: string, one: string, other: string) => {
    output.line(`  ${label.padEnd(26)}${one.padStart(15)}${other.padStart(15)}`);
  };
  output.line();
  output.line(paint("bold", `  ${"".padEnd(26)}${"with the lock".padStart(15)}${"without it".padStart(15)}`));
  row("updates", `${withLock.updates}`, `${withoutLock.updates}`);
  row("updates lost", `${withLock.lost}`, `${withoutLock.lost}`);
  row("zombie writes refused", `${refused}`, "-");
  output.line();
  if (withLock.lost > 0) throw new CommandError(`${withLock.lost} updates were lost although there was a lock.`);
  if (refused === 0) throw new CommandError("No zombie was refused: the demo did not show what it should.");
  const ending =
    "Nothing was lost with the lock: it kept them apart, and where a lock alone cannot, the fencing token stopped the worker that did not know that its time was over.";
  for (const line of wrapped(ending, Math.min(output.columns, 80) - 2)) output.line(paint("green", `  ${line}`));
  return EXIT.ok;
}
