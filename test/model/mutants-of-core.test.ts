import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseCoreArguments } from "../../mutants/core/arguments.js";
import { withoutSpace } from "../../mutants/core/core-mutant.js";
import { fits } from "../../mutants/core/explain.js";
import { EXPLAINED } from "../../mutants/core/explained.js";
import { problemOf } from "../../mutants/variant.js";

it.each(EXPLAINED)("explains a survivor that can still be made: $search in $file", (one) => {
  expect(problemOf({ ...one, name: one.file })).toBeUndefined();
  expect(one.file).toMatch(/^src\/core\/(?!.*\.spec\.ts$)/);
  expect(one.why).not.toBe("");
});

it("explains none of them twice", () => {
  const results = EXPLAINED.map(({ file, search, replace }) => `${file} ${search} ${replace}`);
  expect(new Set(results).size).toBe(results.length);
});

it("takes an explanation for that of the mutant that makes the same change in the same place, however it is set", () => {
  const file = "src/core/json.ts";
  const result = withoutSpace(readFileSync(file, "utf8").replace("return undefined;", ""));
  const mutant = { id: "1", file, rule: "BlockStatement", line: 8, search: "", replace: "", result };
  expect(fits({ file, search: "{\n    return undefined;\n  }", replace: "{}", why: "" }, mutant)).toBe(true);
  expect(fits({ file, search: "return undefined", replace: "return text", why: "" }, mutant)).toBe(false);
  expect(fits({ file: "src/core/lease.ts", search: "undefined", replace: "", why: "" }, mutant)).toBe(false);
});

it("chooses files by a part of their path, never specs, and refuses what chooses none", () => {
  expect(parseCoreArguments(["--only", "re", "--jobs", "3"]).files).toContain("src/core/transition/release.ts");
  expect(parseCoreArguments(["--only", "lease.", "--jobs", "3"])).toEqual({
    files: ["src/core/lease.ts", "src/core/transition/release.ts"],
    jobs: 3,
  });
  expect(() => parseCoreArguments(["--only", "queues"])).toThrow("--only: no file of src/core has");
  expect(() => parseCoreArguments(["--jobs", "0"])).toThrow("--jobs takes a whole number of at least 1");
  expect(() => parseCoreArguments(["--file", "queue"])).toThrow("--file");
});
