import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { asking, askingAs, found, header, md5Of, OPTIONS, TIMING } from "../../../test/store/asking.js";
import { type Answered, OF_S3, refusing } from "../../../test/store/handler.js";

describe("a write", () => {
  const created: Answered = { statusCode: 200, headers: { ...OF_S3, etag: '"1"' } };

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
    const { requests, bodyHash } = asking({ statusCode: 200, headers: { ...OF_S3, etag: md5Of("other") } });
    bodyHash.isMd5 = true;
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({ kind: "unknown" });
  });

  it("comes second where the store says so", async () => {
    const { requests } = asking(refusing(412, "PreconditionFailed"), refusing(409, "ConditionalRequestConflict"));
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toEqual({ kind: "conflict", timing: TIMING });
    const beside = { kind: "conflict", busy: true, code: "ConditionalRequestConflict", timing: TIMING };
    expect(await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).toEqual(beside);
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

  it("that the store turns away for its haste is not sent again at once, whatever else it wants", async () => {
    const { requests, sent } = asking({
      ...refusing(400, "SlowDown"),
      body: Buffer.from("<Error><Code>SlowDown</Code><Message>no checksum</Message></Error>"),
    });
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({ throttled: true });
    expect(sent).toHaveLength(1);
  });

  it("that a store cannot do says so of its condition", async () => {
    const { requests } = asking(refusing(501, "NotImplemented"));
    const message = expect.stringContaining("Locks need PutObject with If-Match");
    expect(await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS)).toMatchObject({ error: { message } });
  });
});

describe("a 409 to a write", () => {
  it.each(["BlobAlreadyExists", "FileAlreadyExists", "KeyAlreadyExists", "ObjectAlreadyExists", "AlreadyExists"])(
    "says that it was compared where the store says of a creation that the object exists: 409 %s",
    async (code) => {
      const { requests } = asking(refusing(409, code), refusing(409, code));
      const create = () => requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
      expect(await create()).toEqual({ kind: "conflict", timing: TIMING });
      const replaced = await requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS);
      expect(replaced).toEqual({ kind: "conflict", busy: true, code, timing: TIMING });
    },
  );

  it.each(["BucketAlreadyExists", "ContainerAlreadyExists", "ObjectAlreadyExistsSoon", "OperationAborted"])(
    "says nothing where the store says something else: 409 %s",
    async (code) => {
      const { requests } = asking(refusing(409, code));
      const created = await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
      expect(created).toEqual({ kind: "conflict", busy: true, code, timing: TIMING });
    },
  );

  it("says that it was compared where the store says so, with whatever status; 409 without a word says nothing", async () => {
    const failed = refusing(409, "PreconditionFailed");
    const { requests } = asking(failed, failed, { statusCode: 409 }, { statusCode: 412 });
    for (const condition of [{ IfMatch: '"0"' }, { IfNoneMatch: "*" }] as const) {
      expect(await requests.put("a", "{}", condition, OPTIONS)).toEqual({ kind: "conflict", timing: TIMING });
    }
    const wordless = await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
    expect(wordless).toStrictEqual({ kind: "conflict", busy: true, timing: TIMING });
    const compared = await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
    expect(compared).toStrictEqual({ kind: "conflict", timing: TIMING });
  });
});

describe("a request that cannot be sent", () => {
  it("is refused, and asks for credentials once", async () => {
    let times = 0;
    const credentials = async () => {
      times += 1;
      throw Object.assign(new Error("none"), { name: "CredentialsProviderError" });
    };
    const { requests, asked } = askingAs({ credentials });
    expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "refused", about: "credentials" });
    expect(times).toBe(1);
    expect(await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).toMatchObject({ kind: "refused" });
    expect(times).toBe(2);
    expect(asked()).toEqual([]);
  });
});

describe("a request whose time is up", () => {
  type Requests = ReturnType<typeof asking>["requests"];
  it.each<[string, (requests: Requests) => Promise<unknown>, readonly Answered[]]>([
    ["read", (requests) => requests.get("a", undefined, OPTIONS), []],
    ["write", (requests) => requests.put("a", "{}", { IfMatch: '"0"' }, OPTIONS), []],
    ["delete", (requests) => requests.delete("a", '"0"', OPTIONS), []],
    ["HEAD", (requests) => requests.get("a", undefined, OPTIONS), [refusing(403, "InvalidObjectState")]],
  ])("is called off: a %s", async (_, ask, before) => {
    const { requests, sent, clockwork } = asking(...before, new Promise<Answered>(() => {}));
    const answer = ask(requests);
    await expect.poll(() => sent.length, { interval: 1 }).toBe(before.length + 1);
    expect(sent.at(-1)?.signal?.aborted).toBe(false);
    await clockwork.pass(OPTIONS.timeoutMs);
    await settled();
    expect(sent.at(-1)?.signal?.aborted).toBe(true);
    await answer;
  });
});

it("no strategy of the client for repetitions is asked about a request that failed", async () => {
  let asked = 0;
  const retryStrategy = {
    acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
    refreshRetryTokenForRetry: async () => {
      asked += 1;
      throw new Error("no");
    },
    recordSuccess: () => {},
  };
  const { requests, sent } = askingAs(
    { retryStrategy },
    refusing(500, "InternalError"),
    Promise.reject(new Error("x")),
  );
  expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown" });
  expect(await requests.get("a", undefined, OPTIONS)).toMatchObject({ kind: "unknown" });
  expect([sent.length, asked]).toEqual([2, 0]);
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
    const message = (part: string) => expect.stringContaining(part);
    expect(await requests.delete("a", '"1"', OPTIONS)).toMatchObject({
      kind: "refused",
      error: { message: message("Locks need PutObject with If-Match") },
    });
    expect(await requests.delete("a", undefined, OPTIONS)).toMatchObject({
      kind: "refused",
      error: { message: message("The store does not do what locks need") },
    });
  });
});
