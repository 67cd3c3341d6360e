import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { cli, newFolder, recordOf, startStore } from "./cli.js";
import { cliHere } from "./here.js";

vi.setConfig({ testTimeout: 60_000 });

/** The commands that run another, with the lock that each takes for `job`. */
const COMMANDS = { run: "job", once: "once/job", elect: "job" } as const;

/** Makes what Linux refuses to execute, each for its own reason. */
function unfit(): Readonly<Record<"file" | "loop" | "path" | "plain" | "folder", string>> {
  const folder = newFolder();
  const made = {
    file: join(folder, "file"),
    loop: join(folder, "loop"),
    path: join(folder, "file", "command"),
    plain: join(folder, "plain.sh"),
    folder: join(folder, "folder"),
  };
  writeFileSync(made.file, "");
  writeFileSync(made.plain, "#!/bin/sh\n");
  chmodSync(made.plain, 0o644);
  symlinkSync(made.loop, made.loop);
  mkdirSync(made.folder);
  return made;
}

test.each(Object.entries(COMMANDS))(
  "%s: what cannot be executed is 126 and not a bug, as in bash, and the lock is free afterwards",
  async (name, lockName) => {
    const { server, environment } = await startStore();
    const { path, loop, plain, folder } = unfit();
    const cases = [
      [path, "not a directory (ENOTDIR)"],
      [loop, "too many symbolic links encountered (ELOOP)"],
      [`./${"x".repeat(300)}`, "name too long (ENAMETOOLONG)"],
      [plain, "permission denied (EACCES)"],
      [folder, "permission denied (EACCES)"],
    ] as const;
    for (const [command, reason] of cases) {
      const { exitCode, stderr } = await cliHere([name, "job", "--", command], environment);
      expect(stderr).toContain(`s3-mutex: cannot run ${command}: ${reason}.\n`);
      expect(exitCode).toBe(126);
      expect(recordOf(server, lockName)?.holders).toEqual([]);
    }
  },
);

test("arguments that are too long for the system are 126, and the lock is free afterwards", async () => {
  const { server, environment } = await startStore();
  const { exitCode, stderr } = await cliHere(["run", "job", "--", "true", "x".repeat(3_000_000)], environment);
  expect(stderr).toContain("s3-mutex: cannot run true: argument list too long (E2BIG).\n");
  expect(exitCode).toBe(126);
  expect(recordOf(server, "job")?.holders).toEqual([]);
});

test("a name that is in no folder of PATH is 127, as in bash, however the search for it ends", async () => {
  const { server, environment } = await startStore();
  const { file, loop } = unfit();
  const cases = [
    ["x".repeat(300), process.env["PATH"]],
    ["no-such-command-4711", `${process.env["PATH"]}:${file}`],
    ["no-such-command-4711", `${process.env["PATH"]}:${loop}`],
  ] as const;
  for (const [command, path = ""] of cases) {
    const { exitCode, stderr } = await cli(["run", "job", "--", command], { ...environment, PATH: path });
    expect(stderr).toContain(`s3-mutex: cannot run ${command}: there is no such command.\n`);
    expect(exitCode).toBe(127);
    expect(recordOf(server, "job")?.holders).toEqual([]);
  }
});

/** Makes what is there and cannot be run for want of what runs it. */
function wanting(): { readonly folder: string; readonly write: (name: string, text: string) => string } {
  const folder = newFolder();
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  return { folder, write };
}

const CR_LF = "its first line names /bin/sh and a CR: end its lines in LF, not in CR LF";

test.each(Object.entries(COMMANDS))(
  "%s: a script whose interpreter is not there is there: 127, and the interpreter is named",
  async (name, lockName) => {
    const { server, environment } = await startStore();
    const { write } = wanting();
    const cases = [
      [write("crlf", "#!/bin/sh\r\ntrue\r\n"), CR_LF],
      [write("gone", "#! /no/such/python9 -u\ntrue\n"), "its first line names /no/such/python9, which is not there"],
      [write("bare", "#!/no/such/python9"), "its first line names /no/such/python9, which is not there"],
      [
        write("nested", `#!${write("inner", "#!/no/such/sh\n")}\n`),
        "the file is there, and what it needs to run is not",
      ],
    ] as const;
    for (const [command, reason] of cases) {
      const { exitCode, stderr } = await cliHere([name, "job", "--", command], environment);
      expect(stderr).toContain(`s3-mutex: cannot run ${command}: ${reason}.\n`);
      expect(exitCode).toBe(127);
      expect(recordOf(server, lockName)?.holders).toEqual([]);
    }
  },
);

test("so is one that was found in PATH, behind a folder without it", async () => {
  const { environment } = await startStore();
  const [first, second] = [wanting(), wanting()];
  second.write("my-job", "#!/bin/sh\r\n");
  const PATH = `${first.folder}:${second.folder}`;
  const { exitCode, stderr } = await cliHere(["run", "job", "--", "my-job"], { ...environment, PATH });
  expect(stderr).toContain(`s3-mutex: cannot run my-job: ${CR_LF}.\n`);
  expect(exitCode).toBe(127);
});

test.each([
  ["a link that leads nowhere", (folder: string) => symlinkSync(join(folder, "gone"), join(folder, "it"))],
  ["nothing", () => {}],
])("%s is not taken for a script", async (_, make) => {
  const { environment } = await startStore();
  const folder = newFolder();
  make(folder);
  const command = join(folder, "it");
  const { stderr } = await cliHere(["run", "job", "--", command], environment);
  expect(stderr).toContain(`s3-mutex: cannot run ${command}: there is no such command.\n`);
});
