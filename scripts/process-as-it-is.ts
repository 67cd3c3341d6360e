import { AsyncLocalStorage } from "node:async_hooks";

const TIMERS = ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"];
const CLASSES = ["Date", "Promise", "AbortController", "AbortSignal", "WeakRef", "FinalizationRegistry", "Response"];
const GLOBALS = [
  ...TIMERS,
  ...CLASSES,
  "queueMicrotask",
  "fetch",
  "performance",
  "process",
  "console",
  "crypto",
  "navigator",
];
const PROCESS = ["exit", "kill", "emit", "emitWarning", "nextTick", "hrtime", "exitCode", "platform", "version", "pid"];
const STREAM = ["write", "isTTY", "columns", "rows"];

/** Notes what tests replace or add to now and then, by what it is called. */
export function processAsItIs(): ReadonlyMap<string, unknown> {
  const { env, argv, stdout, stderr } = process;
  return new Map<string, unknown>([
    ...valuesIn("", globalThis, GLOBALS),
    ...valuesIn("process.", process, PROCESS),
    ...valuesIn("process.stdout.", stdout, STREAM),
    ...valuesIn("process.stderr.", stderr, STREAM),
    ...valuesIn("process.env.", env, Object.keys(env)),
    ...valuesIn("console.", console, Object.keys(console)),
    ...valuesIn("Math.", Math, ["random"]),
    ...valuesIn("Date.", Date, ["now"]),
    ...valuesIn("performance.", performance, ["now", "timeOrigin"]),
    ...valuesIn("AbortSignal.", AbortSignal, ["any", "timeout"]),
    ...valuesIn("Promise.prototype.", Promise.prototype, ["then", "catch", "finally"]),
    ...valuesIn("AsyncLocalStorage.prototype.", AsyncLocalStorage.prototype, ["enterWith", "run", "getStore", "exit"]),
    // A library that cleans up at the end of the process keeps listening for that, which changes nothing before.
    ...process
      .eventNames()
      .filter((event) => event !== "exit")
      .map((event) => [`listeners of ${String(event)}`, process.listenerCount(event)] as const),
    ["process.argv", argv.join(" ")],
    ["the working directory", process.cwd()],
  ]);
}

/** Names what is another one now, or has come or gone. */
export function changedSince(before: ReadonlyMap<string, unknown>): readonly string[] {
  const now = processAsItIs();
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => !Object.is(before.get(name), now.get(name)));
}

function valuesIn(prefix: string, target: object, names: readonly string[]): (readonly [string, unknown])[] {
  return names.map((name) => [`${prefix}${name}`, (target as Readonly<Record<string, unknown>>)[name]]);
}
