import type { Command, OptionSpec, OptionSpecs } from "./base/command.js";
import type { Output } from "./base/output.js";
import { COMMON_OPTIONS } from "./base/parse.js";
import { wrapped } from "./base/text.js";
import { COMMANDS } from "./commands.js";

const INDENT = "  ";

/** Shows what `s3-mutex --help` says. */
export function showOverview(output: Output): void {
  const { line, paint } = output;
  line(`${paint("bold", "s3-mutex")}: locks on any S3 bucket, from the command line.`);
  heading("Usage", output);
  line(`${INDENT}s3-mutex COMMAND [options]`);
  heading("Commands", output);
  table(
    COMMANDS.map(({ name, summary }) => [name, summary]),
    output,
  );
  heading("Options", output);
  table(
    [
      ["-h, --help", "Show this help; `s3-mutex help COMMAND` for that of a command"],
      ["--version", "Show the version"],
    ],
    output,
  );
  heading("Examples", output);
  line(`${INDENT}s3-mutex run s3://my-bucket/locks/nightly -- ./backup.sh`);
  line(`${INDENT}s3-mutex ls s3://my-bucket/locks/ --held`);
  line(`${INDENT}s3-mutex serve`);
  line(`${INDENT}s3-mutex demo`);
}

/** Shows what `s3-mutex COMMAND --help` says. */
export function showCommandHelp(command: Command, output: Output): void {
  const { line, paint } = output;
  for (const [index, usage] of command.usage.entries()) {
    line(`${index === 0 ? paint("bold", "Usage:") : "      "} s3-mutex ${usage}`);
  }
  line();
  for (const one of fittedParagraphs(command.about.trim(), output)) line(one);
  heading("Options", output);
  table(optionRows({ ...command.options, ...COMMON_OPTIONS }), output);
  heading("Examples", output);
  for (const [index, example] of command.examples.entries()) {
    if (index > 0) line();
    line(`${INDENT}${paint("dim", `# ${example.about}`)}`);
    line(`${INDENT}${example.line}`);
  }
}

/** Gives paragraphs as they are written, or broken anew where the terminal is narrower than they are; lists stay as they are. */
function fittedParagraphs(text: string, { isTerminal, columns }: Lines): readonly string[] {
  const lines = text.split("\n");
  if (!isTerminal || lines.every((line) => line.length <= columns)) return lines;
  return text.split("\n\n").flatMap((paragraph, index) => {
    const body = /^ /m.test(paragraph) ? paragraph.split("\n") : wrapped(paragraph, columns);
    return index === 0 ? body : ["", ...body];
  });
}

type Lines = Pick<Output, "line" | "paint" | "isTerminal" | "columns">;

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

/** Below this, what an option does stands under it. */
const NARROWEST_TEXT = 30;

function table(rows: readonly (readonly [string, string])[], { line, paint, isTerminal, columns }: Lines): void {
  const width = Math.max(...rows.map(([label]) => label.length));
  const room = isTerminal ? columns - width - 2 * INDENT.length : Number.POSITIVE_INFINITY;
  if (room < NARROWEST_TEXT) {
    for (const [label, text] of rows) {
      line(`${INDENT}${paint("cyan", label)}`);
      for (const one of wrapped(text, columns - 3 * INDENT.length)) line(`${INDENT.repeat(3)}${one}`);
    }
    return;
  }
  for (const [label, text] of rows) {
    const [first = "", ...others] = text.split("\n").flatMap((one) => wrapped(one, room));
    line(`${INDENT}${paint("cyan", label.padEnd(width))}${INDENT}${first}`);
    for (const other of others) line(`${INDENT}${" ".repeat(width)}${INDENT}${other}`);
  }
}
