import { expect, test } from "vitest";
import { widthOf, wrapped } from "../../src/cli/base/text.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { showCommandHelp, showOverview } from "../../src/cli/help.js";
import { lockTable } from "../../src/cli/inspect/lock-table.js";
import { signOfLife } from "../../src/cli/inspect/show.js";
import type { HolderReport, LockReport } from "../../src/index.js";
import { startOutput } from "./terminal.js";

const NOW_MS = 1_795_452_194_942;

const HOLDER: HolderReport = {
  acquisitionId: "3f2a91c7-0000-4000-8000-000000000000",
  owner: "web-1:4711:3f2a91c7",
  host: "a-machine-with-a-long-name.example.com",
  pid: 4711,
  label: "import",
  via: "handle",
  mode: "exclusive",
  permits: 1,
  fencingToken: NOW_MS,
  priority: 0,
  leaseMs: 60_000,
  acquiredAt: NOW_MS - 192_000,
  renewedAt: NOW_MS - 8000,
  expiresAt: NOW_MS + 52_000,
  heldMs: 192_000,
  leaseLeftMs: 52_000,
};

const REPORT: LockReport = {
  lockName: "team/invoices/of-the-month-of-november",
  key: "locks/x.json",
  state: "held",
  reportedAt: NOW_MS,
  fencingToken: NOW_MS,
  limit: 1,
  holders: [HOLDER],
  waiters: [],
  recentTurns: [],
  writtenAt: NOW_MS,
};

const UNREADABLE: LockReport = {
  ...REPORT,
  lockName: "x",
  state: "unreadable",
  holders: [],
  writtenAt: undefined,
  problem: { code: "corrupt-record", message: "The object is not a lock record." },
};

test.each([120, 80, 60, 40, 30])("D: no line of ls or watch is wider than a terminal of %i columns", (columns) => {
  const { output } = startOutput({ columns, rows: 24 }, { NO_COLOR: "1" });
  const lines = lockTable([REPORT, UNREADABLE], output);
  expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
  expect(lines[0]).toMatch(/^LOCK +STATE +HOL/);
  expect(lines[0]).toContain("LEFT");
  expect(lines[0]?.includes("TOKEN")).toBe(columns >= 80);
});

test.each([100, 80, 60, 40])("D: the help breaks no word on a terminal of %i columns", async (columns) => {
  for (const { load } of COMMANDS) {
    const { output, said } = startOutput({ columns, rows: 24 }, { NO_COLOR: "1" });
    showCommandHelp(await load(), output);
    const [text = ""] = said.stdout.split("\nExamples:");
    const wide = text.split("\n").filter((line) => line.length > columns && !/^(Usage:| {7}s3-mutex)/.test(line));
    // Lists of policy are as they are.
    expect(wide.filter((line) => !/^ {2}(iam|lifecycle|bucket| {10})/.test(line))).toEqual([]);
  }
  const { output, said } = startOutput({ columns, rows: 24 }, { NO_COLOR: "1" });
  showOverview(output);
  expect(said.stdout).toContain("run");
});

test("D: sentences are broken between words", () => {
  expect(wrapped("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapped("averylongword x", 5)).toEqual(["averylongword", "x"]);
});

test.each<[string, Partial<HolderReport>, RegExp]>([
  ["alive", {}, /import \(.*:4711\) renews every 20s, last 8s ago: alive\.$/],
  ["late", { renewedAt: NOW_MS - 45_000 }, /has not renewed for 45s, where 20s is usual: dead, frozen or cut off\.$/],
  ["taken by name", { via: "name" }, /renewed 8s ago, and does so by refreshLock\(\) only\.$/],
  ["given back", { releasedAt: NOW_MS - 1 }, /has given it back; it is held on for its holdAtLeastMs\.$/],
])("D: show tells whether a holder lives: %s", (_what, change, sentence) => {
  expect(signOfLife({ ...HOLDER, ...change }, NOW_MS)).toMatch(sentence);
});
