import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { keyOfName } from "../../src/core/names.js";
import { mirrorOf } from "../../src/core/record.js";
import { freeRecord, heldRecord } from "../api/fixture.js";
import { BUCKET, type Cli, cli, MAIN, recordOf, startCli, startProgram, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";

const TIMEOUT = { timeout: 60_000 };

/** Starts a store with a lock of each kind. */
async function startFilledStore() {
  const store = await startStore();
  const { server } = store;
  const put = (name: string, body: unknown) =>
    server.putObject(BUCKET, `locks/${name}.json`, typeof body === "string" ? body : JSON.stringify(body));
  const nowMs = Date.now();
  put(
    "held",
    heldRecord({ acquiredAtMs: nowMs - 90_000, renewedAtMs: nowMs, expiresAtMs: nowMs + 60_000, owner: "web-1" }),
  );
  put("old", heldRecord({ acquiredAtMs: nowMs - 9_000_000, expiresAtMs: nowMs - 600_000, owner: "dead" }));
  put("team/free", freeRecord(nowMs - 1000));
  put("broken", "no record");
  return { ...store, put };
}

const firstColumn = (stdout: string) =>
  stdout
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(/ +/)[0]);

describe("ls", TIMEOUT, () => {
  test("shows every lock: its state, holder, age, what is left, token", async () => {
    const { environment } = await startFilledStore();
    const { exitCode, stdout, stderr } = await cli(["ls"], environment);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^LOCK +STATE +HOLDER +HOST +AGE +LEFT +WAIT +TOKEN\n/);
    expect(stdout).toMatch(/\nheld +held +web-1 +1m3\ds +(5\ds|1m00s) +\d+\n/);
    expect(stdout).toMatch(/\nold +expired +dead +2h20m +-10m\d\ds +\d+\n/);
    expect(stdout).toMatch(/\nteam\/free +free +\d+\n/);
    expect(stdout).toMatch(/\nbroken +unreadable +corrupt-record\n/);
  });

  test("takes an address, a beginning of names, a filter and an order", async () => {
    const { environment } = await startFilledStore();
    const shown = async (...args: string[]) => firstColumn((await cliHere(["ls", ...args], environment)).stdout);
    expect(await shown(`s3://${BUCKET}/locks/`)).toEqual(["broken", "held", "old", "team/free"]);
    expect(await shown(`s3://${BUCKET}/locks/te`)).toEqual(["team/free"]);
    expect(await shown(`s3://${BUCKET}`, "--held")).toEqual(["held", "old"]);
    expect(await shown("--held", "--sort", "age")).toEqual(["old", "held"]);
    expect(await shown("--held", "--sort", "left")).toEqual(["old", "held"]);
    expect(await shown("--filter", "WEB-")).toEqual(["held"]);
    expect(await shown("--filter", "expired")).toEqual(["old"]);
    expect(await shown("nothing")).toEqual([]);
    expect((await cliHere(["ls", "--sort", "size"], environment)).stderr).toContain("use name or age or left");
  });

  test("gives programs a line of JSON for each lock", async () => {
    const { environment } = await startFilledStore();
    const { stdout } = await cliHere(["ls", "--json"], environment);
    const reports = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(reports.map(({ lockName, state }) => `${lockName} ${state}`)).toEqual([
      "broken unreadable",
      "held held",
      "old expired",
      "team/free free",
    ]);
    expect(reports[0].problem.code).toBe("corrupt-record");
    expect(reports[1]).toMatchObject({ key: "locks/held.json", holders: [{ owner: "web-1" }], waiters: [] });
  });

  test("never lets a record draw on the terminal", async () => {
    const { environment, put } = await startFilledStore();
    const nowMs = Date.now();
    put("evil", heldRecord({ acquiredAtMs: nowMs, expiresAtMs: nowMs + 60_000, owner: "\u001b[2Jgone\r\u202eabc" }));
    const { stdout } = await cliHere(["ls"], environment);
    expect(stdout).toContain("\\x1b[2Jgone\\x0d\\u{202e}abc");
    expect(stdout).not.toContain("\u001b");
  });

  test("never lets what a store answers, or an error quotes, draw on the terminal", async () => {
    const { environment, server, put } = await startFilledStore();
    const marks = ["\u061c", "\u200b", "\ufeff", "\u00ad", "\u{e0041}", "\u009b", "\u202e"];
    const outputOf = async (args: readonly string[]) => {
      const { stdout, stderr } = await cliHere(args, environment);
      return stdout + stderr;
    };
    const encoded = keyOfName("", `x${marks.join("")}`) as { readonly key: string };
    const evil = heldRecord({ acquiredAtMs: 0, expiresAtMs: 1, owner: marks.join("") });
    put(encoded.key.replace(/\.json$/, ""), evil);
    const rule = server.faults.add({ fault: "status", status: 400, code: `Bad${marks.join("")}`, times: 1 });
    const shown = await Promise.all([
      outputOf(["ls", "--json"]),
      outputOf(["show", `x${marks.join("")}`, "--debug"]),
      outputOf(["show", `missing${marks.join("")}`]),
    ]);
    expect(rule.hits).toBe(1);
    const failing = server.faults.add({ fault: "status", status: 400, code: `Bad${marks.join("")}` });
    const failed = await outputOf(["show", "x", "--debug"]);
    expect(failing.hits).toBeGreaterThan(0);
    expect(failed).toContain("Bad\\u{61c}\\u{200b}");
    for (const text of [...shown, failed]) for (const mark of marks) expect(text).not.toContain(mark);
  });

  test("shows no NaN of a record whose times are beyond belief", async () => {
    const { environment, put } = await startFilledStore();
    const holder = (times: object) => ({ ...heldRecord({ acquiredAtMs: 0, expiresAtMs: 1 }).holders[0], ...times });
    const holders = [
      holder({ id: "a", acquiredAtMs: -1.7e308, expiresAtMs: 1.7e308, leaseMs: 1.7e308 }),
      holder({ id: "b", acquiredAtMs: 1.7e308, renewedAtMs: 1.7e308, expiresAtMs: -1.7e308, leaseMs: -1.7e308 }),
    ];
    const turn = { id: "c", owner: "c", token: 1, fromMs: -1.7e308, toMs: 1.7e308, ended: "released" };
    const waiter = {
      ...{ id: "d", owner: "d", mode: "exclusive", priority: 1.7e308, sinceMs: -1.7e308, expiresAtMs: 1.7e308 },
      ...{ roundTripMs: 1.7e308, holds: [] },
    };
    const times = { touchedAtMs: -1.7e308, createdAtMs: -1.7e308 };
    const record = { ...heldRecord({ acquiredAtMs: 0, expiresAtMs: 1 }), ...mirrorOf(holders as never), ...times };
    put("odd", { ...record, holders, queue: [waiter], recent: [turn] });
    for (const command of ["show", "ls", "graph"]) {
      const { stdout, stderr } = await cliHere(command === "show" ? [command, "odd"] : [command], environment);
      expect(stdout + stderr, command).not.toMatch(/NaN|Infinity|Invalid Date|unexpected error/);
    }
    expect((await cliHere(["show", "odd"], environment)).stdout).toMatch(/2 holders[\s\S]*100y\+/);
  });

  test.each([
    ["ls", "SIGINT", 130],
    ["graph", "SIGTERM", 143],
    ["watch", "SIGINT", 0],
  ] as const)("%s of a store that does not answer ends on %s", async (command, signal, expected) => {
    const { environment, server } = await startFilledStore();
    server.faults.add({ fault: "never-answer" });
    const looking = startCli([command], environment);
    await until(() => server.requests.total > 0);
    const startedAtMs = performance.now();
    looking.process.kill(signal);
    expect((await looking.ended).exitCode).toBe(expected);
    expect(performance.now() - startedAtMs).toBeLessThan(4900);
  });

  test("says what is the matter with the store, and which store", async () => {
    const { environment } = await startStore();
    const missing = await cliHere(["ls", "s3://no-such-bucket/locks/"], environment);
    expect(missing.exitCode).toBe(69);
    expect(missing.stderr).toContain("no-such-bucket");
    const none = await cliHere(["ls"], { ...environment, S3_MUTEX_STORE: "" });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Which store?") });
  });
});

