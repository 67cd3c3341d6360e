import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

const ONE_OF_THEM = `${SHELLS.slice(0, -1).join(", ")} or ${SHELLS.at(-1)}`;

export const completion: Command = {
  usage: ["completion bash|zsh|fish", "completion names -- WORDS"],
  about: `
Prints what makes a shell complete commands, options and names of locks, and the command line after two
dashes as any other.

Names are asked of the store that the command line names, or S3_MUTEX_STORE, when a key is pressed: one
LIST, for a second at most, and nothing is said where that fails. The shells do so by completion names,
which prints the names that the last of WORDS (a command line without its s3-mutex) may become.

Exit codes: ${EXIT.ok}; ${EXIT.usage} usage.`,
  options: {},
  examples: [
    { about: "In ~/.bashrc", line: `eval "$(s3-mutex completion bash)"` },
    { about: "In ~/.zshrc, after compinit", line: `eval "$(s3-mutex completion zsh)"` },
    { about: "For fish", line: "s3-mutex completion fish > ~/.config/fish/completions/s3-mutex.fish" },
  ],
  async run(input, output) {
    const { positionals } = input;
    const [name, extra] = positionals;
    if (name === "names" && extra === undefined) {
      const { namesFor } = await import("../completion/names.js");
      for (const found of await namesFor(input.rest ?? [], input)) output.line(found);
      return EXIT.ok;
    }
    const shell = SHELLS.find((one) => one === name);
    if (shell === undefined) {
      throw new UsageError(
        name === undefined
          ? `Which shell? Write ${ONE_OF_THEM}.`
          : `The shell ${JSON.stringify(name)} is not one that is known here: write ${ONE_OF_THEM}.`,
      );
    }
    if (extra !== undefined) throw new UsageError(`One shell at a time: ${extra} is one too many.`);
    const commands = await input.describeAll();
    const [{ bashCompletion }, { zshCompletion }, { fishCompletion }] = await Promise.all([
      import("../completion/bash.js"),
      import("../completion/zsh.js"),
      import("../completion/fish.js"),
    ]);
    output.write({ bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](commands));
    return EXIT.ok;
  },
};
