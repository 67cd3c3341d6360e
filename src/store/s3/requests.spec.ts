import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Clockwork } from "../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering, refusing, type Sent } from "../../../test/store/handler.js";
import { stateOf } from "./client/client-state.js";
import { NO_HEADERS } from "./client/store-headers.js";
import { BodyHashes } from "./learnt/body-hash.js";
import { PutChecksums } from "./learnt/put-checksum.js";
import { Versions } from "./learnt/versions.js";
import { S3Requests } from "./requests.js";
import { Sender } from "./sender.js";

const OPTIONS = { timeoutMs: 5_000 };
const TIMING = { sentAtMs: 10_000, receivedAtMs: 10_000 };

/** Requests to a store that answers these, one after the other. */
function asking(...answers: readonly Answered[]) {
  const { client, sent } = clientAnswering((_, count) => answers[count - 1] ?? { statusCode: 500 });
  const { effects } = new Clockwork();
  const state = stateOf(client, 40);
  const { bodyHash, checksum, versions } = state.bucket("locks");
  const sender = new Sender(client, state, effects);
  const requests = new S3Requests({
    client,
    bucket: "locks",
    maxBodyBytes: 100,
    hashes: new BodyHashes(bodyHash),
    checksums: new PutChecksums(checksum),
    versions: new Versions(versions),
    fields: {
      ...NO_HEADERS,
      get: { RequestPayer: "requester" },
      put: { ACL: "bucket-owner-full-control" },
      delete: { ExpectedBucketOwner: "123456789012" },
    },
    send: (operation, options) => sender.send(operation, options),
  });
  const asked = () => sent.map(({ method, path }) => `${method} ${path}`);
  return { requests, sent, asked, bodyHash };
}

const found = (
  body: string | Buffer,
  headers: Record<string, string> = { etag: '"1"' },
  statusCode = 200,
): Answered => {
  return { statusCode, headers, body: Buffer.from(body) };
};
const md5Of = (body: string) => `"${createHash("md5").update(body).digest("hex")}"`;
const header = (request: Sent | undefined, name: string) => request?.headers[name];

describe("a read", () => {
  it("asks for the object, with what its owner wants to see, and under no condition that was not given", async () => {
    const { requests, sent, asked } = asking(found("{}"), found("{}"));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "ok", etag: '"1"', body: "{}" });
    await requests.get("a", '"0"', OPTIONS);
    expect(asked()).toEqual(["GET /locks/a", "GET /locks/a"]);
    expect(sent.map((one) => header(one, "if-none-match"))).toEqual([undefined, '"0"']);
    expect(header(sent[0], "x-amz-request-payer")).toBe("requester");
  });

  it("of an object that is as it was says so", async () => {
    const { requests } = asking({ statusCode: 304 }, { statusCode: 304, headers: { etag: '"1"' } });
    expect(await requests.get("a", '"1"', OPTIONS)).toEqual({ kind: "unchanged", timing: TIMING });
    expect(await requests.get("a", '"1"', OPTIONS)).toEqual({ kind: "unchanged", timing: TIMING });
  });

  it("that is told 304 of another version asks again, without a condition", async () => {
    const { requests, sent } = asking({ statusCode: 304, headers: { etag: '"2"' } }, found("{}"));
    expect(await requests.get("a", '"1"', OPTIONS)).toMatchObject({ kind: "ok", body: "{}" });
    expect(sent.map((one) => header(one, "if-none-match"))).toEqual(['"1"', undefined]);
  });

  it("that is told 304 without having asked is none the wiser", async () => {
    const { requests, sent } = asking({ statusCode: 304, headers: { etag: '"2"' } });
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown" });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ["whose length is told", { etag: '"1"', "content-length": "101", "x-amz-request-id": "1" }],
    ["whose length is not", { etag: '"1"', "x-amz-request-id": "1" }],
  ])("of what is too long for a record (%s) has its ETag", async (_, headers) => {
    const { requests } = asking(found("x".repeat(101), headers));
    expect(await requests.get("a", undefined, OPTIONS)).toEqual({ kind: "oversized", etag: '"1"', timing: TIMING });
  });

  it.each<[string, Record<string, string>]>([
    ["has no ETag", {}],
    ["has an empty one", { etag: "" }],
  ])("whose answer %s has what may show whose it is", async (_, headers) => {
    const { requests } = asking(found("{}", headers));
    const message = 's3:GetObject on s3://locks/a: the answer has no ETag (200 with "{}")';
    const outcome = { kind: "unknown", error: { message } };
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "no-etag", body: "{}", outcome });
  });

  it("that is a page without an ETag is not asked about", async () => {
    const { requests } = asking(found("<html>Welcome</html>", { "content-type": "text/html" }));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown" });
  });

  it.each([
    [
      "is a page",
      found("<html>Welcome</html>", { etag: '"1"', "content-type": "text/html" }),
      's3:GetObject on s3://locks/a: the answer is not one of S3 (200 with text/html, "Welcome")',
    ],
  ])("whose answer %s knows nothing", async (_, answer, message) => {
    const { requests } = asking(answer);
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown", error: { message } });
  });

  it("undoes what was compressed on the way", async () => {
    const { requests } = asking(found(gzipSync("{}"), { etag: '"1"', "content-encoding": "gzip" }));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "ok", body: "{}" });
  });

  it("does not believe a body that its ETag is not the hash of, where ETags are hashes", async () => {
    const cut = found("{", { etag: md5Of("{}"), "x-amz-request-id": "1" });
    const { requests, bodyHash } = asking(cut, cut, found("{}", { etag: md5Of("{}") }));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "ok", body: "{", isDoubtful: true });
    bodyHash.isMd5 = true;
    const message = expect.stringContaining("damaged on the way: its 1 bytes are not what its ETag is the hash of");
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown", error: { message } });
    expect(await requests.get("a", undefined, OPTIONS)).not.toHaveProperty("isDoubtful");
  });
});

