import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { describedCommands } from "../../src/cli/described-commands.js";
import { manualPage } from "../../src/cli/man/page.js";
import { cli, newFolder } from "./cli.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** What bash offers for the last of these words. */
async function offeredByBash(...words: string[]): Promise<readonly string[]> {
  const file = join(newFolder(), "completion.bash");
  writeFileSync(file, (await cli(["completion", "bash"])).stdout);
  const quoted = ["s3-mutex", ...words].map((word) => `'${word}'`).join(" ");
  const script = `source ${file}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _s3_mutex; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.trim().split("\n");
}

test("bash completes commands, their options, and nothing of s3-mutex after two dashes", {
  timeout: 30_000,
}, async () => {
  expect(await offeredByBash("r")).toEqual(["run", "release"]);
  expect(await offeredByBash("help", "wa")).toEqual(["watch"]);
  expect(await offeredByBash("run", "--no")).toEqual(["--no-wait"]);
  expect(await offeredByBash("ls", "--hel")).toEqual(["--held", "--help"]);
  expect(await offeredByBash("run", "job", "--", "--no")).toEqual([""]);
  expect(await offeredByBash("run", "job", "--", "bas")).toContain("bash");
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
  const unknown = await cli(["completion", "tcsh"]);
  const sentence = 'The shell "tcsh" is not one that is known here: write bash, zsh or fish.';
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(sentence) });
  expect(await cli(["completion"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Which shell?") });
});

test("the manual page has every command, option and exit code, and no line that is a macro by accident", async () => {
  const page = manualPage(await describedCommands());
  for (const { name } of COMMANDS) expect(page).toContain(`.SH ${name.toUpperCase()}\n`);
  expect(page).toContain(".B \\-n, \\-\\-no\\-wait\nDo not wait at all\n");
  expect(page).toContain('.BI "\\-w, \\-\\-wait " "DURATION"\n');
  for (const code of ["2", "69", "75", "79"]) expect(page).toContain(`.TP\n.B ${code}\n`);
  const macros = new Set(page.split("\n").flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []));
  expect([...macros].sort()).toEqual(["B", "BI", "PP", "SH", "SS", "TH", "TP", "br", "fi", "nf"]);
  expect((await cli(["man"])).stdout).toBe(page);
});