describe("show", TIMEOUT, () => {
  test("shows holders, the queue with positions, and the last turns", async () => {
    const { environment, server, mutex } = await startStore();
    await (await mutex.acquire("nightly", { label: "before" })).release();
    const lock = await mutex.acquire("nightly", { label: "import" });
    const late = startCli(["run", "--label", "late", "nightly", "--", "true"], environment);
    await until(() => recordOf(server, "nightly")?.queue.length === 1);
    const urgent = startCli(["run", "--label", "urgent", "--priority", "5", "nightly", "--", "true"], environment);
    await until(() => recordOf(server, "nightly")?.queue.length === 2);
    const { exitCode, stdout } = await cli(["show", "nightly"], environment);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`nightly  held  s3://${BUCKET}/locks/nightly.json\nfencing token ${lock.fencingToken}`);
    expect(stdout).toMatch(new RegExp(`import +\\S+:${process.pid} .* exclusive, by handle +\\w{8}\n`));
    expect(stdout).toMatch(new RegExp(`\n +1 +urgent +\\S+:${urgent.pid} .*\n +2 +late +\\S+:${late.pid} `));
    expect(stdout).toMatch(/\n {2}before .* released\n/);
    await lock.release();
    await Promise.all([late.ended, urgent.ended]);
  });

  test("says when there is no such lock, and when the object is not a lock's", async () => {
    const { environment } = await startFilledStore();
    const none = await cliHere(["show", "nothing"], environment);
    expect(none).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining('no lock "nothing"') });
    expect(await cliHere(["show", "--json", "nothing"], environment)).toMatchObject({ exitCode: 1, stdout: "null\n" });
    const broken = await cliHere(["show", "broken"], environment);
    expect(broken).toMatchObject({ exitCode: 69, stdout: expect.stringContaining("is not a lock record") });
    const json = await cliHere(["show", "--json", `s3://${BUCKET}/locks/held`], environment);
    expect(JSON.parse(json.stdout)).toMatchObject({ lockName: "held", state: "held" });
    expect((await cliHere(["show"], environment)).exitCode).toBe(2);
  });
});

