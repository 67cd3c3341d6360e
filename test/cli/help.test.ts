import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, newFolder } from "./cli.js";
import { cliHere } from "./here.js";

/** Makes a process write down every module that it loads: evidence that does not depend on how fast the machine is. */
function recordingLoads(): { readonly environment: Record<string, string>; loaded(): readonly string[] } {
  const log = join(newFolder(), "loaded.txt");
  const hooks = `
    import { appendFileSync } from "node:fs";
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(log)}, url + "\\n");
      return next(url, context);
    }`;
  const register = `
    import { register } from "node:module";
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
  return {
    environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}` },
    loaded: () => readFileSync(log, "utf8").trim().split("\n"),
  };
}

/** What is loaded besides the CLI itself and the small files that it shares with the library, which import nothing. */
const outsideOfTheCli = (url: string) =>
  url.startsWith("file:") &&
  !/\/dist\/(cli\/|(arguments\/closest|arguments\/defaults|printable|core\/names|arguments\/bucket-names)\.js$)/.test(
    url,
  );

test.each([
  ["--help"],
  ["run", "--help"],
  ["serve", "-h"],
  ["help", "demo"],
  ["ls", "--help"],
  ["help", "graph"],
  ["--version"],
])("%s %s loads neither the SDK nor the library", async (...args) => {
  const { environment, loaded } = recordingLoads();
  const { exitCode, stdout, stderr } = await cli(args, environment);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).not.toBe("");
  expect(loaded().some((url) => url.endsWith("/dist/cli/main.js"))).toBe(true);
  expect(loaded().filter(outsideOfTheCli)).toEqual([]);
});

test("the evidence is sound: a command that needs the library is seen to load it", async () => {
  const { environment, loaded } = recordingLoads();
  await cli(
    ["run", "--endpoint-url", "http://127.0.0.1:1", "--wait", "1ms", "s3://b/locks/n", "--", "true"],
    environment,
  );
  expect(loaded().filter(outsideOfTheCli)).not.toEqual([]);
});

test.each([
  "run",
  "ls",
  "show",
  "watch",
  "graph",
  "release",
  "delete",
  "cleanup",
  "doctor",
  "bench",
  "policy",
  "ui",
  "serve",
  "demo",
])("the help of %s has usage, options and examples", async (command) => {
  const { stdout } = await cliHere(["help", command]);
  expect(stdout).toMatch(/^Usage: s3-mutex /);
  expect(stdout).toMatch(/\nOptions:\n[\s\S]+--help[\s\S]+\nExamples:\n {2}# /);
  expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
});

test("the version is that of the package", async () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect((await cli(["--version"])).stdout).toBe(`${manifest.version}\n`);
});

test.each([
  [["rum"], 'There is no command "rum"; did you mean run? See `s3-mutex --help`.'],
  [["--vers"], "There is no option --vers before the command. See `s3-mutex --help`."],
  [["help", "frobnicate"], 'There is no command "frobnicate". See `s3-mutex --help`.'],
  [
    ["run", "--wiat", "3", "n", "--", "true"],
    "There is no option --wiat; did you mean --wait? See `s3-mutex help run`.",
  ],
  [["serve", "--json=1"], "--json takes no value. See `s3-mutex help serve`."],
  [
    ["serve", "--port"],
    "--port needs a value; one that starts with a dash is written --port=N. See `s3-mutex help serve`.",
  ],
  [
    ["run", "-w", "-1", "n", "--", "true"],
    "-w needs a value; one that starts with a dash is written --wait=DURATION. See `s3-mutex help run`.",
  ],
  [["demo", "now"], "demo takes no arguments, and now is one. See `s3-mutex help demo`."],
])("%j is a usage error in one sentence", async (args, message) => {
  const { exitCode, stdout, stderr } = await cliHere(args);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 2, stdout: "", stderr: `s3-mutex: ${message}\n` });
});

test("without a command there is the help, and it is an error", async () => {
  const { exitCode, stdout } = await cliHere([]);
  expect(exitCode).toBe(2);
  expect(stdout).toContain("Commands:");
});

test("colours go to terminals, or where they are asked for, and never where NO_COLOR is set", async () => {
  const colour = "\u001b[";
  expect((await cliHere(["--help"])).stdout).not.toContain(colour);
  expect((await cliHere(["--help"], { FORCE_COLOR: "1" })).stdout).toContain(colour);
  expect((await cliHere(["--help"], { FORCE_COLOR: "1", NO_COLOR: "1" })).stdout).not.toContain(colour);
});
