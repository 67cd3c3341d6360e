import { parseArgs } from "node:util";
import { closestTo } from "../../arguments/closest.js";
import type { Input, OptionSpecs } from "./command.js";
import { UsageError } from "./usage-error.js";
import { Values } from "./values.js";

/** What every command understands. */
export const COMMON_OPTIONS: OptionSpecs = {
  help: { type: "boolean", short: "h", help: "Show this help" },
  debug: { type: "boolean", help: "Show stack traces and the library's messages (or S3_MUTEX_DEBUG=1)" },
};

/** Reads a command's part of the command line. Everything after the first `--` is left as it is. */
export function parseInput(
  argv: readonly string[],
  options: OptionSpecs,
  environment: NodeJS.ProcessEnv,
): Omit<Input, "describeAll"> {
  const separator = argv.indexOf("--");
  const own = separator === -1 ? argv : argv.slice(0, separator);
  const specs = { ...options, ...COMMON_OPTIONS };
  const config = Object.fromEntries(
    Object.entries(specs).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...own], options: config, allowPositionals: true });
    const rest = separator === -1 ? undefined : argv.slice(separator + 1);
    const isDebugging = values["debug"] === true || isDebuggingBy(environment);
    return { values: new Values(values), positionals, rest, environment, isDebugging };
  } catch (error) {
    throw new UsageError(explain(error, specs), { cause: error });
  }
}

export function isDebuggingBy(environment: NodeJS.ProcessEnv): boolean {
  const value = environment["S3_MUTEX_DEBUG"];
  return value !== undefined && value !== "" && value !== "0";
}

/** What other tools have, and a lock must not. */
const REFUSED: Readonly<Record<string, string>> = {
  "no-verify-ssl":
    "a machine that can pose as the store can give one lock to two. Say which certificates to know it by: --ca-bundle FILE, AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS.",
};

/** What other tools call it: flock, consul lock, the AWS CLI. */
const SYNONYMS: Readonly<Record<string, string>> = {
  timeout: "wait",
  nonblock: "no-wait",
  nb: "no-wait",
  n: "no-wait",
  try: "no-wait",
  "conflict-exit": "conflict-exit-code",
  ttl: "lease",
  "session-ttl": "lease",
  name: "label",
  silent: "quiet",
  verbose: "debug",
};

/** Explains what the parser refuses in one sentence: its own messages run over several. */
function explain(error: unknown, specs: OptionSpecs): string {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  const option = /'(?:-\w, )?(-[^\s'=]*)/.exec(message)?.[1] ?? "";
  const name = option.replace(/^-+/, "");
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    if (REFUSED[name] !== undefined) return `${option} is refused: ${REFUSED[name]}`;
    const known = SYNONYMS[name];
    const closest = known !== undefined && known in specs ? known : closestTo(name, Object.keys(specs));
    return `There is no option ${option}${closest === undefined ? "." : `; did you mean --${closest}?`}`;
  }
  if (code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") return message;
  const [long = name] = Object.keys(specs).filter((known) => `-${specs[known]?.short}` === option);
  if (specs[long]?.type === "boolean") return `${option} takes no value.`;
  const value = specs[long]?.value ?? "VALUE";
  // By the long one: of a short one, the sign would be part of the value.
  return `${option} needs a value; one that starts with a dash is written --${long}=${value}.`;
}
