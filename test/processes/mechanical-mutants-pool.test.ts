import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Fate } from "../../mutants/mechanical/hunt/messages.js";
import { Pool } from "../../mutants/mechanical/hunt/pool.js";
import type { MechanicalMutant } from "../../mutants/mechanical/mechanical-mutant.js";

const folder = mkdtempSync(join(tmpdir(), "s3-mutex-pool-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the instrumenter and the bundler write them, but short: `isOn` is where a mutant is. */
const INSTRUMENTED = `
  const board = globalThis.__stryker__;
  const isOn = (id) => {
    const { currentTestId: test, mutantCoverage: { static: atLoad, perTest } } = board;
    const hits = test === undefined ? atLoad : (perTest[test] ??= {});
    hits[id] = (hits[id] ?? 0) + 1;
    if (board.activeMutant !== id) return false;
    board.hitCount += 1;
    if (board.hitCount > board.hitLimit) throw new Error("Hit count limit reached");
    return true;
  };
  const { expect, it } = require("vitest");`;

const SPECS = `
  inSpec("module.spec.ts", () => {
    const limit = isOn("when loaded") ? 3 : 2;
    it("has a limit", () => expect(limit).toBe(2));
  });
  inSpec("function.spec.ts", () => {
    it.each([[1, 1], [2, 4]])("squares %d", (one, square) => expect(isOn("killed") ? one : one * one).toBe(square));
    it("does not look", () => isOn("survivor"));
    it("loops", () => { while (isOn("hits")); });
    it("hangs", () => { if (isOn("hangs")) for (;;); });
    it("crashes", () => { if (isOn("crashes")) process.exit(1); });
  });`;

const suiteOf = (name: string, ...parts: string[]) => {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, parts.join("\n"));
  return path;
};

const mutant = (id: string): MechanicalMutant => ({
  id,
  file: "",
  rule: "",
  line: 1,
  search: "",
  replace: "",
  result: "",
});

it("tells apart what is killed, what survives, and what has no end, and goes on after what it had to stop", async () => {
  const pool = new Pool(suiteOf("good", INSTRUMENTED, SPECS), 1, 300);
  const survey = await pool.survey();
  expect(survey.failures).toEqual([]);
  expect(survey.timesMs).toHaveLength(7);
  const fates: Record<string, Fate> = {};
  const ids = ["hangs", "crashes", "hits", "survivor", "nowhere", "when loaded", "killed"];
  const left = await pool.hunt({ mutants: ids.map(mutant) }, survey, ({ id }, fate) => {
    fates[id] = fate;
  });
  expect(left).toEqual([]);
  expect(fates).toEqual({
    hangs: "endless",
    crashes: "endless",
    hits: "endless",
    survivor: "survived",
    nowhere: "survived",
    "when loaded": "killed",
    killed: "killed",
  });
});

it("names the tests that fail without a mutant", async () => {
  const failing = `inSpec("a.spec.ts", () => it("adds", () => expect(1 + 1).toBe(3)));`;
  const { failures } = await new Pool(suiteOf("failing", INSTRUMENTED, failing), 1).survey();
  expect(failures).toEqual([{ test: "a.spec.ts: adds", error: expect.stringContaining("expected 2 to be 3") }]);
});

it("says so where what a mutant has left behind makes a test fail", async () => {
  const spoiled = `let isSpoiled = false;
  inSpec("a.spec.ts", () => {
    it("spoils", () => void (isSpoiled ||= isOn("spoils")));
    it("is as it was", () => expect(isSpoiled).toBe(false));
  });`;
  const pool = new Pool(suiteOf("spoiled", INSTRUMENTED, spoiled), 1);
  const left = await pool.hunt({ mutants: [mutant("spoils")] }, await pool.survey(), () => {});
  expect(left.map(({ test }) => test)).toEqual(["a.spec.ts: is as it was"]);
});

it("does not count what fails without the mutant as well: nothing is known, which is as bad as survival", async () => {
  const failing = `let isSpoiled = false;
  inSpec("a.spec.ts", () => it("is as it was", () => expect((isSpoiled ||= isOn("spoils"))).toBe(false)));`;
  const pool = new Pool(suiteOf("unsettled", INSTRUMENTED, failing), 1);
  const fates: Fate[] = [];
  const left = await pool.hunt({ mutants: [mutant("spoils")] }, await pool.survey(), (_, fate) => fates.push(fate));
  expect(fates).toEqual(["unsettled"]);
  expect(left).toEqual([]);
});

it("waits for tests that take their time, with what vitest offers them, and calls one that never ends endless", async () => {
  const slow = `const log = [];
  const { describe, beforeEach, afterEach, onTestFinished, vi } = require("vitest");
  const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  inSpec("a.spec.ts", () => describe.each(["a"])("%s", (letter) => {
    beforeEach(() => void log.push("before"));
    afterEach(() => void (log.length = 0));
    it("runs hooks around it", { timeout: 1 }, async () => {
      onTestFinished(() => expect(log).toEqual(isOn("hook") ? [] : ["before", letter]));
      await soon(1);
      log.push(letter);
      await expect(soon(1)).resolves.toBe(isOn("resolves") ? 1 : undefined);
    });
    it.for([[1, 2]])("polls", async ([one, two]) => {
      let looks = 0;
      await expect.poll(() => looks++, { interval: 1 }).toBe(one);
      await vi.waitFor(() => expect(looks++).toBe(isOn("waitFor") ? -1 : two), { interval: 1, timeout: 20 });
    });
    it("rejects by itself", async () => { if (isOn("rejection")) Promise.reject(new Error("no listener")); });
    it("never ends", async () => { if (isOn("never")) await new Promise(() => {}); });
  }));`;
  const pool = new Pool(suiteOf("slow", INSTRUMENTED, slow), 1);
  const survey = await pool.survey();
  expect(survey.failures).toEqual([]);
  const fates: Record<string, Fate> = {};
  const mutants = ["hook", "resolves", "waitFor", "rejection", "never"].map(mutant);
  expect(await pool.hunt({ mutants }, survey, ({ id }, fate) => Object.assign(fates, { [id]: fate }))).toEqual([]);
  expect(fates).toEqual({
    hook: "killed",
    resolves: "killed",
    waitFor: "killed",
    rejection: "killed",
    never: "endless",
  });
});
