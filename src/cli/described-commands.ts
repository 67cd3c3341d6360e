import type { DescribedCommand } from "./command.js";
import { COMMANDS } from "./commands.js";
import { COMMON_OPTIONS } from "./parse.js";

/** All commands with what their help says, in its order. */
export function describedCommands(): Promise<readonly DescribedCommand[]> {
  return Promise.all(
    COMMANDS.map(async ({ name, summary, load }) => {
      const { usage, about, examples, options } = await load();
      return { name, summary, usage, about, examples, options: Object.entries({ ...options, ...COMMON_OPTIONS }) };
    }),
  );
}
