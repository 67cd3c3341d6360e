import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, expect, test, vi } from "vitest";
import { changedSince, processAsItIs } from "../scripts/process-as-it-is.js";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  process.exitCode = undefined;
  process.removeListener("SIGUSR2", listener);
});

const listener = () => {};

test.each<[string, () => unknown, readonly string[]]>([
  ["nothing", () => {}, []],
  ["an environment variable", () => vi.stubEnv("S3_MUTEX_LEFT", "yes"), ["process.env.S3_MUTEX_LEFT"]],
  ["a global", () => vi.stubGlobal("fetch", () => {}), ["fetch"]],
  ["fake timers", () => vi.useFakeTimers({ toFake: ["setTimeout", "Date"] }), ["setTimeout", "Date", "Date.now"]],
  ["a spy", () => vi.spyOn(process, "kill").mockReturnValue(true), ["process.kill"]],
  ["a listener", () => process.on("SIGUSR2", listener), ["listeners of SIGUSR2"]],
  ["an exit code", () => Object.assign(process, { exitCode: 3 }), ["process.exitCode"]],
  [
    "a prototype",
    () => vi.spyOn(AsyncLocalStorage.prototype, "enterWith").mockReturnValue(undefined),
    ["AsyncLocalStorage.prototype.enterWith"],
  ],
])("what a test file leaves behind is found: %s", (_, leave, expected) => {
  const before = processAsItIs();
  leave();
  expect(changedSince(before)).toEqual(expected);
});
