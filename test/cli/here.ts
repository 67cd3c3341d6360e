import { runCli } from "../../src/cli/command-line.js";
import { type Ended, type Environment, NEUTRAL } from "./cli.js";
import { startOutput } from "./terminal.js";

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line to its end in this process, into pipes: for what a process of its own adds nothing to, such as a text, a usage
 * error or what a command asks of a store. A process takes longer to start than most commands take. One after the other, since the
 * environment is the process's, and the SDK reads it there.
 */
export function cliHere(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  const ended = last.then(() => within({ ...NEUTRAL, ...environment }, () => run(args)));
  last = ended.catch(() => {});
  return ended;
}

async function run(args: readonly string[]): Promise<Ended> {
  const { output, said } = startOutput(undefined, process.env);
  const exitCode = await runCli(args, output);
  return { exitCode, signal: null, ...said };
}

/** Gives this process another environment meanwhile. In place: the library and the SDK hold on to the object. */
async function within<Result>(environment: NodeJS.ProcessEnv, act: () => Promise<Result>): Promise<Result> {
  const own = { ...process.env };
  replaceEnvironment(environment);
  try {
    return await act();
  } finally {
    replaceEnvironment(own);
  }
}

function replaceEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (environment[name] === undefined) delete process.env[name];
  Object.assign(process.env, environment);
}
