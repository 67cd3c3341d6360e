import type { Output } from "./output.js";
import type { Values } from "./values.js";

/** One option: what the parser needs to know of it, and its line in the help. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What its value is called in the help, such as `DURATION`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface Example {
  readonly about: string;
  readonly line: string;
}

/** A command with all that there is to say of it, for shells and the manual. */
export interface DescribedCommand extends Pick<Command, "usage" | "about" | "examples"> {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly (readonly [string, OptionSpec])[];
}

/** What a command is given: its options, its arguments, and what followed `--` (undefined where there was none). */
export interface Input {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly rest: readonly string[] | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the library's messages are wanted. */
  readonly isDebugging: boolean;
  /** Describes all commands, for those that are about commands. */
  describeAll(): Promise<readonly DescribedCommand[]>;
}

/**
 * A command of the CLI. Its module must be cheap to load, since `--help` loads it: the library comes with a lazy `import()`
 * in `run`.
 */
export interface Command {
  /** What follows `s3-mutex` in the usage lines. */
  readonly usage: readonly string[];
  /** A few sentences; line breaks are kept. */
  readonly about: string;
  readonly options: OptionSpecs;
  readonly examples: readonly Example[];
  /** Resolves with the exit code. */
  run(input: Input, output: Output): Promise<number>;
}
