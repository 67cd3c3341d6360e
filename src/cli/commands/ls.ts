import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { SELECTION_OPTIONS, selectionOf } from "../inspect/selection.js";
import { locksOf, NAME_OPTIONS } from "../store/store-options.js";

export const ls: Command = {
  usage: ["ls [options] [s3://BUCKET/PREFIX/NA]", "ls [options] [NA]"],
  about: `
Lists the locks whose names start with NA, or all: who holds them, where, for how long by now (AGE),
what is left of the lease (LEFT; negative when it has ended), how many wait, and the fencing token.
A free lock has the token of its last holder.

Costs a LIST for each thousand locks and a GET for each. Exit codes: ${EXIT.ok}, also when there are none;
${EXIT.store} the store is the problem; ${EXIT.usage} usage.`,
  options: {
    ...SELECTION_OPTIONS,
    json: { type: "boolean", help: "One line of JSON for each lock" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "All locks of a store", line: "s3-mutex ls s3://my-bucket/locks/" },
    { about: "With S3_MUTEX_STORE set: who waits most for what", line: "s3-mutex ls --held --sort waiters" },
    { about: "What one machine holds", line: "s3-mutex ls --held --filter web-1" },
    {
      about: "Names of all that are held by leases that have ended",
      line: `s3-mutex ls --json | jq -r 'select(.state == "expired").lockName'`,
    },
  ],
  async run(input, output) {
    const address = locksOf(input);
    const selection = selectionOf(input.values);
    const { listCommand } = await import("../inspect/list.js");
    return listCommand(input, address, selection, output);
  },
};
