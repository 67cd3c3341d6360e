import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AREAS } from "../../mutants/mechanical/areas.js";
import { parseMechanicalArguments } from "../../mutants/mechanical/arguments.js";
import { fits } from "../../mutants/mechanical/explain.js";
import { withoutSpace } from "../../mutants/mechanical/mechanical-mutant.js";
import { problemOf } from "../../mutants/variant.js";

describe.each(AREAS)("of $name", ({ files, specs, explained }) => {
  it("there are files and tests, and they are there", () => {
    expect(files.length).toBeGreaterThan(0);
    expect(specs.length).toBeGreaterThan(0);
    expect([...files, ...specs].filter((file) => !existsSync(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".spec.ts"))).toEqual([]);
  });

  it("explanations say why, are of files of it, and of none twice", () => {
    expect(explained.filter(({ why, file }) => why === "" || !files.includes(file))).toEqual([]);
    const results = explained.map(({ file, search, replace }) => `${file} ${search} ${replace}`);
    expect(new Set(results).size).toBe(results.length);
  });

  it("what is explained can still be made", () => {
    expect(explained.flatMap((one) => problemOf({ ...one, name: one.file }) ?? [])).toEqual([]);
  });
});

it("takes an explanation for that of the mutant that makes the same change in the same place, however it is set", () => {
  const file = "src/core/json.ts";
  const result = withoutSpace(readFileSync(file, "utf8").replace("return undefined;", ""));
  const mutant = { id: "1", file, rule: "BlockStatement", line: 8, search: "", replace: "", result };
  expect(fits({ file, search: "{\n    return undefined;\n  }", replace: "{}", why: "" }, mutant)).toBe(true);
  expect(fits({ file, search: "return undefined", replace: "return text", why: "" }, mutant)).toBe(false);
  expect(fits({ file: "src/core/lease.ts", search: "undefined", replace: "", why: "" }, mutant)).toBe(false);
});

it("chooses areas, and files by a part of their path in them, and refuses what chooses none", () => {
  const files = (...args: string[]) =>
    parseMechanicalArguments([...args, "--jobs", "3"]).areas.map((area) => area.files);
  expect(files("--of", "core", "--only", "lease.")).toEqual([["src/core/lease.ts", "src/core/transition/release.ts"]]);
  expect(files("--of", "runtime", "--of", "store/s3", "--only", "body")).toEqual([
    ["src/store/s3/answers/body.ts", "src/store/s3/learnt/body-hash.ts"],
  ]);
  expect(files("--of", "store/s3").flat()).toContain("src/store/s3/s3-store.ts");
  expect(files()).toHaveLength(AREAS.length);
  expect(parseMechanicalArguments(["--sample", "20"]).sample).toBe(20);
  expect(() => files("--of", "core", "--only", "queues")).toThrow("--only: no file of src/core has");
  expect(() => files("--of", "cli")).toThrow('--of: "cli" is not one of core, store/s3, runtime');
  expect(() => parseMechanicalArguments(["--jobs", "0"])).toThrow("--jobs takes a whole number of at least 1");
});

it("chooses single files and the tests that judge, and refuses what is not there", () => {
  const chosen = (...args: string[]) => parseMechanicalArguments([...args, "--jobs", "1"]).areas;
  const files = (...args: string[]) => chosen(...args).map((area) => area.files);
  const [lease, sender] = ["src/runtime/hold/lease.ts", "src/store/s3/sender.ts"];
  expect(files("--file", lease)).toEqual([[lease]]);
  expect(files("--file", lease, "--file", sender)).toEqual([[sender], [lease]]);
  const [area] = chosen("--file", lease, "--tests", "src/runtime/hold/lease.");
  expect(area?.specs).toEqual(["src/runtime/hold/lease.spec.ts"]);
  expect(() => files("--file", "src/runtime/hold/leases.ts")).toThrow(
    '--file: "src/runtime/hold/leases.ts" is not one',
  );
  expect(() => files("--of", "core", "--file", lease)).toThrow("is not one of the files of src/core");
  expect(() => files("--tests", "nothing")).toThrow("--tests: no test of");
});
