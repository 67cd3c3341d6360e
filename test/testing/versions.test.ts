import { DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import type { StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

/** Gives what one kind of store says, request by request, with its headers about versions. */
async function versioned(quirks: StoreQuirks) {
  const { client, server } = await startHarness({ quirks });
  let headers: Record<string, string> = {};
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      headers = (result.response as { headers: Record<string, string> }).headers;
      return result;
    },
    { step: "deserialize", priority: "low", name: "peek" },
  );
  const say = async (request: Promise<unknown>) => {
    const outcome = await outcomeOf(request);
    const marker = headers["x-amz-delete-marker"] === undefined ? "" : " marker";
    const id = headers["x-amz-version-id"];
    return `${outcome}${marker}${id === undefined ? "" : ` ${id === "null" ? "null" : "id"}`}`;
  };
  const at = { Bucket: BUCKET, Key: "a" };
  return {
    server,
    get: () => say(client.send(new GetObjectCommand(at))),
    put: (Body: string, condition: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
      say(client.send(new PutObjectCommand({ ...at, Body, ...condition }))),
    delete: (VersionId?: string) => say(client.send(new DeleteObjectCommand({ ...at, VersionId }))),
    versions: async () => {
      const { Versions = [], DeleteMarkers = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: "a" }),
      );
      return {
        versions: Versions.map(({ VersionId }) => VersionId),
        markers: DeleteMarkers.map(({ VersionId }) => VersionId),
        latest: [...Versions, ...DeleteMarkers].filter(({ IsLatest }) => IsLatest).map(({ VersionId }) => VersionId),
      };
    },
  };
}

const MD5_OF_V = '"9e3669d19b675bd57058fd4664205d2a"';
const CREATE = { IfNoneMatch: "*" };
const OVER_V = { IfMatch: MD5_OF_V };

test.each<[string, StoreQuirks, Record<string, string>]>([
  [
    "AWS",
    { versioning: "Enabled" },
    {
      put: "ok id",
      get: "ok id",
      createOverLive: "412 PreconditionFailed",
      deleted: "ok marker id",
      gone: "404 NoSuchKey marker id",
      replaceOverMarker: "404 NoSuchKey",
      createOverMarker: "ok id",
    },
  ],
  [
    "AWS, suspended",
    { versioning: "Suspended" },
    {
      put: "ok null",
      get: "ok null",
      createOverLive: "412 PreconditionFailed",
      deleted: "ok marker null",
      gone: "404 NoSuchKey marker null",
      replaceOverMarker: "404 NoSuchKey",
      createOverMarker: "ok null",
    },
  ],
  [
    "versitygw",
    { versioning: "Enabled", versionsLike: "versitygw" },
    {
      put: "ok id",
      get: "ok id",
      createOverLive: "412 PreconditionFailed",
      deleted: "ok marker id",
      gone: "404 NoSuchKey marker",
      createOverMarker: "412 PreconditionFailed",
      replaceOverMarker: "ok id",
    },
  ],
  [
    "versitygw, suspended",
    { versioning: "Suspended", versionsLike: "versitygw" },
    {
      put: "ok",
      get: "ok",
      createOverLive: "412 PreconditionFailed",
      deleted: "ok marker null",
      gone: "404 NoSuchKey marker",
      createOverMarker: "412 PreconditionFailed",
      replaceOverMarker: "ok",
    },
  ],
  [
    "Ceph",
    { versioning: "Enabled", versionsLike: "ceph" },
    {
      put: "ok id",
      get: "ok id",
      createOverLive: "ok id",
      deleted: "ok marker id",
      gone: "404 NoSuchKey",
      replaceOverMarker: "412 PreconditionFailed",
      createOverMarker: "ok id",
    },
  ],
  [
    "Ceph, suspended",
    { versioning: "Suspended", versionsLike: "ceph" },
    {
      put: "ok",
      get: "ok",
      createOverLive: "412 PreconditionFailed",
      deleted: "ok marker null",
      gone: "404 NoSuchKey",
      replaceOverMarker: "412 PreconditionFailed",
      createOverMarker: "412 PreconditionFailed",
    },
  ],
])("a bucket with versions, as of %s", async (_, quirks, expected) => {
  const store = await versioned(quirks);
  const seen: Record<string, string> = {
    put: await store.put("v", CREATE),
    get: await store.get(),
    createOverLive: await store.put("v", CREATE),
    deleted: await store.delete(),
    gone: await store.get(),
  };
  const order = ["createOverMarker", "replaceOverMarker"];
  // What succeeds comes last, or there is no marker any more.
  for (const name of order.sort((a) => (expected[a]?.startsWith("ok") ? 1 : -1))) {
    seen[name] = await store.put("w", name === "createOverMarker" ? CREATE : OVER_V);
  }
  expect(seen).toEqual(expected);
});

test("an own ETag never matches in a versioned bucket of Ceph, and does elsewhere", async () => {
  for (const versionsLike of ["aws", "versitygw", "ceph"] as const) {
    const store = await versioned({ versioning: "Enabled", versionsLike });
    await store.put("v");
    expect(await store.put("w", OVER_V)).toBe(versionsLike === "ceph" ? "412 PreconditionFailed" : "ok id");
  }
});

test("a delete marker is removed by its version id, and what is under it shows again", async () => {
  const store = await versioned({ versioning: "Enabled" });
  await store.put("v");
  await store.put("w");
  await store.delete();
  const { versions, markers, latest } = await store.versions();
  expect([versions.length, markers.length, latest]).toEqual([2, 1, markers]);
  expect(await store.delete(markers[0])).toBe("ok marker id");
  expect(await store.get()).toBe("ok id");
  expect(store.server.getObject(BUCKET, "a")?.text).toBe("w");
  for (const id of versions) await store.delete(id);
  expect(await store.get()).toBe("404 NoSuchKey");
  expect(await store.versions()).toEqual({ versions: [], markers: [], latest: [] });
});

test("what was there before versioning is the version null, which a suspended bucket replaces", async () => {
  const store = await versioned({});
  await store.put("before");
  expect((await store.versions()).versions).toEqual(["null"]);
  store.server.setQuirks({ versioning: "Enabled" });
  expect(await store.get()).toBe("ok null");
  await store.put("second");
  store.server.setQuirks({ versioning: "Suspended" });
  await store.put("third");
  await store.put("fourth");
  const { versions, latest } = await store.versions();
  expect([versions.length, latest]).toEqual([2, ["null"]]);
  await store.delete();
  expect(await store.versions()).toMatchObject({ markers: ["null"], latest: ["null"] });
});
