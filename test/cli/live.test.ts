import { expect, onTestFinished, test, vi } from "vitest";
import type { Worker } from "../../src/cli/demo/fleet.js";
import { createScreen } from "../../src/cli/demo/screen.js";
import { listCommand } from "../../src/cli/inspect/list.js";
import { watchCommand } from "../../src/cli/inspect/watch.js";
import { parseLocks } from "../../src/cli/store/address.js";
import { freeRecord, heldRecord } from "../api/fixture.js";
import { BUCKET, STORE, startStore, until } from "./cli.js";
import { inputOf, startOutput } from "./terminal.js";

const ALL = { sort: "name", isHeldOnly: false, filter: undefined } as const;
const SIZE = { columns: 70, rows: 8 };

async function startLocks() {
  const { server } = await startStore();
  const put = (name: string, body: unknown) =>
    server.putObject(BUCKET, `locks/${name}.json`, typeof body === "string" ? body : JSON.stringify(body));
  const nowMs = Date.now();
  put(
    "held-by-a-worker-with-a-long-name-and-a-longer-reason",
    heldRecord({ acquiredAtMs: nowMs - 1000, expiresAtMs: nowMs + 60_000 }),
  );
  put("old", heldRecord({ acquiredAtMs: nowMs - 9_000_000, expiresAtMs: nowMs - 600_000, owner: "dead" }));
  put("broken", "no record");
  const args = ["--endpoint-url", server.endpoint];
  const environment = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  // The SDK reads these from the process.
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { server, put, args, nowMs };
}

/** What Ctrl-C does to the command that listens for it. */
const interrupt = () => void process.listeners("SIGINT").at(-1)?.("SIGINT");

/** Starts `watch` in this process; it is ended with the test. */
function startWatch(args: readonly string[], size?: typeof SIZE) {
  const { output, said } = startOutput(size, size === undefined ? {} : { TERM: "xterm" });
  const watching = watchCommand(
    inputOf(args),
    parseLocks(STORE, undefined),
    { intervalMs: 50, selection: ALL },
    output,
  );
  let isOver = false;
  const ended = watching.finally(() => {
    isOver = true;
  });
  onTestFinished(() => {
    if (!isOver) interrupt();
  });
  return { said, ended };
}

test("ls on a terminal cuts names to fit, colours what has ended, and sums up", { timeout: 60_000 }, async () => {
  const { args } = await startLocks();
  const { output, said } = startOutput(SIZE, { TERM: "xterm" });
  expect(await listCommand(inputOf(args), parseLocks(STORE, undefined), { ...ALL, isHeldOnly: true }, output)).toBe(0);
  expect(said.stdout).toMatch(/\nheld-[^ ]*… +/);
  expect(said.stdout).toContain("\u001b[33m");
  expect(said.stderr).toContain("3 locks: 1 held, 1 expired, 0 waiting, 1 unreadable (1 not shown).");
});

test("watch on a terminal draws one screen after the other, and leaves it as it was", { timeout: 60_000 }, async () => {
  const { args, put, nowMs, server } = await startLocks();
  const { said, ended } = startWatch(args, SIZE);
  await until(() => said.stdout.includes("3 locks: 1 held, 1 expired"));
  for (let count = 0; count < 6; count += 1) put(`more-${count}`, freeRecord(nowMs));
  await until(() => said.stdout.includes("9 locks"));
  await until(() => /\d lines more; the last poll took/.test(said.stdout));
  server.faults.add({ fault: "status", status: 403 });
  await until(() => said.stdout.includes("access-denied"));
  interrupt();
  expect(await ended).toBe(0);
  expect(said.stdout.startsWith("\u001b[?1049h")).toBe(true);
  expect(said.stdout.endsWith("\u001b[?1049l")).toBe(true);
});

test("watch into a file tells what changes: taken, unreadable, gone", { timeout: 60_000 }, async () => {
  const { args, put, nowMs, server } = await startLocks();
  const { said, ended } = startWatch(args);
  await until(() => said.stdout.includes("broken"));
  put("old", freeRecord(nowMs));
  await until(() => /old .*free/.test(said.stdout));
  put("old", "no record any more");
  await until(() => /old .*unreadable: /.test(said.stdout));
  server.deleteObject(BUCKET, "locks/old.json");
  await until(() => /old .*(gone|removed|deleted)/.test(said.stdout));
  interrupt();
  expect(await ended).toBe(0);
});

test("the demo's screen shows each worker on a terminal, and none when they are gone", () => {
  const { output, said } = startOutput({ columns: 100, rows: 30 }, { TERM: "xterm" });
  const screen = createScreen(output);
  const worker = (state: string, token?: number) =>
    ({ name: `worker ${state}`, state, token, updates: token === undefined ? 0 : 2 }) as unknown as Worker;
  screen.event("it begins", "bold");
  screen.watch([worker("holding", 41), worker("waiting"), worker("killed", 40)]);
  screen.refresh();
  screen.line("a line");
  screen.watch(undefined);
  screen.refresh();
  screen.close();
  expect(said.stdout).toContain("it begins");
  expect(said.stdout).toContain("token 41");
  expect(said.stdout.startsWith("\u001b[?25l")).toBe(true);
  expect(said.stdout.endsWith("\u001b[?25h")).toBe(true);
});
