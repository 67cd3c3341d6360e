import type { OptionSpec } from "../base/command.js";

/** Gives the first line of what an option does, without its default: shells have room for no more. */
export function shortHelp({ help }: OptionSpec): string {
  return (help.split("\n")[0] ?? "").replace(/\s*\(default:.*$/, "");
}
