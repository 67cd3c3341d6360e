import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test, vi } from "vitest";
import type { StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, type Harness, outcomeOf, startHarness } from "./harness.js";

const OTHER_ETAG = '"00000000000000000000000000000000"';

const startWith = (quirks: StoreQuirks) => startHarness({ quirks });

function remove({ client }: Harness, key: string, IfMatch: string): Promise<string> {
  return outcomeOf(client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key, IfMatch })));
}

/** Counts how many of some racing requests ended in each way. */
async function tally(requests: Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(requests.map(outcomeOf))) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

async function keysListed({ client }: Harness): Promise<(string | undefined)[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Contents.map((one) => one.Key);
}

test("ignoreIfNoneMatch: all create", async () => {
  const { put, get } = await startWith({ ignoreIfNoneMatch: true });
  await put("k", "1", { IfNoneMatch: "*" });
  expect(await outcomeOf(put("k", "2", { IfNoneMatch: "*" }))).toBe("ok");
  expect(await get("k")).toBe("2");
  expect(await outcomeOf(put("k", "3", { IfMatch: OTHER_ETAG }))).toBe("412 PreconditionFailed");
});

test("ignoreIfMatch: a stale version is not an obstacle", async () => {
  const { put } = await startWith({ ignoreIfMatch: true });
  expect(await outcomeOf(put("k", "1", { IfMatch: OTHER_ETAG }))).toBe("ok");
  expect(await outcomeOf(put("k", "2", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
});

test("conditionalPutUnsupported: 501 for either condition", async () => {
  const { put } = await startWith({ conditionalPutUnsupported: true });
  expect(await outcomeOf(put("k", "1", { IfNoneMatch: "*" }))).toBe("501 NotImplemented");
  expect(await outcomeOf(put("k", "1", { IfMatch: OTHER_ETAG }))).toBe("501 NotImplemented");
  expect(await outcomeOf(put("k", "1"))).toBe("ok");
});

test("deleteIgnoresIfMatch and deleteIfMatchUnsupported", async () => {
  const harness = await startWith({ deleteIgnoresIfMatch: true });
  await harness.put("k", "1");
  expect(await remove(harness, "k", OTHER_ETAG)).toBe("ok");
  expect(harness.server.objects(BUCKET)).toEqual([]);
  harness.server.setQuirks({ deleteIfMatchUnsupported: true });
  await harness.put("k", "1");
  expect(await remove(harness, "k", OTHER_ETAG)).toBe("501 NotImplemented");
});

test("checkThenWriteRace: behaves when asked in turn, and lets racers all win", async () => {
  const { put } = await startWith({ checkThenWriteRace: true });
  const creates = Array.from({ length: 4 }, (_, i) => put("k", `${i}`, { IfNoneMatch: "*" }));
  expect((await tally(creates))["ok"]).toBeGreaterThan(1);
  expect(await outcomeOf(put("k", "late", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  expect(await outcomeOf(put("k", "late", { IfMatch: OTHER_ETAG }))).toBe("412 PreconditionFailed");
});

test("losersGet500: 500 for those that raced, 412 for those that came later", async () => {
  const { put } = await startWith({ losersGet500: true });
  const creates = Array.from({ length: 4 }, (_, i) => put("k", `${i}`, { IfNoneMatch: "*" }));
  const counts = await tally(creates);
  expect(counts["ok"]).toBe(1);
  expect(counts["500 UnknownError"]).toBeGreaterThan(0);
  expect(await outcomeOf(put("k", "late", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
});

test("etagForm: the other form is not recognised", async () => {
  const { server, put } = await startWith({ etagForm: "unquoted-only" });
  const etag = await put("k", "same");
  expect(await outcomeOf(put("k", "same", { IfMatch: etag }))).toBe("412 PreconditionFailed");
  expect(await outcomeOf(put("k", "same", { IfMatch: etag.replaceAll('"', "") }))).toBe("ok");
  server.setQuirks({ etagForm: "quoted-only" });
  expect(await outcomeOf(put("k", "same", { IfMatch: etag }))).toBe("ok");
  expect(await outcomeOf(put("k", "same", { IfMatch: etag.replaceAll('"', "") }))).toBe("412 PreconditionFailed");
});

test("missingKeyIfMatchStatus: 412, or 200 as if there had been no condition", async () => {
  const { server, put, get } = await startWith({ missingKeyIfMatchStatus: 412 });
  expect(await outcomeOf(put("k", "v", { IfMatch: OTHER_ETAG }))).toBe("412 PreconditionFailed");
  server.setQuirks({ missingKeyIfMatchStatus: 200 });
  expect(await outcomeOf(put("k", "v", { IfMatch: OTHER_ETAG }))).toBe("ok");
  expect(await get("k")).toBe("v");
});

test("readIgnoresIfNoneMatch: the whole body, never 304", async () => {
  const { put, get } = await startWith({ readIgnoresIfNoneMatch: true });
  const etag = await put("k", "v");
  expect(await get("k", { IfNoneMatch: etag })).toBe("v");
});

test("noDate: no Date header on any answer", async () => {
  const { server } = await startWith({ noDate: true });
  for (const path of ["", `${BUCKET}/absent`]) {
    expect((await fetch(`${server.endpoint}/${path}`)).headers.get("date")).toBeNull();
  }
});

test("staleReadMs: reads lag behind writes", async () => {
  const { server, put, get } = await startWith({ staleReadMs: 60_000 });
  server.putObject(BUCKET, "k", "1");
  expect(await outcomeOf(get("k"))).toBe("404 NoSuchKey");
  expect(await outcomeOf(put("k", "2", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  server.setQuirks({ staleReadMs: 0 });
  expect(await get("k")).toBe("1");
});

test("staleListMs: listings lag behind, in both directions", async () => {
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + aheadMs);
  onTestFinished(() => clock.mockRestore());
  const harness = await startWith({ staleListMs: 60_000 });
  harness.server.putObject(BUCKET, "old", "v");
  expect(await keysListed(harness)).toEqual([]);
  aheadMs += 90_000;
  expect(await keysListed(harness)).toEqual(["old"]);
  harness.server.deleteObject(BUCKET, "old");
  harness.server.putObject(BUCKET, "new", "v");
  expect(await keysListed(harness)).toEqual(["old"]);
  expect(await harness.get("new")).toBe("v");
  aheadMs += 90_000;
  expect(await keysListed(harness)).toEqual(["new"]);
});

test("writesPerSecondPerKey: 429 above, for each key by itself", async () => {
  const { put } = await startWith({ writesPerSecondPerKey: 2 });
  const five = Array.from({ length: 5 }, (_, i) => put("k", `${i}`));
  expect(await tally(five)).toEqual({ ok: 2, "429 TooManyRequests": 3 });
  expect(await outcomeOf(put("other", "v"))).toBe("ok");
});

test("deny: 403 for these operations, and no others", async () => {
  const harness = await startWith({ deny: ["ListObjectsV2", "DeleteObject"] });
  await harness.put("k", "v");
  expect(await outcomeOf(keysListed(harness))).toBe("403 AccessDenied");
  expect(await remove(harness, "k", OTHER_ETAG)).toBe("403 AccessDenied");
  expect(await harness.get("k")).toBe("v");
});

test("setQuirks replaces what was set before", async () => {
  const { server, put } = await startWith({ deny: ["PutObject"], noDate: true });
  server.setQuirks({});
  expect(await outcomeOf(put("k", "v"))).toBe("ok");
  expect((await fetch(server.endpoint)).headers.get("date")).not.toBeNull();
});
