import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { asking, found, header, md5Of, OPTIONS, TIMING } from "../../../test/store/asking.js";
import { refusing } from "../../../test/store/handler.js";

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

  it("of an object that has gone since does not take it for unchanged", async () => {
    const { requests } = asking(refusing(404, "NoSuchKey"));
    expect(await requests.get("a", '"1"', OPTIONS)).toEqual({ kind: "absent", timing: TIMING });
  });

  it("that is told 304 of another version asks again, without a condition", async () => {
    const { requests, sent } = asking({ statusCode: 304, headers: { etag: '"2"' } }, found("{}"));
    expect(await requests.get("a", '"1"', OPTIONS)).toMatchObject({ kind: "ok", body: "{}" });
    expect(sent.map((one) => header(one, "if-none-match"))).toEqual(['"1"', undefined]);
  });
});

describe("a read that is answered oddly", () => {
  it("that is told 304 without having asked has learnt nothing", async () => {
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

  it("whose answer has no ETag and is too long has only that", async () => {
    const { requests } = asking(found("x".repeat(101), {}));
    const outcome = { kind: "unknown" };
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "no-etag", body: undefined, outcome });
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

  it("of a bucket that is not there finds nothing absent, whatever else the answer says, nor of an account", async () => {
    const marked = refusing(404, "NoSuchBucket", { "x-amz-delete-marker": "true" });
    const { requests } = asking(marked, refusing(404, "AccountProblem"));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ error: { code: "no-such-bucket" } });
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "refused" });
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

  it("whose end is not known asks for no HEAD", async () => {
    const { requests, asked } = asking(refusing(503, "InvalidObjectState"));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown", throttled: true });
    expect(asked()).toHaveLength(1);
  });

  it("that is refused for another reason asks for no HEAD", async () => {
    const { requests, asked } = asking(refusing(403, "AccessDenied"));
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "refused" });
    expect(asked()).toEqual(["GET /locks/a"]);
  });
});
