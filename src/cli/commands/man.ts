import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";

export const man: Command = {
  usage: ["man"],
  about: `
Prints the help of all commands as a manual page, in the format of man(7). Installed with npm -g, it is
there already: man s3-mutex.

Exit codes: ${EXIT.ok}; ${EXIT.usage} usage.`,
  options: {},
  examples: [{ about: "Read it", line: "s3-mutex man | man -l -" }],
  async run(input, output) {
    const { positionals } = input;
    if (positionals.length > 0) throw new UsageError(`man takes no arguments, and ${positionals[0]} is one.`);
    const { manualPage } = await import("../man/page.js");
    output.write(manualPage(await input.describeAll()));
    return EXIT.ok;
  },
};
