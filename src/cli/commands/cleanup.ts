import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { LOOK_OPTIONS, storeAt } from "../store/store-options.js";

export const cleanup: Command = {
  usage: ["cleanup [options] [s3://BUCKET/PREFIX/]"],
  about: `
Frees the locks whose leases have ended, each by compare-and-swap: one that is taken meanwhile stays as it is.
This is not needed in order to get a lock, since waiters take over ended leases by themselves; it tidies up. With
--include-released it also removes the objects of locks that are free and were not written for 20 minutes,
where the store honours conditional deletes; in a bucket that keeps versions they stay, as tombstones that count
as absent. A lifecycle rule does the same for nothing.

Exit codes: ${EXIT.ok}; ${EXIT.store} the store is the problem, or some objects are not lock records; ${EXIT.usage} usage.`,
  options: {
    "older-than": {
      type: "string",
      value: "DURATION",
      help: "Only leases that were last renewed longer ago than this, such as 1h",
    },
    "include-released": { type: "boolean", help: "Also remove what is free and at rest" },
    "dry-run": { type: "boolean", help: "Only count" },
    json: { type: "boolean", help: "One line of JSON" },
    ...LOOK_OPTIONS,
  },
  examples: [
    { about: "What would it do?", line: "s3-mutex cleanup --dry-run s3://my-bucket/locks/" },
    {
      about: "With S3_MUTEX_STORE set: all that is left over",
      line: "s3-mutex cleanup --include-released --older-than 1h",
    },
  ],
  async run(input, output) {
    const { values } = input;
    const store = storeAt(input);
    const plan = {
      isDryRun: values.flag("dry-run"),
      includeReleased: values.flag("include-released"),
      olderThanMs: values.duration("older-than"),
    };
    const { cleanupCommand } = await import("../change/cleanup.js");
    return cleanupCommand(input, store, plan, output);
  },
};
