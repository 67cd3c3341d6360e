import { expect, onTestFinished, test } from "vitest";
import { type S3ServerOptions, startS3Server } from "../../src/testing/index.js";
import { readResults } from "../../stores/document/page.js";
import { twoProcesses, verdictOf, versionsCell, whyOf } from "../../stores/document/verdicts.js";
import { isSilent, takeTurns, turnsInWords } from "../../stores/measure/turns.js";
import type { StoreResult } from "../../stores/result.js";

const TIMEOUT = { timeout: 60_000 };

async function turnsOn(options: S3ServerOptions) {
  const server = await startS3Server({ buckets: ["turns"], ...options });
  onTestFinished(() => server.close());
  return await takeTurns([server.clientConfig()], "turns", { processes: 2, turns: 6 });
}

test(
  "two processes with the defaults take turns on a store whose conditions hold, and nothing is lost",
  TIMEOUT,
  async () => {
    const result = await turnsOn({});
    expect(result).toEqual({ processes: 2, turns: 6, done: 12, overlaps: 0, lost: 0, errors: {} });
    expect(turnsInWords(result)).toBe("12 of 12 turns");
  },
);

test(
  "a store that ignores conditions is refused, and what was lost without a word would be seen",
  TIMEOUT,
  async () => {
    const refused = await turnsOn({ quirks: { ignoreIfMatch: true, ignoreIfNoneMatch: true } });
    expect(refused).toMatchObject({ done: 0, errors: { "store-unsafe": 2 } });
    expect(isSilent(refused)).toBe(false);
    expect(isSilent({ ...refused, done: 12, overlaps: 3, lost: 2, errors: {} })).toBe(true);
    expect(isSilent({ ...refused, done: 12, lost: 2, errors: { lost: 1 } })).toBe(true);
  },
);

const results = readResults();
const safe = results.find(({ verdict }) => verdict === "safe") as StoreResult;

test("a row says what a store comes to, why, and what it does with versions", () => {
  const fine = { processes: 2, turns: 10, done: 20, overlaps: 0, lost: 0, errors: {} };
  const observation = { ...safe.observation, createDeleted: "200", replaceDeleted: "404" };
  const none = { none: "501 NotImplemented" };
  const plain = {
    ...safe,
    turns: fine,
    versions: { enabled: { observation, turns: fine }, suspended: none, "object-lock": none },
  };
  expect(verdictOf(plain)).toBe("**safe**");
  expect(versionsCell(plain, "enabled")).toBe("safe");
  expect(versionsCell(plain, "suspended")).toBe("none (501 NotImplemented)");
  const marked = { ...observation, createDeleted: "412", replaceDeleted: "200" };
  const counting = { ...plain, versions: { ...plain.versions, enabled: { observation: marked, turns: fine } } };
  expect(versionsCell(counting, "enabled")).toMatch(/^safe; a delete marker counts as an object \(412/);
  const ignoring = { ...observation, createExisting: "200", replaceCurrent: "412", replaceUnquoted: "412" };
  const ceph = { ...plain, versions: { ...plain.versions, enabled: { observation: ignoring, turns: fine } } };
  expect(verdictOf(ceph)).toBe("**safe**, but not with versions (enabled)");
  expect(versionsCell(ceph, "enabled")).toBe("**unsafe**: ignores `If-None-Match: *`; does not know `If-Match`");
  const silent = { ...plain, turns: { ...fine, overlaps: 4, lost: 3 } };
  expect(twoProcesses(silent)).toBe("**20 of 20 turns, 4 overlaps, 3 updates lost**");
  expect(
    whyOf({
      ...plain,
      verdict: "unsafe",
      faults: ["ignores `If-Match`", "not so: x"],
      observation: { ...observation, replaceStale: "200" },
    }),
  ).toBe("ignores `If-Match`");
});

test("every store that was measured since says what two processes with the defaults came to, and none was silent but those that lose races", () => {
  for (const result of results.filter(({ turns }) => turns !== undefined)) {
    const isSilentHere = isSilent(result.turns as NonNullable<StoreResult["turns"]>);
    if (isSilentHere) expect(verdictOf(result), result.title).toBe("**unsafe**: loses races");
  }
});
