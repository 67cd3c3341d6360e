import { readFileSync } from "node:fs";
import { closestTo } from "../arguments/closest.js";
import type { Command, OptionSpecs } from "./base/command.js";
import { EXIT } from "./base/exit-codes.js";
import type { Output } from "./base/output.js";
import { isDebuggingBy, parseInput } from "./base/parse.js";
import { UsageError } from "./base/usage-error.js";
import { COMMANDS } from "./commands.js";
import { describedCommands } from "./described-commands.js";
import { showCommandHelp, showOverview } from "./help.js";
import { chooseProfile } from "./store/choose-profile.js";

const HELP_FLAGS: ReadonlySet<string | undefined> = new Set(["--help", "-h"]);

const VERSION_FLAGS: ReadonlySet<string> = new Set(["--version", "-v", "-V", "version"]);

/**
 * Runs a command line, and resolves with its exit code. Nothing is loaded before it is needed: `--help` must not wait for the SDK. What
 * only a process has is left to `main.ts`: its streams, its parent and its end.
 */
export async function runCli(argv: readonly string[], output: Output): Promise<number> {
  const [name, ...args] = argv;
  let commandName: string | undefined;
  let options: OptionSpecs | undefined;
  try {
    if (name === undefined || HELP_FLAGS.has(name) || (name === "help" && args.length === 0)) {
      showOverview(output);
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    if (VERSION_FLAGS.has(name)) {
      output.line(version());
      return EXIT.ok;
    }
    if (name.startsWith("-")) throw new UsageError(`There is no option ${name} before the command.`);
    const wanted = name === "help" ? args[0] : name;
    const command = await commandOf(wanted);
    commandName = wanted;
    options = command.options;
    if (name === "help" || asksForHelp(args)) {
      showCommandHelp(command, output);
      return EXIT.ok;
    }
    // As it was: what is set for the SDK does not concern a command that is run.
    const parsed = parseInput(args, command.options, { ...process.env });
    const input = { ...parsed, describeAll: describedCommands };
    chooseProfile(input.values);
    return await command.run(input, output);
  } catch (error) {
    const { reportFailure } = await import("./failure.js");
    return reportFailure(error, output, {
      commandName,
      options,
      given: ownArguments(args),
      isDebugging: isDebugging(args),
    });
  }
}

async function commandOf(name: string | undefined): Promise<Command> {
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry.load();
  const closest = closestTo(
    name ?? "",
    COMMANDS.map((candidate) => candidate.name),
  );
  const hint = closest === undefined ? "." : `; did you mean ${closest}?`;
  throw new UsageError(`There is no command ${JSON.stringify(name)}${hint}`);
}

/** Says whether help is asked for, before anything else is checked: a user that asks for it may have got the rest wrong. */
function asksForHelp(args: readonly string[]): boolean {
  return ownArguments(args).some((argument) => HELP_FLAGS.has(argument));
}

function isDebugging(args: readonly string[]): boolean {
  return ownArguments(args).includes("--debug") || isDebuggingBy(process.env);
}

/** Picks the arguments before `--`: what follows belongs to the command that is run. */
function ownArguments(args: readonly string[]): readonly string[] {
  const separator = args.indexOf("--");
  return separator === -1 ? args : args.slice(0, separator);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}
