import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { SELECTION_OPTIONS, selectionOf } from "../inspect/selection.js";
import { locksOf, NAME_OPTIONS } from "../store/store-options.js";

/** More often than this, polls would follow upon each other at once on a slow store. */
const MIN_INTERVAL_MS = 250;

export const watch: Command = {
  usage: ["watch [options] [s3://BUCKET/PREFIX/NA]", "watch [options] [NA]"],
  about: `
Shows the locks whose names start with NA, or all, and keeps polling: a live table on a terminal, elsewhere
a line for each change. A poll costs a LIST for each thousand locks and a GET for each that has changed.
A store that does not answer is said so and asked again.

Ctrl-C ends it. Exit codes: ${EXIT.ok} it was ended; ${EXIT.store} the store refused the first poll; ${EXIT.usage} usage.`,
  options: {
    interval: { type: "string", value: "DURATION", help: "From one poll to the next (default: 2s)" },
    ...SELECTION_OPTIONS,
    json: { type: "boolean", help: "One line of JSON for each change" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "Everything, every two seconds", line: "s3-mutex watch s3://my-bucket/locks/" },
    { about: "With S3_MUTEX_STORE set: the longest queues first", line: "s3-mutex watch --held --sort waiters" },
    { about: "A log of one team's locks", line: "s3-mutex watch --interval 10s team/ >> locks.log" },
  ],
  async run(input, output) {
    const { values } = input;
    const address = locksOf(input);
    const settings = {
      intervalMs: values.duration("interval", { min: MIN_INTERVAL_MS }) ?? 2000,
      selection: selectionOf(values),
    };
    const { watchCommand } = await import("../inspect/watch.js");
    return watchCommand(input, address, settings, output);
  },
};
