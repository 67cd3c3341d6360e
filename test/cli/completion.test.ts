import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { describedCommands } from "../../src/cli/described-commands.js";
import { manualPage } from "../../src/cli/man/page.js";
import { BUCKET, cli, type Environment, MAIN, newFolder, STORE, startProgram, startStore } from "./cli.js";
import { cliHere } from "./here.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** Gives what bash offers for the last of these words. */
async function offeredByBash(...words: string[]): Promise<readonly string[]> {
  const file = join(newFolder(), "completion.bash");
  writeFileSync(file, (await cliHere(["completion", "bash"])).stdout);
  const quoted = ["s3-mutex", ...words].map((word) => `'${word}'`).join(" ");
  const script = `source ${file}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _s3_mutex; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.trim().split("\n");
}

test("bash completes commands, their options, and nothing of s3-mutex after two dashes", {
  timeout: 60_000,
}, async () => {
  expect(await offeredByBash("r")).toEqual(["run", "release"]);
  expect(await offeredByBash("help", "wa")).toEqual(["watch"]);
  expect(await offeredByBash("run", "--no")).toEqual(["--no-wait"]);
  expect(await offeredByBash("ls", "--hel")).toEqual(["--held", "--help"]);
  expect(await offeredByBash("run", "job", "--", "--no")).toEqual([""]);
  expect(await offeredByBash("run", "job", "--", "bas")).toContain("bash");
  expect(await offeredByBash("run", "job", "--", "s3-mutex", "r")).toEqual(["run", "release"]);
  expect(await offeredByBash("run", "job", "--", "s3-mutex", "run", "y", "--", "s3-mutex", "el")).toEqual(["elect"]);
});

describe("names of locks", () => {
  test("are those of the store that begin so, asked by one LIST", async () => {
    const { environment, server, mutex } = await startStore();
    for (const name of ["nightly", "night-shift", "release-1.2", "report.json", "a b"]) await mutex.acquireLock(name);
    const before = server.requests.total;
    const offered = async (...words: string[]) =>
      (await cliHere(["completion", "names", "--", ...words], environment)).stdout.trim().split("\n");
    expect(await offered("run", "nig")).toEqual(["night-shift", "nightly"]);
    expect(server.requests.total - before).toBe(1);
    expect(await offered("show", "--json", "re")).toEqual(["release-1.2"]);
    expect(await offered("show", "--literal", "re")).toEqual(["release-1.2", "report.json"]);
    expect(await offered("run", "nightly", "a")).toEqual(["a b"]);
    const ofOthers = { S3_MUTEX_STORE: "" };
    const address = await cliHere(["completion", "names", "--", "ls", `${STORE}ni`], { ...environment, ...ofOthers });
    expect(address.stdout).toBe(`${STORE}night-shift\n${STORE}nightly\n`);
  });

  test("are those that the command is about: keys of once, semaphores with --permits", async () => {
    const { environment, mutex } = await startStore();
    await mutex.acquireLock("deploy");
    await mutex.runOnce("deploy-1", () => 1);
    await mutex.semaphore("depot", { permits: 3 }).acquire();
    const offered = async (...words: string[]) =>
      (await cliHere(["completion", "names", "--", ...words], environment)).stdout.trim().split("\n");
    expect(await offered("once", "dep")).toEqual(["deploy-1"]);
    expect(await offered("once", "--forget", `${STORE}dep`)).toEqual([`${STORE}deploy-1`]);
    expect(await offered("run", "dep")).toEqual(["deploy"]);
    expect(await offered("run", "--permits", "3", "dep")).toEqual(["depot"]);
    expect(await offered("run", "--permits", "3", `s3://${BUCKET}/semaphores/locks/dep`)).toEqual([
      `s3://${BUCKET}/semaphores/locks/depot`,
    ]);
  });

  test.each([
    ["no store", ["run", "x"], { S3_MUTEX_STORE: "" }],
    ["no answer", ["run", "x"], { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" }],
    ["no such bucket", ["run", "s3://no-such-bucket/locks/x"], {}],
    ["an option that wants a value", ["run", "--lease", ""], {}],
    ["an option that there is not", ["run", "--bogus", ""], {}],
    ["a word that does not begin a name", ["run", "./x"], {}],
    ["a command that takes stores", ["cleanup", ""], {}],
    ["a command that there is not", ["fly", ""], {}],
    ["no command", [], {}],
  ])("are not offered, and nothing is said: %s", async (_what, words, more) => {
    const { environment, mutex } = await startStore();
    await mutex.acquireLock("x");
    const ended = await cliHere(["completion", "names", "--", ...words], { ...environment, ...more });
    expect(ended).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("a store that does not answer is not waited for", async () => {
    const { environment, server } = await startStore();
    server.faults.add({ fault: "never-answer" });
    const startedAtMs = performance.now();
    const ended = await cliHere(["completion", "names", "--", "run", ""], environment);
    expect(ended).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    // A second, and what a busy machine takes to start a process.
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  test("bash puts them in, also behind the colon of an address, and as words", async () => {
    const { environment, mutex } = await startStore();
    for (const name of ["nightly", "a b"]) await mutex.acquireLock(name);
    expect(await completedByBash("s3-mutex run nig", environment)).toEqual(["nightly"]);
    expect(await completedByBash("s3-mutex show a", environment)).toEqual(["a\\ b"]);
    expect(await completedByBash(`s3-mutex show ${STORE}nig`, environment)).toEqual([`//${BUCKET}/locks/nightly`]);
    expect(await completedByBash("s3-mutex run nightly -- nig", environment)).toEqual([""]);
    expect(await completedByBash("s3-mutex run x -- s3-mutex run nig", environment)).toEqual(["nightly"]);
  });
});

/** Gives what bash offers for a command line whose end the cursor is at. */
async function completedByBash(line: string, environment: Environment): Promise<readonly string[]> {
  const folder = newFolder();
  writeFileSync(join(folder, "completion.bash"), (await cliHere(["completion", "bash"])).stdout);
  writeFileSync(join(folder, "s3-mutex"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const words = line.split(" ").map((word) => `'${word}'`);
  const script = [
    "source completion.bash",
    `COMP_WORDS=(${words.join(" ")}) COMP_CWORD=${words.length - 1} COMP_LINE='${line}' COMP_POINT=${line.length}`,
    "_s3_mutex",
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("; ");
  const { PATH = "" } = process.env;
  const ended = await startProgram(
    "bash",
    ["--norc", "-c", script],
    { ...environment, PATH: `${folder}:${PATH}` },
    folder,
  ).ended;
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended.stdout.trim().split("\n");
}

/** A machine without fish has nothing to ask. */
const inFish = test.skipIf(spawnSync("fish", ["--version"]).status !== 0);

/** Gives what fish offers for a command line whose end the cursor is at, without the descriptions. */
async function offeredByFish(line: string, environment: Environment = {}): Promise<readonly string[]> {
  const folder = newFolder();
  writeFileSync(join(folder, "completion.fish"), (await cliHere(["completion", "fish"])).stdout);
  writeFileSync(join(folder, "a file"), "");
  writeFileSync(join(folder, "s3-mutex"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const ended = await startProgram(
    "fish",
    ["--no-config", "-c", 'source completion.fish; complete -C"$LINE"'],
    { ...environment, LINE: line, HOME: folder, PATH: `${folder}:${process.env["PATH"]}` },
    folder,
  ).ended;
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended.stdout.split("\n").flatMap((text) => text.split("\t")[0] || []);
}

describe("fish", () => {
  inFish("completes commands, their options, and names", async () => {
    const { environment, mutex } = await startStore();
    await mutex.acquireLock("nightly");
    expect(await offeredByFish("s3-mutex el")).toEqual(["elect"]);
    expect(await offeredByFish("s3-mutex run --no-w")).toEqual(["--no-wait"]);
    expect(await offeredByFish("s3-mutex run nig", environment)).toEqual(["nightly"]);
    expect(await offeredByFish("s3-mutex run x -- s3-mutex run nig", environment)).toEqual(["nightly"]);
  });

  inFish.each([
    ["a command", "s3-mutex run x -- basena", "basename"],
    ["of the first dashes", "s3-mutex run x -- cat -- a", "a file"],
    ["not of dashes in a word", "s3-mutex run 'x -- y' -- cat a\\ f", "a file"],
    ["after an empty word", "s3-mutex run x -- cat '' a", "a file"],
    ["itself", "s3-mutex run x -- s3-mutex el", "elect"],
    ["itself in itself", "s3-mutex run x -- s3-mutex run y -- s3-mutex run --no-w", "--no-wait"],
  ])("completes what follows two dashes as a command line of its own: %s", async (_what, line, wanted) => {
    expect(await offeredByFish(line)).toEqual([wanted]);
  });

  inFish("offers none of its own options there, nor names", async () => {
    const { environment, mutex } = await startStore();
    await mutex.acquireLock("nightly");
    expect(await offeredByFish("s3-mutex run x -- cat --no-w")).toEqual([]);
    expect(await offeredByFish("s3-mutex run x -- cat nig", environment)).toEqual([]);
  });
});

test.each(["bash", "zsh", "fish"])("%s is told of all commands and options", async (shell) => {
  const { exitCode, stdout, stderr } = await cli(["completion", shell]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  for (const { name, options } of await describedCommands()) {
    expect(stdout).toContain(name);
    for (const [long] of options) expect(stdout).toMatch(new RegExp(`(--| -l )${long}\\b`));
  }
});

test("a shell that is not known, and none, are usage errors that say which there are", async () => {
  const unknown = await cliHere(["completion", "tcsh"]);
  const sentence = 'The shell "tcsh" is not one that is known here: write bash, zsh or fish.';
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(sentence) });
  expect(await cliHere(["completion"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Which shell?") });
});

test("the manual page has every command, option and exit code, and no line that is a macro by accident", async () => {
  const page = manualPage(await describedCommands());
  for (const { name } of COMMANDS) expect(page).toContain(`.SH ${name.toUpperCase()}\n`);
  expect(page).toContain(".B \\-n, \\-\\-no\\-wait\nDo not wait at all\n");
  expect(page).toContain('.BI "\\-w, \\-\\-wait " "DURATION"\n');
  for (const code of ["2", "69", "75", "79"]) expect(page).toContain(`.TP\n.B ${code}\n`);
  const macros = new Set(page.split("\n").flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []));
  expect([...macros].sort()).toEqual(["B", "BI", "PP", "SH", "SS", "TH", "TP", "br", "fi", "nf"]);
  expect((await cliHere(["man"])).stdout).toBe(page);
});
