import type { DescribedCommand, OptionSpec } from "../base/command.js";

/** What exit codes mean for all commands; each says which it has. */
const EXIT_CODES: readonly (readonly [string, string])[] = [
  ["0", "Done."],
  ["1", "Something without a code of its own: see the command."],
  ["2", "Usage: the command line or the configuration cannot be right."],
  ["69", "The store: unreachable, access denied, no such bucket, unsafe for locks."],
  ["70", "A bug in s3-mutex."],
  ["75", "Another process has the lock (-E replaces it), or a deadlock."],
  ["79", "The lock was lost, or was about to be, while the command ran."],
  ["126, 127", "The command cannot be executed; there is no such command."],
  ["128+n", "Ended by signal n: the command, or s3-mutex while it waited."],
];

/** Writes the help of all commands as a page for `man`, in its macros. */
export function manualPage(commands: readonly DescribedCommand[]): string {
  return [
    '.TH S3-MUTEX 1 "" "s3-mutex" "User Commands"',
    ".SH NAME",
    text("s3-mutex - locks on any S3 bucket, from the command line"),
    ".SH SYNOPSIS",
    ...commands.flatMap(({ usage }) => usage.flatMap((line) => [`.B s3\\-mutex ${escaped(line)}`, ".br"])),
    ".SH COMMANDS",
    ...commands.flatMap(({ name, summary }) => [".TP", `.B ${escaped(name)}`, text(`${summary}.`)]),
    ...commands.flatMap(sectionOf),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(([code, meaning]) => [".TP", `.B ${escaped(code)}`, text(meaning)]),
    "",
  ].join("\n");
}

function sectionOf({ name, about, options, examples }: DescribedCommand): readonly string[] {
  return [
    `.SH ${escaped(name.toUpperCase())}`,
    ...about.trim().split("\n\n").flatMap(paragraph),
    ".SS Options",
    ...options.flatMap(([long, spec]) => [".TP", labelOf(long, spec), text(spec.help)]),
    ".SS Examples",
    ...examples.flatMap(({ about: what, line }) => [".PP", text(what), ".PP", ".nf", indented(line), ".fi"]),
  ];
}

/** Lists are kept as they are written. */
function paragraph(words: string): readonly string[] {
  if (!/^ /m.test(words)) return [".PP", text(words)];
  return [".PP", ".nf", ...words.split("\n").map(text), ".fi"];
}

function labelOf(long: string, { short, value }: OptionSpec): string {
  const dashed = short === undefined ? `\\-\\-${escaped(long)}` : `\\-${short}, \\-\\-${escaped(long)}`;
  return value === undefined ? `.B ${dashed}` : `.BI "${dashed} " "${escaped(value)}"`;
}

function indented(lines: string): string {
  return lines
    .split("\n")
    .map((line) => text(`  ${line.trimStart()}`))
    .join("\n");
}

/** Writes lines as text: one that begins with a dot or a quote would be a macro. */
function text(words: string): string {
  return words
    .split("\n")
    .map((line) => escaped(line).replace(/^(?=[.'])/, "\\&"))
    .join("\n");
}

function escaped(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
