import type { DescribedCommand } from "./base/command.js";
import { COMMON_OPTIONS } from "./base/parse.js";
import { COMMANDS } from "./commands.js";

/** Describes all commands by what their help says, in its order. */
export function describedCommands(): Promise<readonly DescribedCommand[]> {
  return Promise.all(
    COMMANDS.map(async ({ name, summary, load }) => {
      const { usage, about, examples, options } = await load();
      return { name, summary, usage, about, examples, options: Object.entries({ ...options, ...COMMON_OPTIONS }) };
    }),
  );
}
