import { EventEmitter } from "node:events";
import type { Input, OptionSpecs } from "../../src/cli/base/command.js";
import { createOutput, type Output } from "../../src/cli/base/output.js";
import { parseInput } from "../../src/cli/base/parse.js";
import { describedCommands } from "../../src/cli/described-commands.js";
import { NAME_OPTIONS } from "../../src/cli/store/store-options.js";

/** Makes an output that keeps what a command writes, without a process around it: to a terminal of some size, or to pipes. */
export function startOutput(size?: { readonly columns: number; readonly rows: number }, env: NodeJS.ProcessEnv = {}) {
  const said = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof said) => {
    const write = (text: string) => {
      said[name] += text;
    };
    return Object.assign(new EventEmitter(), { write, isTTY: size !== undefined, ...size });
  };
  const streams = { stdout: stream("stdout"), stderr: stream("stderr"), env } as unknown as NodeJS.Process;
  const output: Output = createOutput(streams);
  return { output, said };
}

const FLAG = { type: "boolean", help: "" } as const;

/** Makes the input that a command for locks is given. */
export function inputOf(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  options: OptionSpecs = { ...NAME_OPTIONS, json: FLAG, force: FLAG },
): Input {
  return {
    ...parseInput(args, options, environment),
    describeAll: describedCommands,
  };
}