describe("a read without a body", () => {
  it("of what is not there says so only where the store names the key", async () => {
    const { requests } = asking(
      refusing(404, "NoSuchKey"),
      refusing(404, "NoSuchBucket"),
      refusing(404, "NotFound"),
      { statusCode: 404 },
      refusing(403, "NoSuchKey"),
    );
    const answers: object[] = [];
    for (let times = 0; times < 5; times += 1) answers.push(await requests.get("a", undefined, OPTIONS));
    expect(answers).toMatchObject([
      { kind: "absent", timing: TIMING },
      { kind: "refused", error: { code: "no-such-bucket" } },
      { kind: "bare-404", outcome: { kind: "unknown" } },
      { kind: "bare-404", outcome: { kind: "unknown" } },
      { kind: "refused" },
    ]);
  });

  it("of what is archived has the ETag, from a HEAD", async () => {
    const archived = refusing(403, "InvalidObjectState");
    const { requests, sent, asked } = asking(archived, { statusCode: 200, headers: { etag: '"1"' } });
    expect(await requests.get("a", undefined, OPTIONS)).toEqual({ kind: "archived", etag: '"1"', timing: TIMING });
    expect(asked()).toEqual(["GET /locks/a", "HEAD /locks/a"]);
    expect(header(sent[1], "x-amz-request-payer")).toBe("requester");
  });

  it.each([
    ["does not know it", { statusCode: 404 }],
    ["has no ETag", { statusCode: 200 }],
  ])("of what is archived is refused where the HEAD %s", async (_, head) => {
    const { requests, asked } = asking(refusing(403, "InvalidObjectState"), head);
    const message = expect.stringContaining("InvalidObjectState");
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "refused", error: { message } });
    expect(asked()).toHaveLength(2);
  });

  it("that is refused for another reason asks for no HEAD", async () => {
    const { requests, asked } = asking(refusing(403, "AccessDenied"));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "refused" });
    expect(asked()).toEqual(["GET /locks/a"]);
  });
});

