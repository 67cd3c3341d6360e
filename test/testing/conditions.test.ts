import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { BUCKET, type Harness, outcomeOf, startHarness } from "./harness.js";

const OTHER_ETAG = '"00000000000000000000000000000000"';

const unquoted = (etag: string) => etag.replaceAll('"', "");

function remove({ client }: Harness, key: string, IfMatch: string): Promise<unknown> {
  return client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key, IfMatch }));
}

test("PUT If-None-Match: * creates once", async () => {
  const { put, get } = await startHarness();
  expect(await outcomeOf(put("k", "first", { IfNoneMatch: "*" }))).toBe("ok");
  expect(await outcomeOf(put("k", "second", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  expect(await get("k")).toBe("first");
});

test("PUT If-None-Match with an ETag, or with If-Match as well, is not implemented", async () => {
  const { put } = await startHarness();
  expect(await outcomeOf(put("k", "v", { IfNoneMatch: OTHER_ETAG }))).toBe("501 NotImplemented");
  expect(await outcomeOf(put("k", "v", { IfNoneMatch: "*", IfMatch: OTHER_ETAG }))).toBe("501 NotImplemented");
});

test("PUT If-Match replaces exactly that version; the ETag may be quoted or not", async () => {
  const { put, get } = await startHarness();
  const first = await put("k", "1");
  const second = await put("k", "2", { IfMatch: first });
  expect(await outcomeOf(put("k", "3", { IfMatch: first }))).toBe("412 PreconditionFailed");
  expect(await outcomeOf(put("k", "4", { IfMatch: unquoted(second) }))).toBe("ok");
  expect(await outcomeOf(put("absent", "5", { IfMatch: second }))).toBe("404 NoSuchKey");
  expect(await get("k")).toBe("4");
});

test("equal bodies have equal ETags, so that a version may come back", async () => {
  const { put } = await startHarness();
  const first = await put("k", "same");
  await put("k", "other");
  expect(await put("k", "same")).toBe(first);
  expect(await outcomeOf(put("k", "next", { IfMatch: first }))).toBe("ok");
});

test("DELETE If-Match: 204 on a match, 412 on another version, 404 on nothing", async () => {
  const harness = await startHarness();
  const etag = await harness.put("k", "1");
  expect(await outcomeOf(remove(harness, "k", OTHER_ETAG))).toBe("412 PreconditionFailed");
  expect(await outcomeOf(remove(harness, "k", etag))).toBe("ok");
  expect(await outcomeOf(remove(harness, "k", etag))).toBe("404 NoSuchKey");
  await harness.put("k", "2");
  expect(await outcomeOf(remove(harness, "k", "*"))).toBe("ok");
});

test("GET and HEAD: If-None-Match answers 304 with the ETag, If-Match 412", async () => {
  const { client, put, get } = await startHarness();
  const etag = await put("k", "1");
  const notModified = await get("k", { IfNoneMatch: etag }).catch((error) => error);
  expect(notModified.$metadata.httpStatusCode).toBe(304);
  expect(notModified.$response.headers.etag).toBe(etag);
  expect(await get("k", { IfNoneMatch: OTHER_ETAG })).toBe("1");
  expect(await outcomeOf(get("k", { IfMatch: OTHER_ETAG }))).toBe("412 PreconditionFailed");
  const head = client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "k", IfNoneMatch: unquoted(etag) }));
  expect(await outcomeOf(head)).toMatch(/^304/);
  const absent = client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "absent", IfNoneMatch: etag }));
  expect(await outcomeOf(absent)).toBe("404 NoSuchKey");
});

test("of racing creates and of racing replacements exactly one wins", async () => {
  const { put } = await startHarness({ latencyMs: () => Math.random() * 4 });
  const race = (condition: { IfNoneMatch?: string; IfMatch?: string }) =>
    Promise.all(Array.from({ length: 16 }, (_, i) => outcomeOf(put("k", `${i}`, condition))));
  const wins = (outcomes: string[]) => outcomes.filter((outcome) => outcome === "ok").length;
  for (let round = 0; round < 5; round++) {
    const etag = await put("k", `round ${round}`);
    expect(wins(await race({ IfMatch: etag }))).toBe(1);
    expect(wins(await race({ IfNoneMatch: "*" }))).toBe(0);
  }
  const creates = await Promise.all(
    Array.from({ length: 16 }, (_, i) => outcomeOf(put("new", `${i}`, { IfNoneMatch: "*" }))),
  );
  expect(wins(creates)).toBe(1);
});
