import type { Command, OptionSpec, OptionSpecs } from "./command.js";
import { COMMANDS } from "./commands.js";
import type { Output } from "./output.js";
import { COMMON_OPTIONS } from "./parse.js";

const INDENT = "  ";

/** What `s3-mutex --help` says. */
export function showOverview({ line, paint }: Output): void {
  line(`${paint("bold", "s3-mutex")}: locks on any S3 bucket, from the command line.`);
  heading("Usage", { line, paint });
  line(`${INDENT}s3-mutex COMMAND [options]`);
  heading("Commands", { line, paint });
  table(
    COMMANDS.map(({ name, summary }) => [name, summary]),
    { line, paint },
  );
  heading("Options", { line, paint });
  table(
    [
      ["-h, --help", "Show this help; `s3-mutex help COMMAND` for that of a command"],
      ["--version", "Show the version"],
    ],
    { line, paint },
  );
  heading("Examples", { line, paint });
  line(`${INDENT}s3-mutex run s3://my-bucket/locks/nightly -- ./backup.sh`);
  line(`${INDENT}s3-mutex ls s3://my-bucket/locks/ --held`);
  line(`${INDENT}s3-mutex serve`);
  line(`${INDENT}s3-mutex demo`);
}

/** What `s3-mutex COMMAND --help` says. */
export function showCommandHelp(command: Command, { line, paint }: Output): void {
  for (const [index, usage] of command.usage.entries()) {
    line(`${index === 0 ? paint("bold", "Usage:") : "      "} s3-mutex ${usage}`);
  }
  line();
  line(command.about.trim());
  heading("Options", { line, paint });
  table(optionRows({ ...command.options, ...COMMON_OPTIONS }), { line, paint });
  heading("Examples", { line, paint });
  for (const [index, example] of command.examples.entries()) {
    if (index > 0) line();
    line(`${INDENT}${paint("dim", `# ${example.about}`)}`);
    line(`${INDENT}${example.line}`);
  }
}

type Lines = Pick<Output, "line" | "paint">;

function heading(text: string, { line, paint }: Lines): void {
  line();
  line(paint("bold", `${text}:`));
}

function optionRows(options: OptionSpecs): readonly (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => [optionLabel(name, spec), spec.help]);
}

function optionLabel(name: string, { short, value }: OptionSpec): string {
  const dashed = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return value === undefined ? dashed : `${dashed} ${value}`;
}

function table(rows: readonly (readonly [string, string])[], { line, paint }: Lines): void {
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, text] of rows) {
    const [first = "", ...others] = text.split("\n");
    line(`${INDENT}${paint("cyan", label.padEnd(width))}${INDENT}${first}`);
    for (const other of others) line(`${INDENT}${" ".repeat(width)}${INDENT}${other}`);
  }
}
