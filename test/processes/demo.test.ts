import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isRunning, newFolder, startCli, until } from "../cli/cli.js";

test("it tells its story in order, counts, and leaves nothing behind", { timeout: 120_000 }, async () => {
  const folder = newFolder();
  const { exitCode, stdout, stderr } = await startCli(["demo", "--seconds", "7"], { TMPDIR: folder }).ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(
    /SIGKILL[\s\S]+has it [\s\S]+SIGSTOP[\s\S]+has it [\s\S]+SIGCONT[\s\S]+refused[\s\S]+ 0 of them lost[\s\S]+without the lock/,
  );
  const counts = (label: string) => new RegExp(`^ *${label} +(\\d+) +(\\S+)$`, "m").exec(stdout)?.slice(1) ?? [];
  const [updates, updatesWithout] = counts("updates");
  expect(updates).toBe(updatesWithout);
  expect(Number(updates)).toBeGreaterThan(20);
  const [lost, lostWithout] = counts("updates lost");
  expect(lost).toBe("0");
  expect(Number(lostWithout)).toBeGreaterThan(0);
  expect(Number(counts("zombie writes refused")[0])).toBeGreaterThanOrEqual(1);
  expect(readdirSync(folder)).toEqual([]);
});

test("Ctrl-C in the middle ends everything, the frozen one too", { timeout: 120_000 }, async () => {
  const folder = newFolder();
  const demo = startCli(["demo", "--seconds", "7"], { TMPDIR: folder });
  await demo.says(/SIGSTOP/);
  const children = childrenOf(demo.pid);
  expect(children.length).toBeGreaterThanOrEqual(4);
  demo.process.kill("SIGINT");
  expect((await demo.ended).exitCode).toBe(130);
  expect(children.filter(isRunning)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test("C3: it ends when its output is not read any more, and so do its processes", { timeout: 120_000 }, async () => {
  const folder = newFolder();
  const demo = startCli(["demo", "--seconds", "60"], { TMPDIR: folder });
  await demo.says(/ holds, token/);
  const children = childrenOf(demo.pid);
  demo.process.stdout?.destroy();
  expect(await demo.ended).toMatchObject({ exitCode: 0, stderr: "" });
  await until(() => children.filter(isRunning).length === 0);
  expect(readdirSync(folder)).toEqual([]);
});

function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}