test(
  "C9: who looks for a semaphore by the name of a lock is told where it is, and the other way round",
  TIMEOUT,
  async () => {
    const { environment, mutex } = await startStore();
    const pool = mutex.semaphore("pool", { permits: 3 });
    await using _permit = await pool.acquire();
    await using _lock = await mutex.acquire("job");
    for (const args of [["show"], ["release", "--force", "--yes"], ["delete"]]) {
      const { exitCode, stderr } = await cliHere([...args, "pool"], environment);
      expect(exitCode).toBe(1);
      expect(stderr).toBe(
        `s3-mutex: there is no lock "pool", but a semaphore of that name: write s3://${BUCKET}/semaphores/locks/pool.\n`,
      );
    }
    const reversed = await cliHere(["show", `s3://${BUCKET}/semaphores/locks/job`], environment);
    expect(reversed.stderr).toBe(
      `s3-mutex: there is no semaphore "job", but a lock of that name: write s3://${BUCKET}/locks/job.\n`,
    );
    const neither = await cliHere(["show", `s3://${BUCKET}/semaphores/locks/none`], environment);
    expect(neither.stderr).toMatch(/there is no semaphore "none": it was never held/);
  },
);

describe("watch", TIMEOUT, () => {
  test("prints what there is, then what changes, until it is told to end", async () => {
    const { environment, mutex, server } = await startFilledStore();
    const watching = startCli(["watch", "--interval", "250ms"], environment);
    await watching.says(/Z {2}held {2}held by web-1, token \d+\n/);
    await watching.says(/Z {2}team\/free {2}free\n/);
    const lock = await mutex.acquire("team/free", { label: "deploy" });
    await watching.says(/Z {2}team\/free {2}held by deploy \(\S+:\d+\), token \d+\n/);
    await lock.release();
    await watching.says(/token \d+\n+[^\n]* {2}team\/free {2}free\n/);
    server.deleteObject(BUCKET, "locks/old.json");
    await watching.says(/Z {2}old {2}gone\n/);
    watching.process.kill("SIGINT");
    const { exitCode, stdout } = await watching.ended;
    expect(exitCode).toBe(0);
    expect(stdout.match(/ held {2}held by/g)).toHaveLength(1);
    expect(stdout).not.toContain("\u001b");
  });

  test("says once that the store is in trouble, and once that it is back", async () => {
    const { environment, server } = await startFilledStore();
    const watching = startCli(["watch", "--interval", "250ms", "--json", "--held"], environment);
    await watching.says(/"lockName":"held".*\n/);
    const fault = server.faults.add({ fault: "status", status: 403 });
    await watching.says(/s3-mutex: .*403/);
    await until(() => fault.hits > 3);
    fault.remove();
    await watching.says(/the store answers again/);
    watching.process.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await watching.ended;
    expect(exitCode).toBe(0);
    expect(stderr.trim().split("\n")).toHaveLength(2);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).lockName),
    ).toEqual(["held", "old"]);
  });
});

