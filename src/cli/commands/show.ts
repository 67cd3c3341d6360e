import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { NAME_OPTIONS, onlyLockOf } from "../store/store-options.js";

export const show: Command = {
  usage: ["show [options] s3://BUCKET/PREFIX/NAME", "show [options] NAME"],
  about: `
Shows one lock: who holds it, who waits in which order, and how the last turns ended.

Exit codes: ${EXIT.ok}; ${EXIT.failed} there is no such lock; ${EXIT.store} the store is the problem, or the object is not a lock
record; ${EXIT.usage} usage.`,
  options: {
    json: { type: "boolean", help: "One line of JSON; null when there is no such lock" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "Who has it, and since when?", line: "s3-mutex show s3://my-bucket/locks/nightly" },
    { about: "The same for a program", line: "s3-mutex show --json nightly | jq '.holders[].host'" },
  ],
  async run(input, output) {
    const address = onlyLockOf(input);
    const { showCommand } = await import("../inspect/show.js");
    return showCommand(input, address, output);
  },
};
