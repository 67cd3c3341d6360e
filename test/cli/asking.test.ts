import { PassThrough } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { deleteLockCommand } from "../../src/cli/change/delete.js";
import { releaseCommand } from "../../src/cli/change/release.js";
import { heldRecord } from "../api/fixture.js";
import { BUCKET, recordOf, startStore, until } from "./cli.js";
import { listenNoLongerThanTheirTest } from "./listeners.js";
import { inputOf, startOutput } from "./terminal.js";

const ADDRESS = { bucketName: BUCKET, keyPrefix: "locks/", lockName: "nightly" };
const TIMEOUT = { timeout: 60_000 };

async function startLocked() {
  const { server } = await startStore();
  const hold = (expiresAtMs: number, owner: string) =>
    server.putObject(
      BUCKET,
      "locks/nightly.json",
      JSON.stringify(heldRecord({ acquiredAtMs: Date.now() - 9000, expiresAtMs, owner })),
    );
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "test");
  onTestFinished(() => void vi.unstubAllEnvs());
  return { server, hold, input: inputOf(["--endpoint-url", server.endpoint]) };
}

/** Simulates a user at a terminal that reads the question and then types. */
function userTyping(answer: string, beforeTyping = () => {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const asked: string[] = [];
  vi.spyOn(process, "stdin", "get").mockReturnValue(stdin as unknown as typeof process.stdin);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => asked.push(String(text)) > 0);
  onTestFinished(() => void vi.restoreAllMocks());
  const typing = until(() => asked.join("").includes("[y/N]")).then(() => {
    beforeTyping();
    stdin.write(`${answer}\n`);
  });
  return { question: () => typing.then(() => asked.join("")) };
}

listenNoLongerThanTheirTest();

const SIZE = { columns: 80, rows: 24 };

test("release tells who holds the lock, and ends the hold that the user says yes to", TIMEOUT, async () => {
  const { server, hold, input } = await startLocked();
  hold(Date.now() - 5000, "web-1");
  const { question } = userTyping("y");
  const { output, said } = startOutput(SIZE);
  expect(await releaseCommand(input, ADDRESS, output)).toBe(0);
  expect(await question()).toMatch(/"nightly" is held by web-1.* with a lease that has ended\..*Release it\?/);
  expect(said.stdout).toMatch(/^Released\. The lock "nightly" was held by web-1/);
  expect(recordOf(server, "nightly")?.holders).toEqual([]);
});

test("release does nothing after a no", TIMEOUT, async () => {
  const { server, hold, input } = await startLocked();
  hold(Date.now() + 60_000, "web-1");
  userTyping("n");
  const { output, said } = startOutput(SIZE);
  expect(await releaseCommand(input, ADDRESS, output)).toBe(1);
  expect(said.stderr).toContain("s3-mutex: nothing was done.");
  expect(recordOf(server, "nightly")?.holders).toHaveLength(1);
});

test("release does nothing where the lock has gone while the user thought about it", TIMEOUT, async () => {
  const { server, hold, input } = await startLocked();
  hold(Date.now() + 60_000, "web-1");
  userTyping("yes", () => server.deleteObject(BUCKET, "locks/nightly.json"));
  const { output, said } = startOutput(SIZE);
  expect(await releaseCommand(input, ADDRESS, output)).toBe(1);
  expect(said.stderr).toContain("s3-mutex: it has changed hands meanwhile: nothing was done.");
});

test("delete does nothing after a no", TIMEOUT, async () => {
  const { server, hold } = await startLocked();
  hold(Date.now() + 60_000, "web-1");
  userTyping("");
  const { output, said } = startOutput(SIZE);
  const forced = inputOf(["--force", "--endpoint-url", server.endpoint]);
  expect(await deleteLockCommand(forced, ADDRESS, output)).toBe(1);
  expect(said.stderr).toContain("s3-mutex: nothing was done.");
  expect(recordOf(server, "nightly")?.holders).toHaveLength(1);
});

test.each([
  ["Ctrl-C", "\u0003", "SIGINT", 130],
  ["Ctrl-\\", "\u001c", "SIGQUIT", 131],
] as const)("D: %s at the question ends it, and does nothing", TIMEOUT, async (_key, text, signal, exitCode) => {
  const { server, hold, input } = await startLocked();
  hold(Date.now() + 60_000, "web-1");
  const kill = vi.spyOn(process, "kill");
  kill.mockImplementation(() => {
    process.emit(signal, signal);
    return true;
  });
  // Only a terminal makes a key of it.
  const before = Object.getOwnPropertyDescriptor(process.stderr, "isTTY");
  Object.defineProperty(process.stderr, "isTTY", { value: true, configurable: true });
  onTestFinished(() => {
    if (before === undefined) Reflect.deleteProperty(process.stderr, "isTTY");
    else Object.defineProperty(process.stderr, "isTTY", before);
  });
  userTyping(text);
  const { output } = startOutput(SIZE);
  expect(await releaseCommand(input, ADDRESS, output)).toBe(exitCode);
  expect(kill).toHaveBeenCalledWith(process.pid, signal);
  expect(recordOf(server, "nightly")?.holders).toHaveLength(1);
});
