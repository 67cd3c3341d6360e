// npm run chaos -- --seconds 60            real processes, killed and frozen for real, over the embedded server
// npm run chaos -- --seconds 60 --seed 7   the same schedule again, as far as processes can be made to repeat it
// docs/chaos.md has the rest
import { type ChaosSettings, parseChaosArguments } from "./arguments.js";
import { jsonOf, lastLine, tableOf } from "./conductor/report.js";
import { Run } from "./conductor/run.js";

// The SDK announces the end of its support for Node 20 in every process that makes a client.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
/** What shells report for a program that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const settings = settingsOrExit();
const interruption = new AbortController();
const print = (line: string) => (settings.json ? console.error(line) : console.log(line));
for (const [signal, code] of Object.entries(EXIT_CODES)) {
  process.on(signal, () => {
    process.exitCode ??= code;
    interruption.abort(new Error(`interrupted by ${signal}`));
  });
}
// Between npm and us stands the program that runs TypeScript: when that is killed, no reader is left.
const starter = process.ppid;
if (process.env["npm_lifecycle_event"] !== undefined) {
  setInterval(() => {
    if (process.ppid !== starter) interruption.abort(new Error("the process that started this is gone"));
  }, 1000).unref();
}

try {
  const outcome = await new Run(settings, interruption.signal, print).run();
  if (outcome.failures.length > 0) for (const line of outcome.logTail) print(line);
  print(`\n${tableOf(outcome)}\n`);
  for (const failure of outcome.failures) print(`FAILED  ${failure}`);
  if (settings.json) console.log(jsonOf(outcome, settings.seed));
  print(lastLine(outcome));
  process.exit(outcome.failures.length === 0 ? 0 : 1);
} catch (error) {
  const isInterrupted = interruption.signal.aborted;
  print(`chaos: ${isInterrupted ? (error as Error).message : `failed, seed ${settings.seed}: ${textOf(error)}`}`);
  process.exit(isInterrupted ? (process.exitCode ?? 1) : 1);
}

function settingsOrExit(): ChaosSettings {
  try {
    return parseChaosArguments(process.argv.slice(2), process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
