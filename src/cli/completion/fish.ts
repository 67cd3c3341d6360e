import type { DescribedCommand } from "../base/command.js";
import { shortHelp } from "./short-help.js";

/** Writes the script for a file s3-mutex.fish in ~/.config/fish/completions. */
export function fishCompletion(commands: readonly DescribedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c s3-mutex -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...options.map(([long, spec]) => {
      const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
      const value = spec.type === "boolean" ? "" : " -r";
      const where = quoted(`__fish_seen_subcommand_from ${name}; and not contains -- -- (commandline -opc)`);
      return `complete -c s3-mutex -n ${where} -l ${long}${short}${value} -d ${quoted(shortHelp(spec))}`;
    }),
  ]);
  const names = commands.map(({ name }) => name).join(" ");
  return `# fish completion for s3-mutex
function __fish_s3_mutex_names
  set -l words (commandline -opc) (commandline -ct)
  $words[1] completion names -- $words[2..] 2> /dev/null
end
# What follows two dashes is a command line of its own.
function __fish_s3_mutex_after_dashes
  set -l words (commandline -opc)
  set -l line
  for word in $words[(math (contains -i -- -- $words) + 1)..]
    set -a line (string escape -- $word)
  end
  set -a line (commandline -ct)
  complete -C "$line"
end
complete -c s3-mutex -f -n 'contains -- -- (commandline -opc)[3..]' -a '(__fish_s3_mutex_after_dashes)'
complete -c s3-mutex -n 'not __fish_use_subcommand; and not contains -- -- (commandline -opc)' -a '(__fish_s3_mutex_names)'
${lines.join("\n")}
complete -c s3-mutex -f -n __fish_use_subcommand -a help -d 'Show the help of a command'
complete -c s3-mutex -f -n '__fish_seen_subcommand_from help' -a '${names}'
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
