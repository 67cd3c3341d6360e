import { expect, it } from "vitest";
import { BodyHashes } from "./body-hash.js";
import { foundBy, isUnchanged, type KeyAnswer, writtenBy } from "./key-answers.js";

it.each([
  [304, {}, true],
  [304, { etag: '"1"' }, true],
  [304, { etag: '"2"' }, false],
  [200, { etag: '"1"' }, false],
  [404, {}, false],
])("%i with %o says that what was asked about is unchanged: %s", (status, headers, expected) => {
  expect(isUnchanged(status, { code: undefined, transmission: { headers } }, '"1"')).toBe(expected);
});

it.each([203, 206])("%i is not the object, whatever it has", (status) => {
  const answer: KeyAnswer = {
    request: { action: "s3:GetObject", bucket: "locks", key: "a" },
    transmission: { status, headers: {} },
    timing: { sentAtMs: 1, receivedAtMs: 2 },
    etag: '"1"',
    hashes: new BodyHashes({ unlike: new Map() }),
  };
  expect(foundBy(answer, { kind: "bytes", bytes: Buffer.from("{") }, 1000)).toMatchObject({
    kind: "unknown",
    error: { code: "store-unavailable", message: expect.stringContaining(`it was answered with ${status}`) },
  });
});

it("a body under two ETags that are not its hash is made up, where this store's are hashes: said, and not believed", () => {
  const answerWith = (etag: string): KeyAnswer => ({
    request: { action: "s3:GetObject", bucket: "locks", key: "a" },
    transmission: { status: 200, headers: {} },
    timing: { sentAtMs: 1, receivedAtMs: 2 },
    etag: `"${etag.repeat(32)}"`,
    hashes,
  });
  const hashes = new BodyHashes({ isMd5: true, unlike: new Map() });
  const found = (etag: string) => foundBy(answerWith(etag), { kind: "bytes", bytes: Buffer.from("body") }, 1000);
  const said = (words: string) => ({ kind: "unknown", error: { message: expect.stringContaining(words) } });
  expect(found("1")).toMatchObject(
    said("the body was damaged on the way: its 4 bytes are not what its ETag is the hash of"),
  );
  expect(found("2")).toMatchObject(
    said("the same 4 bytes came under different ETags, and neither is their hash, as those of writes here are"),
  );
});

it.each([undefined, "", '""', 'W/""'])("%s is not an ETag: a version that has none cannot be named", (etag) => {
  const answer: KeyAnswer = {
    request: { action: "s3:PutObject", bucket: "locks", key: "a" },
    transmission: { status: 200, headers: { "x-amz-request-id": "1" } },
    timing: { sentAtMs: 1, receivedAtMs: 2 },
    etag,
    hashes: new BodyHashes({ isMd5: false, unlike: new Map() }),
  };
  const error = { message: expect.stringContaining("the answer has no ETag (200 with") };
  expect(writtenBy(answer, "{}")).toMatchObject({ kind: "unknown", error });
  const found = foundBy(answer, { kind: "bytes", bytes: Buffer.from("{}") }, 1000);
  expect(found).toMatchObject({ kind: "no-etag", outcome: { error } });
});

it("words of another program are not a receipt, also where this store marks none of its answers", () => {
  const answerWith = (text: string): KeyAnswer => ({
    request: { action: "s3:PutObject", bucket: "locks", key: "a" },
    transmission: { status: 200, headers: {}, text },
    timing: { sentAtMs: 1, receivedAtMs: 2 },
    etag: '"1"',
    hashes: new BodyHashes({ isMd5: false, leavesUnmarked: true, unlike: new Map() }),
  });
  expect(writtenBy(answerWith("Welcome"), "{}")).toMatchObject({ kind: "unknown" });
  expect(writtenBy(answerWith(""), "{}")).toMatchObject({ kind: "ok" });
});
