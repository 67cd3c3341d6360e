import { createInterface } from "node:readline";
import type { Output } from "../base/output.js";
import { UsageError } from "../base/usage-error.js";

/** Asks on a terminal; without one, --yes must have been said on the command line. */
export async function confirm(question: string, output: Output, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true || !output.isWatched) {
    throw new UsageError("There is no terminal to ask on: --yes says that you are sure.");
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.question(`${question} [y/N] `, (text) => {
        lines.removeAllListeners("close");
        resolve(text);
      });
      // On a terminal Ctrl-C is a key: what it asks for is the signal. So is Ctrl-\, of which readline knows nothing.
      lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
      process.stdin.on("keypress", quitByKey);
      // Ctrl-D is a no.
      lines.once("close", () => {
        process.stderr.write("\n");
        resolve("");
      });
      signal.addEventListener("abort", () => lines.close(), { once: true });
    });
    if (signal.aborted) throw new Error("The question was interrupted.");
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    process.stdin.off("keypress", quitByKey);
    lines.close();
  }
}

function quitByKey(_text: string, { sequence }: { readonly sequence?: string }): void {
  if (sequence === CTRL_BACKSLASH) process.kill(process.pid, "SIGQUIT");
}

const CTRL_BACKSLASH = "\u001c";