describe("graph", TIMEOUT, () => {
  /** A waiter as in a record, who holds one lock meanwhile. */
  const waiter = (id: string, holds?: { readonly name: string; readonly token: number }) => ({
    id,
    owner: id,
    mode: "exclusive",
    priority: 0,
    sinceMs: Date.now() - 5000,
    expiresAtMs: Date.now() + 60_000,
    roundTripMs: 5,
    holds: holds === undefined ? [] : [holds],
  });
  const held = (owner: string, queue: readonly unknown[]) => {
    const nowMs = Date.now();
    return { ...heldRecord({ acquiredAtMs: nowMs, expiresAtMs: nowMs + 60_000, owner }), queue };
  };

  test("marks who is in a cycle and who is behind one, and has an exit code for it", async () => {
    const { environment, put } = await startFilledStore();
    const [orders, invoices] = [held("a", []), held("b", [])];
    put("orders", { ...orders, queue: [waiter("b", { name: "invoices", token: invoices.token }), waiter("c")] });
    put("invoices", { ...invoices, queue: [waiter("a", { name: "orders", token: orders.token })] });
    put("plain", held("d", [waiter("e", { name: "nothing", token: 3 })]));
    const { exitCode, stdout } = await cli(["graph"], environment);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/invoices {2}held by b for .*\n {2}<- a waits for \d+s, holds orders {2}\[cycle 1\]\n/);
    expect(stdout).toMatch(
      /<- b waits for \d+s, holds invoices {2}\[cycle 1\]\n {2}<- c waits for \d+s {2}\[behind a cycle\]\n/,
    );
    expect(stdout).toMatch(/plain {2}held by d for .*\n {2}<- e waits for \d+s, holds nothing\n/);
    expect(stdout).toMatch(/\nCycle 1: a waits for invoices, held by b, who waits for orders, held by a\.\n/);
    const json = JSON.parse((await cliHere(["graph", "--json"], environment)).stdout);
    expect(json.cycles).toEqual([
      [
        { lockName: "invoices", acquisitionId: "a" },
        { lockName: "orders", acquisitionId: "b" },
      ],
    ]);
    expect(json.waits).toHaveLength(4);
    const others = await cliHere(["graph", "plain"], environment);
    expect(others.exitCode).toBe(0);
    expect(others.stdout).not.toContain("ycle");
  });

  test("of a store without waiters is short", async () => {
    const { environment } = await startFilledStore();
    expect(await cliHere(["graph"], environment)).toMatchObject({ exitCode: 0, stdout: "Nothing waits.\n" });
  });
});

test.each([
  ["watch", ["watch", "--interval", "250ms"]],
  ["watch --json", ["watch", "--interval", "250ms", "--json"]],
  ["watch, after the first line of many", ["watch", "--interval", "250ms", "--sort", "name"]],
])("C3: %s ends when its reader has gone, though nothing happens", TIMEOUT, async (_, args) => {
  const { mutex, environment } = await startStore();
  await using _lock = await mutex.acquireAll(["one", "two"], { leaseMs: 60_000 });
  const watching = startCli(args, environment);
  await watching.says(/one/);
  // As `head -1` does it.
  watching.process.stdout?.destroy();
  expect(await watching.ended).toMatchObject({ exitCode: 0, stderr: "" });
});

test("C3: an empty line into a pipe, once for each quiet time, and nothing into JSON but spaces", TIMEOUT, async () => {
  const { mutex, environment, server } = await startStore();
  const lock = await mutex.acquire("one", { leaseMs: 60_000, label: "me" });
  const [text, json] = [[], ["--json"]].map((more) => startCli(["watch", "--interval", "250ms", ...more], environment));
  await text?.says(/ one {2}held by me .*\n\n/);
  const looksBefore = server.requests.total;
  await until(() => server.requests.total > looksBefore + 20);
  await lock.release();
  await text?.says(/ one {2}held by me [^\n]*\n\n[^\n]* one {2}free\n/);
  await json?.says(/"state":"free".*\n/);
  for (const watching of [text, json]) watching?.process.kill("SIGINT");
  const { stdout } = await (json as Cli).ended;
  expect(stdout.replaceAll(" ", "")).not.toContain("\n\n");
  for (const line of stdout.trim().split("\n")) JSON.parse(line);
});

test.runIf(existsSync("/dev/full")).each([["ls"], ["watch"], ["help run"], ["policy"]])(
  "C3: what a full disk does not take is an error of %s, and no empty success",
  TIMEOUT,
  async (line) => {
    const { mutex, environment } = await startStore();
    await using _lock = await mutex.acquire("one", { leaseMs: 60_000 });
    const onto = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, MAIN, ...line.split(" ")];
    const { exitCode, stderr } = await startProgram("sh", onto, environment).ended;
    expect(stderr).toMatch(/what was to be written could not be: ENOSPC/);
    expect(exitCode).toBe(1);
  },
);
