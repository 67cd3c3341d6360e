import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/base/usage-error.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { parseLock, parseLocks } from "../../src/cli/store/address.js";
import { inputOf, startOutput } from "./terminal.js";

const STORE = { S3_MUTEX_STORE: "s3://b/locks/" };

/** What was most probably meant as something else, with what is said of it. */
const SLIPS: readonly (readonly [string, string])[] = [
  ["s3:/b/locks/x", "is not an address: write s3://BUCKET/locks/NAME"],
  ["S3:x", "is not an address"],
  ["arn:aws:s3:::b/locks/x", "is not an address"],
  [" x", "has a space at an end"],
  ["x\n", "has a line break in it: leave it out"],
  ["x\t", "has a control character in it: leave it out"],
  ["x\u00a0", "has an invisible character in it (U+00A0): leave it out"],
  ["team/ x", "has a space beside a slash"],
  ["a\r\nb", "has a line break in it"],
  ["night\u200bly", "has an invisible character in it (U+200B): leave it out"],
  ["\u00adnightly", "has an invisible character in it (U+00AD)"],
  ["night\u00a0ly", "has an invisible character in it (U+00A0)"],
  ["\u0024{JOB}", "has a variable in it that was not filled in (${): fill it in"],
  ["team/$(JOB)", "that was not filled in ($()"],
  ["{{ job }}", "that was not filled in ({{)"],
  ["“nightly”", "has quotes in it that the shell has not taken away"],
  ["‘nightly’", "has quotes in it"],
  ["'nightly'", "has quotes in it that the shell has not taken away"],
  ["team\\nightly", "has a backslash in it"],
  ["x.json", "ends in .json, which keys have and names do not: write x, or add --literal"],
  ["release-1.2e2.json", "write release-1.2, or"],
  ["locks/x.json", "ends in .json"],
  ["/x", "begins with a slash"],
  ["./x", 'has "." or ".." in it'],
  ["../x", 'has "." or ".." in it'],
  ["team/../x", 'has "." or ".." in it'],
  [".", 'has "." or ".." in it'],
  ["team//x", "has two slashes in a row"],
  ["s3//b/locks/x", "has two slashes in a row"],
  ["locks/x", "begins with what the store s3://b/locks/ says already: write x, or add --literal if"],
  ["b/locks/x", "begins with what the store s3://b/locks/ says already: write x, or add --literal if"],
  ["semaphores/locks/pool", "is where semaphores are: write s3://b/semaphores/locks/pool"],
];

/** How each command that is told names or beginnings of names is called. */
const LINES: Readonly<Record<string, (name: string) => readonly string[]>> = {
  run: (name) => [name, "--", "true"],
  once: (name) => [name, "--", "true"],
  elect: (name) => [name, "--", "true"],
  show: (name) => [name],
  release: (name) => ["--force", "--yes", name],
  delete: (name) => [name],
  ls: (name) => [name],
  watch: (name) => [name],
  graph: (name) => [name],
  ui: (name) => [name],
};

test("C2: these are all commands that are told names", async () => {
  const told: string[] = [];
  for (const { name, load } of COMMANDS) {
    const { options } = await load();
    if ("literal" in options) told.push(name);
  }
  expect(told.sort()).toEqual(Object.keys(LINES).sort());
});

test.each(Object.keys(LINES))(
  "C2: %s refuses what is most probably no name, in words that say what to write",
  async (name) => {
    const command = await COMMANDS.find((one) => one.name === name)?.load();
    for (const [text, problem] of SLIPS) {
      const args = LINES[name]?.(text) ?? [];
      const separator = args.indexOf("--");
      const input = inputOf(separator === -1 ? args : args.slice(0, separator), STORE, command?.options);
      const { output } = startOutput();
      const rest = separator === -1 ? undefined : args.slice(separator + 1);
      const failure = await command?.run({ ...input, rest }, output).catch((error: unknown) => error);
      expect(failure, text).toBeInstanceOf(UsageError);
      expect(`${(failure as UsageError).message}`, text).toContain(problem);
    }
  },
);

test("C2: an address that is a key says which lock has it", () => {
  const read = (text: string, prefix?: string) => () => parseLock(text, prefix);
  expect(read("s3://b/locks/release-1.2e2.json")).toThrow(
    's3://b/locks/release-1.2e2.json ends in .json, which keys have and names do not: write s3://b/locks/release-1.2, or --store s3://b/locks/ --literal "release-1.2e2.json" if that is the name.',
  );
  expect(read("s3://b/a/b.c/x.json", "a/b.c/")).toThrow("write s3://b/a/b.c/x, or --store s3://b/a/b.c/ --literal");
  expect(read("s3://b/x.json")).toThrow("names do not: leave it out");
  expect(() => parseLocks("s3://b/locks/x.json", undefined)).toThrow("write s3://b/locks/x, or");
});

test.each([
  ["s3://b/locks/ x", "has a space at an end, or beside a slash: leave it out"],
  ["s3://b/locks/team /x", "has a space at an end, or beside a slash: leave it out"],
  ["s3://b/locks/a\nb", "has a line break in it: leave it out"],
  ["s3://b/locks/a\u200b", "has an invisible character in it (U+200B): leave it out"],
  ["s3://b/locks/\u0024{JOB}", "has a variable in it that was not filled in (${): fill it in, or say with --prefix"],
])("C2: %j is refused", (text, problem) => {
  expect(() => parseLock(text, undefined)).toThrow(problem);
  expect(() => parseLocks(text, undefined)).toThrow(problem);
  expect(parseLock(text, "locks/")).toMatchObject({ keyPrefix: "locks/" });
});

test("C2: what scripts and emoji need between letters is part of a name", () => {
  for (const name of ["می\u200cخواهم", "👩\u200d💻", "$LATEST", "a{b}", "d'accord"]) {
    expect(parseLock(`s3://b/locks/${name}`, undefined).lockName).toBe(name);
  }
});
