import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { locksOf, NAME_OPTIONS } from "../store/store-options.js";

export const graph: Command = {
  usage: ["graph [options] [s3://BUCKET/PREFIX/NA]", "graph [options] [NA]"],
  about: `
Shows who waits for whom: each lock with waiters, who holds it, and who waits. What is in a cycle,
or behind one, is marked. All locks of the store are read, since a cycle may lead through any; those whose
names start with NA are shown.

Exit codes: ${EXIT.ok} there is no cycle; ${EXIT.failed} there is one; ${EXIT.store} the store is the problem; ${EXIT.usage} usage.`,
  options: {
    json: { type: "boolean", help: "One line of JSON" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "Who waits for whom?", line: "s3-mutex graph s3://my-bucket/locks/" },
    {
      about: "An alert, with S3_MUTEX_STORE set",
      line: "s3-mutex graph > graph.txt || mail -s deadlock ops < graph.txt",
    },
  ],
  async run(input, output) {
    const address = locksOf(input);
    const { graphCommand } = await import("../graph/show.js");
    return graphCommand(input, address, output);
  },
};
