import { closeSync, openSync, readSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { printable } from "../base/text.js";

/**
 * Says what was not found of a command that the system did not find. It says the same of a script whose interpreter is missing, and of a
 * program whose loader is: there, the file can be seen to exist.
 */
export function wordsOfMissing(command: string, path: string): string {
  const file = fileOf(command, path);
  if (file === undefined) return `there is no such command${hintOf(command)}`;
  const [, interpreter = ""] = /^#![ \t]*([^ \t\n]+)/.exec(beginningOf(file)) ?? [];
  if (interpreter === "" || isFile(interpreter)) return "the file is there, and what it needs to run is not";
  const named = `its first line names ${printable(interpreter.replace(/\r$/, ""))}`;
  return interpreter.endsWith("\r")
    ? `${named} and a CR: end its lines in LF, not in CR LF`
    : `${named}, which is not there`;
}

/** Finds the file as the system does: a name without a slash in the folders of PATH, the first that has it. */
function fileOf(command: string, path: string): string | undefined {
  const candidates = command.includes("/") ? [command] : path.split(delimiter).map((folder) => join(folder, command));
  return candidates.find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Reads as much as the system looks at; nothing where the file may be executed and not read. */
function beginningOf(file: string): string {
  const bytes = Buffer.alloc(256);
  try {
    const descriptor = openSync(file, "r");
    try {
      return bytes.toString("utf8", 0, readSync(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}

function hintOf(command: string): string {
  const isForShell = /[\s;|&<>$]/.test(command) || BUILT_IN.has(command);
  return isForShell ? "; what is meant for a shell is written sh -c '...'" : "";
}

/** Of shells: they are not programs. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "cd",
  "source",
  ".",
  "export",
  "set",
  "unset",
  "ulimit",
  "umask",
  "alias",
  "eval",
  "exec",
]);
