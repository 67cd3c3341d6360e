import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { CONFIGURATIONS, WITHOUT } from "../../stores/document/configurations.js";
import { ELSEWHERE } from "../../stores/document/elsewhere.js";
import { pageOf, readResults } from "../../stores/document/page.js";
import { KINDS } from "../../stores/kinds.js";
import { faultsOf, type StoreResult } from "../../stores/result.js";

const results = readResults();

test("docs/guide/stores.md says what the recorded results say: npm run stores -- --document", () => {
  expect(readFileSync("docs/guide/stores.md", "utf8")).toBe(pageOf(results));
});

test("every store of the page was measured, or has a source, or is said to be unknown", () => {
  const measured = new Set(results.map(({ store }) => store));
  const titles = ELSEWHERE.map(({ title }) => title);
  expect(KINDS.filter(({ name, title }) => !measured.has(name) && !titles.includes(title))).toEqual([]);
  for (const { source } of ELSEWHERE) expect(source).not.toBe("");
});

test.each(["Hetzner", "OVH", "Scaleway", "Storj", "IBM", "StorageGRID", "IDrive"])("S18: %s is on the page", (name) => {
  const rows = readFileSync("docs/guide/stores.md", "utf8").split("\n");
  const row = rows.find((line) => line.startsWith("|") && line.split("|")[1]?.includes(name));
  // What it can do, remarks, and where that comes from.
  const cells = row
    ?.split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());
  expect(cells?.at(-1)).not.toBe("");
  expect(cells?.slice(0, 3)).not.toContain("");
});

test("there is a configuration for every store that can hold locks, and a word on those that cannot", () => {
  const named = [...CONFIGURATIONS.map(({ title }) => title), WITHOUT].join("\n");
  const all = [...KINDS.map(({ title }) => title), ...ELSEWHERE.map(({ title }) => title)];
  const shortened = all.map((title) =>
    title
      .replace(/^Versity S3 Gateway.*/, "versitygw")
      .replace(/^S3Proxy .*/, "S3Proxy")
      .replace(/,? [\d.]+$|,.*/, ""),
  );
  expect(shortened.filter((title) => !named.includes(title))).toEqual([]);
});

test.each(CONFIGURATIONS.map(({ title, code }) => [title, code]))(
  "the configuration for %s is accepted",
  async (_, code) => {
    const mutex = new Function("S3Mutex", `${code}\nreturn mutex;`)(S3Mutex) as S3Mutex;
    expect(mutex).toBeInstanceOf(S3Mutex);
    await mutex.close();
  },
);

test("what was measured decides: a store with two winners, or one that ignores conditions, is unsafe", () => {
  const ceph = results.find(({ store }) => store === "ceph") as StoreResult;
  expect(faultsOf(ceph)).toEqual([]);
  const twice = { ...ceph.create, winners: { "1": 99, "2": 1 } };
  expect(faultsOf({ ...ceph, create: twice })).toEqual(["racing creates: one winner in 99 of 100 rounds, up to 2"]);
  expect(faultsOf({ ...ceph, replace: { ...ceph.replace, wrongObject: 1 } })).toHaveLength(1);
  const ignoring = { ...ceph.observation, createExisting: "200", replaceStale: "200" };
  expect(faultsOf({ ...ceph, observation: ignoring })).toEqual(["ignores `If-None-Match: *`", "ignores `If-Match`"]);
  const refusing = { ...ceph.observation, replaceCurrent: "501", replaceUnquoted: "501" };
  expect(faultsOf({ ...ceph, observation: refusing })).toEqual(["does not know `If-Match`"]);
});

test("Ceph holds what was promised: two gateways, one winner in each of 100 rounds, nothing lost in five minutes", () => {
  const ceph = results.find(({ store }) => store === "ceph") as StoreResult;
  expect(ceph).toMatchObject({ gateways: 2, verdict: "safe", suite: { failed: [], withLocks: true } });
  expect(ceph.create).toMatchObject({ clients: 16, rounds: 100, winners: { "1": 100 }, wrongObject: 0 });
  expect(ceph.replace).toMatchObject({ clients: 16, rounds: 100, winners: { "1": 100 }, wrongObject: 0 });
  expect(ceph.chaos).toMatchObject({ passed: true, seconds: 300, lostBehindTokens: 0 });
  expect(ceph.chaos?.gatewaysKilled).toBeGreaterThan(10);
});
