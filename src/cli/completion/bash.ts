import type { DescribedCommand } from "../base/command.js";

/** Writes the script for `eval "$(s3-mutex completion bash)"` in ~/.bashrc. */
export function bashCompletion(commands: readonly DescribedCommand[]): string {
  const cases = commands.map(({ name, options }) => {
    const words = options.flatMap(([long, { short }]) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]);
    return `    ${name}) words="${words.join(" ")}" ;;`;
  });
  return `# bash completion for s3-mutex
_s3_mutex_names() {
  local line=\${COMP_LINE:0:COMP_POINT} name
  local -a typed
  read -ra typed <<< "$line"
  # For bash a colon ends a word: what stands before the last one is there already.
  local word=\${line##*[[:space:]]}
  local before=\${word%"\${word##*:}"}
  [[ -n $word ]] || typed+=("")
  while IFS= read -r name; do
    COMPREPLY+=("$(printf %q "\${name#"$before"}")")
  done < <("\${typed[0]}" completion names -- "\${typed[@]:1}" 2> /dev/null)
}
# Without the package bash-completion, s3-mutex still completes what is run under it, if that is s3-mutex.
_s3_mutex_within() {
  local COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT COMP_CWORD=$((COMP_CWORD - $1)) after=\${COMP_LINE#*[[:space:]]--[[:space:]]}
  local -a COMP_WORDS=("\${COMP_WORDS[@]:$1}")
  ((COMP_POINT -= \${#COMP_LINE} - \${#after}))
  COMP_LINE=$after
  _s3_mutex
}
_s3_mutex() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words="" i
  COMPREPLY=()
  # What follows two dashes is a command line of its own.
  for ((i = 2; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset > /dev/null; then
        _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then
        COMPREPLY=($(compgen -c -- "$cur"))
      elif [[ \${COMP_WORDS[i + 1]##*/} == s3-mutex ]]; then
        _s3_mutex_within $((i + 1))
      fi
      return
    fi
  done
  if ((COMP_CWORD == 1)) || [[ \${COMP_WORDS[1]} == help && $COMP_CWORD == 2 ]]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} help" -- "$cur"))
    return
  fi
  if [[ $cur != -* ]]; then
    _s3_mutex_names
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _s3_mutex s3-mutex
`;
}
