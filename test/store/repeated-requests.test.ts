import { expect, it } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { clientFor, IF_ABSENT, ifMatch, OPTIONS, storeOver } from "./stub.js";

const PROBE = /\.s3-mutex\/probe-/;

it.each([0, 1, 2])("a probe of the ETag's form whose write %i was sent twice condemns no store", async (skip) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const store = storeOver(clientFor(server.endpoint));
  const created = await store.write("a", "one", IF_ABSENT, OPTIONS);
  if (created.kind !== "ok") throw new Error(created.kind);
  // A conflict on the ETag that a read then shows is what makes the store be asked.
  server.faults.add({ fault: "status", status: 412, operation: "PutObject", key: "a", times: 1 });
  server.faults.add({ fault: "duplicate", operation: "PutObject", key: PROBE, skip, times: 1 });
  expect(await store.write("a", "two", ifMatch(created.etag), OPTIONS)).toMatchObject({ kind: "conflict" });
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "one" });
  expect(await store.write("a", "three", ifMatch(created.etag), OPTIONS)).toMatchObject({ kind: "ok" });
});

it.each([
  ["PutObject", 0],
  ["PutObject", 1],
  ["PutObject", 2],
  ["PutObject", 3],
  ["DeleteObject", 0],
  ["DeleteObject", 1],
  ["DeleteObject", 2],
] as const)("a probe of deletes whose %s %i was sent twice is not what is remembered", async (operation, skip) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const store = storeOver(clientFor(server.endpoint));
  const { etag } = server.putObject("locks", "a", "one");
  server.faults.add({ fault: "duplicate", operation, key: PROBE, skip, times: 1 });
  const first = await store.remove("a", etag, OPTIONS);
  expect(["ok", "unknown"]).toContain(first.kind);
  if (first.kind === "unknown") expect(await store.remove("a", etag, OPTIONS)).toMatchObject({ kind: "ok" });
  expect(server.objects("locks")).toEqual([]);
});