describe("a write", () => {
  const created: Answered = { statusCode: 200, headers: { etag: '"1"' } };

  it("sends the body as JSON that no cache keeps, under its condition, with what the owner wants to see", async () => {
    const { requests, sent, asked } = asking(created);
    expect(await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).toEqual({
      kind: "ok",
      etag: '"1"',
      timing: TIMING,
    });
    expect(asked()).toEqual(["PUT /locks/a"]);
    expect(sent[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "if-none-match": "*",
      "x-amz-acl": "bucket-owner-full-control",
    });
    expect((sent[0] as { body?: unknown } | undefined)?.body).toBe("{}");
  });

  it.each([
    ["has no ETag", { statusCode: 200 }, "the answer has no ETag (200 with an empty body)"],
    ["is not a receipt", found("Welcome"), 'the answer is not one of S3 (200 with "Welcome")'],
  ])("whose answer %s may have been done", async (_, answer, fault) => {
    const { requests } = asking(answer);
    const message = `s3:PutObject on s3://locks/a: ${fault}`;
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({
      kind: "unknown",
      sent: true,
      error: { message },
    });
  });

  it("whose ETag is the hash of another body may have been done", async () => {
    const { requests, bodyHash } = asking({ statusCode: 200, headers: { etag: md5Of("other") } });
    bodyHash.isMd5 = true;
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({ kind: "unknown" });
  });

  it("comes second where the store says so", async () => {
    const { requests } = asking(refusing(412, "PreconditionFailed"), refusing(409, "ConditionalRequestConflict"));
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toEqual({ kind: "conflict", timing: TIMING });
    expect(await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).toEqual({ kind: "conflict", timing: TIMING });
  });

  it("of a version finds nothing only where the store names the key, and a create never", async () => {
    const { requests } = asking(
      refusing(404, "NoSuchKey"),
      refusing(404, "NoSuchKey"),
      refusing(404, "NoSuchBucket"),
      refusing(403, "NoSuchKey"),
    );
    const replace = () => requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS);
    expect(await replace()).toEqual({ kind: "absent", timing: TIMING });
    expect((await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).kind).not.toBe("absent");
    expect(await replace()).toMatchObject({ kind: "refused", error: { code: "no-such-bucket" } });
    expect((await replace()).kind).not.toBe("absent");
  });

  it("S4: is sent again with a checksum where the store wants one", async () => {
    const { requests, sent } = asking(refusing(400, "MissingContentMD5"), created);
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({ kind: "ok" });
    expect(sent.map((one) => header(one, "content-md5"))).toEqual([undefined, "mZFLkyvTelC5g8XnyQrpOw=="]);
    expect(sent.map((one) => header(one, "if-match"))).toEqual(['"0"', '"0"']);
  });
});

describe("a delete", () => {
  it("is of one version, or of whichever there is", async () => {
    const { requests, sent, asked } = asking({ statusCode: 204 }, { statusCode: 204 });
    expect(await requests.delete("a", '"1"', OPTIONS)).toEqual({ kind: "ok", timing: TIMING });
    expect(await requests.delete("a", undefined, OPTIONS)).toEqual({ kind: "ok", timing: TIMING });
    expect(asked().map((one) => one.split("?")[0])).toEqual(["DELETE /locks/a", "DELETE /locks/a"]);
    expect(sent.map((one) => header(one, "if-match"))).toEqual(['"1"', undefined]);
    expect(header(sent[0], "x-amz-expected-bucket-owner")).toBe("123456789012");
  });

  it.each([
    ["is a page", found("Welcome"), "unknown"],
    ["is a conflict", refusing(412, "PreconditionFailed"), "conflict"],
    ["names the key as missing", refusing(404, "NoSuchKey"), "absent"],
    ["names the bucket as missing", refusing(404, "NoSuchBucket"), "refused"],
    ["denies it, whatever else it says", refusing(403, "NoSuchKey"), "refused"],
  ])("whose answer %s is told as that", async (_, answer, kind) => {
    expect(await asking(answer).requests.delete("a", '"1"', OPTIONS)).toMatchObject({ kind });
  });

  it("that no S3 store has answered says what came", async () => {
    const { requests } = asking(found("Welcome", {}));
    const message = 's3:DeleteObject on s3://locks/a: the answer is not one of S3 (200 with "Welcome")';
    expect(await requests.delete("a", '"1"', OPTIONS)).toMatchObject({ error: { message } });
  });

  it("that a store cannot do under a condition says so of the condition, where there is one", async () => {
    const { requests } = asking(refusing(501, "NotImplemented"), refusing(501, "NotImplemented"));
    expect(await requests.delete("a", '"1"', OPTIONS)).toMatchObject({ kind: "refused" });
    expect(await requests.delete("a", undefined, OPTIONS)).toMatchObject({ kind: "refused" });
  });
});
