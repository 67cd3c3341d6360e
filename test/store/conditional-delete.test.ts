import { expect, it } from "vitest";
import { type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { clientFor, IF_ABSENT, OPTIONS, storeOver } from "./stub.js";

const PROBE = /^locks\/\.s3-mutex\/probe-/;

async function withObject(quirks: StoreQuirks) {
  const server = await startS3Server({ buckets: ["locks", "others"], quirks });
  const client = clientFor(server.endpoint);
  const store = storeOver(client);
  const etag = server.putObject("locks", "a", "one").etag;
  const deletes = (key: string | RegExp) =>
    server.recentRequests.filter((r) => r.operation === "DeleteObject" && (r.key ?? "").search(key) >= 0).length;
  return { server, client, store, etag, deletes, [Symbol.asyncDispose]: () => server.close() };
}

it("removes where a probe has shown that the condition is honoured, and probes once", async () => {
  await using subject = await withObject({});
  const { server, client, store, etag, deletes } = subject;
  const others = Array.from({ length: 10 }, (_, n) => server.putObject("locks", `k${n}`, `${n}`));
  const removals = await Promise.all(others.map(({ key, etag: each }) => storeOver(client).remove(key, each, OPTIONS)));
  expect(new Set(removals.map(({ kind }) => kind))).toEqual(new Set(["ok"]));
  expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "ok" });
  expect(deletes(PROBE)).toBe(3 + 1);
  expect(server.objects("locks")).toEqual([]);
});

it.each<[string, StoreQuirks]>([
  ["ignores the condition", { deleteIgnoresIfMatch: true }],
  ["does not know it", { deleteIfMatchUnsupported: true }],
  ["ignores it and compares unquoted ETags", { deleteIgnoresIfMatch: true, etagForm: "unquoted-only" }],
])("leaves the object alone on a store that %s", async (_, quirks) => {
  await using subject = await withObject(quirks);
  const { server, store, etag, deletes } = subject;
  expect(await store.remove("a", etag, OPTIONS)).toEqual({ kind: "unsupported" });
  const before = server.requests.total;
  expect(await store.remove("a", etag, OPTIONS)).toEqual({ kind: "unsupported" });
  expect(server.requests.total).toBe(before);
  expect(deletes(/^a$/)).toBe(0);
  expect(server.objects("locks").map(({ key }) => key)).toEqual(["a"]);
});

it("sends the form of ETag that the store understands", async () => {
  await using subject = await withObject({ etagForm: "unquoted-only" });
  const { server, store, etag } = subject;
  expect(await store.remove("a", '"stale"', OPTIONS)).toMatchObject({ kind: "conflict" });
  expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "ok" });
  expect(server.objects("locks")).toEqual([]);
});

it.each([
  ["PutObject", 0],
  ["PutObject", 2],
  ["DeleteObject", 2],
  ["DeleteObject", 3],
  ["GetObject", 0],
  ["GetObject", 1],
] as const)(
  "does not remember a probe that had an unknown outcome (%s, %i before it)",
  // A DELETE of nothing comes first, and the probe of the ETag's form: two PUTs, and a DELETE to clean up.
  async (operation, skip) => {
    await using subject = await withObject({});
    const { server, store, etag } = subject;
    server.faults.add({ fault: "lose-response", operation, key: PROBE, skip, times: 1 });
    expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "unknown" });
    expect(server.getObject("locks", "a")).toBeDefined();
    expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "ok" });
    expect(server.objects("locks")).toEqual([]);
  },
);

it.each<[string, StoreQuirks]>([
  ["as on AWS", {}],
  ["where ETags go without quotes", { etagForm: "unquoted-only" }],
])("leaves nothing behind where deleting is denied, %s, and asks again next time", async (_, quirks) => {
  await using subject = await withObject({ ...quirks, deny: ["DeleteObject"] });
  const { server, store, etag } = subject;
  for (let time = 1; time <= 3; time += 1) {
    expect(await store.remove("a", etag, OPTIONS)).toEqual({ kind: "unsupported" });
    expect(server.objects("locks").map(({ key }) => key)).toEqual(["a"]);
  }
  server.setQuirks(quirks);
  expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "ok" });
});

it("leaves the object where only its own deletion is denied", async () => {
  await using subject = await withObject({});
  const { server, store, etag } = subject;
  server.faults.add({ fault: "status", status: 403, code: "AccessDenied", operation: "DeleteObject", key: "a" });
  expect(await store.remove("a", etag, OPTIONS)).toEqual({ kind: "unsupported" });
  expect(server.objects("locks").map(({ key }) => key)).toEqual(["a"]);
});

it("knows each bucket by itself", async () => {
  await using subject = await withObject({});
  const { server, client, store, etag } = subject;
  await store.remove("a", etag, OPTIONS);
  server.setQuirks({ deleteIgnoresIfMatch: true });
  const other = server.putObject("others", "a", "one");
  expect(await storeOver(client, { bucketName: "others" }).remove("a", other.etag, OPTIONS)).toEqual({
    kind: "unsupported",
  });
});

it("makes its probes under the prefix, with a key of its own each time", async () => {
  await using subject = await withObject({ deleteIgnoresIfMatch: true });
  const { server, client, etag } = subject;
  await storeOver(client, { keyPrefix: "x/y-" }).remove("a", etag, OPTIONS);
  const keys = server.recentRequests.flatMap(({ key }) => (key?.includes("probe") ? [key] : []));
  expect(keys.every((key) => key.startsWith("x/y-.s3-mutex/probe-"))).toBe(true);
  // The one of the ETag's form, that of deletions, and what is asked to be deleted and never was.
  expect(new Set(keys).size).toBe(3);
});

it("does not create what it cannot remove: a removal of nothing leaves nothing", async () => {
  await using subject = await withObject({});
  const { server, store } = subject;
  expect(await store.remove("b", '"x"', OPTIONS)).toMatchObject({ kind: "absent" });
  expect(await store.write("b", "one", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  expect(server.objects("locks").map(({ key }) => key)).toEqual(["a", "b"]);
});
