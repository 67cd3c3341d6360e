import type { DescribedCommand } from "../base/command.js";
import { shortHelp } from "./short-help.js";

/** Writes the script for a file _s3-mutex in a folder of $fpath, or `eval "$(s3-mutex completion zsh)"` after compinit. */
export function zshCompletion(commands: readonly DescribedCommand[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`);
  const cases = commands.map(({ name, options }) => {
    const lines = options.flatMap(([long, spec]) =>
      [`--${long}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])].map(
        (option) => `        ${quoted(`${option}:${escaped(shortHelp(spec))}`)}`,
      ),
    );
    return `    ${name})\n      options=(\n${lines.join("\n")}\n      )\n      ;;`;
  });
  return `#compdef s3-mutex
_s3_mutex() {
  local -a commands options names
  local i
  commands=(
${names.join("\n")}
    'help:Show the help of a command'
  )
  # What follows two dashes is a command line of its own.
  for ((i = 3; i < CURRENT; i++)); do
    if [[ $words[i] == -- ]]; then
      shift $i words
      ((CURRENT -= i))
      _normal
      return
    fi
  done
  if ((CURRENT == 2)) || [[ $words[2] == help && $CURRENT == 3 ]]; then
    _describe -t commands command commands
    return
  fi
  case $words[2] in
${cases.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o -t options option options
  else
    names=(\${(f)"$($words[1] completion names -- \${(Q)words[2,CURRENT]} 2> /dev/null)"})
    if ((\${#names})); then
      compadd -a names
    else
      _files
    fi
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _s3_mutex "$@"
else
  compdef _s3_mutex s3-mutex
fi
`;
}

/** Escapes backslashes and colons: a colon ends the word that is described. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
