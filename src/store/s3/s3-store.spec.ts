import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { found, OPTIONS, TIMING } from "../../../test/store/asking.js";
import { storing } from "../../../test/store/fake.js";
import { type Answered, OF_S3, refusing, type Sent } from "../../../test/store/handler.js";

const IF_ABSENT = { kind: "if-absent" } as const;
const ifMatch = (etag: string) => ({ kind: "if-match", etag }) as const;
const ABSENT: Answered = { statusCode: 404 };
const FAILED = refusing(500, "InternalError");
const weak = (etag: string) => `W/${etag}`;
const isProbe = ({ path }: Sent) => path.includes(".s3-mutex");

describe("a read", () => {
  it("of what is as it was says so, also where the store answers in full", async () => {
    const { store, sent } = storing();
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.read("a", { ...OPTIONS, ifNoneMatch: '"1"' })).toEqual({ kind: "unchanged", timing: TIMING });
    expect(sent.map(({ headers }) => headers["if-none-match"])).toEqual(["*", '"1"']);
    const full = storing(() => found("{}"));
    expect(await full.store.read("a", { ...OPTIONS, ifNoneMatch: '"1"' })).toEqual({
      kind: "unchanged",
      timing: TIMING,
    });
    expect(await full.store.read("a", { ...OPTIONS, ifNoneMatch: '"0"' })).toMatchObject({ kind: "ok", body: "{}" });
    expect(await full.store.read("a", OPTIONS)).toMatchObject({ kind: "ok", etag: '"1"' });
  });

  it("of what is too long to be read is not told as unchanged", async () => {
    const { store } = storing(() => found("x".repeat(11)), { maxBodyBytes: 10 });
    expect(await store.read("a", { ...OPTIONS, ifNoneMatch: '"1"' })).toMatchObject({ kind: "oversized", etag: '"1"' });
  });

  it("that comes without an ETag is the store's where its reads of a probe do as well", async () => {
    const { store, probes } = storing(() => undefined, { shown: () => undefined });
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
    expect(probes().map((one) => one.split(" ")[0])).toEqual(["PUT", "GET", "DELETE"]);
  });

  it("without a name for what is missing is believed where fresh keys are answered like that", async () => {
    const { store, asked } = storing((request, count) => {
      if (count === 1) return found("{}");
      const isMissing = request.method === "GET" && (!isProbe(request) || count % 2 === 0);
      return isMissing ? ABSENT : undefined;
    });
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
    expect((await store.read("a", OPTIONS)).kind).toBe("absent");
    expect(asked()).toHaveLength(10);
    expect((await store.read("b", OPTIONS)).kind).toBe("absent");
    expect(asked()).toHaveLength(11);
  });

  it("without a name is not believed, nor asked about, where the store has named a missing key", async () => {
    const { store, asked } = storing((_, count) => (count === 2 ? ABSENT : undefined));
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown" });
    expect(asked()).toHaveLength(2);
  });

  it("that fails says so, and asks nothing more; one of a long key finds out whether it is the length", async () => {
    const { store, asked } = storing(({ path }) => (path.length > 100 || path === "/locks/a" ? FAILED : undefined));
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown" });
    expect(asked()).toEqual(["GET /locks/a"]);
    const long = await store.read(`locks/${"n".repeat(130)}`, OPTIONS);
    expect(long).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  });
});

describe("an ETag that reads show in another way", () => {
  it("goes by the name under which conditions know it, also in lists", async () => {
    const entry = "<Contents><Key>a</Key><ETag>W/&quot;1&quot;</ETag></Contents>";
    const list = found(`<ListBucketResult>${entry}</ListBucketResult>`, {});
    const { store } = storing(({ method, path }) => (method === "GET" && path.length < 9 ? list : undefined), {
      shown: weak,
    });
    const written = await store.write("a-long-key", "{}", IF_ABSENT, OPTIONS);
    expect(written).toMatchObject({ kind: "ok", etag: '"1"' });
    expect(await store.read("a-long-key", OPTIONS)).toMatchObject({ kind: "ok", etag: '"1"' });
    expect(await store.list("", OPTIONS)).toMatchObject({ kind: "ok", etags: new Map([["a", '"1"']]) });
  });

  it("is not known where the probe fails", async () => {
    const { store } = storing((request) => (isProbe(request) ? FAILED : undefined), { shown: weak });
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "unknown", timing: TIMING });
  });

  it("of a write that was done is not a refusal, whatever the probe says", async () => {
    const denied = refusing(403, "AccessDenied");
    const { store } = storing((request) =>
      isProbe(request) ? denied : { statusCode: 200, headers: { ...OF_S3, etag: 'W/"1"' } },
    );
    expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({
      ...{ kind: "unknown", throttled: false, sent: true, timing: TIMING },
      error: { code: "access-denied" },
    });
    const refused = storing(() => denied);
    expect(await refused.store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "refused" });
  });
});

describe("a condition that the store does not recognise", () => {
  const unquoted = { wanted: (etag: string) => etag.replaceAll('"', "") };

  it.each([
    ["shown", {}],
    ["told to be as it was", { ifNoneMatch: '"1"' }],
  ])("is found out once the version is %s after a conflict", async (_, options) => {
    const { store, probes } = storing(() => undefined, unquoted);
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect((await store.write("a", "{}", ifMatch('"1"'), OPTIONS)).kind).toBe("conflict");
    await store.read("a", { ...OPTIONS, ...options });
    expect(probes().length).toBeGreaterThan(0);
    expect((await store.write("a", "{}", ifMatch('"1"'), OPTIONS)).kind).toBe("ok");
  });

  it("in any form is what the reader is told", async () => {
    const { store } = storing(() => undefined, { wanted: () => "nothing" });
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    await store.write("a", "{}", ifMatch('"1"'), OPTIONS);
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
  });

  it("is not suspected where a write under it was refused for something else, or failed", async () => {
    for (const answer of [FAILED, refusing(403, "AccessDenied")]) {
      const { store, probes } = storing((_, count) => (count === 2 ? answer : undefined));
      await store.write("a", "{}", IF_ABSENT, OPTIONS);
      await store.write("a", "{}", ifMatch('"1"'), OPTIONS);
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", etag: '"1"' });
      expect(probes()).toEqual([]);
    }
  });

  it("goes in the form that another process has found out, by reads and by writes", async () => {
    const { store, sent } = storing();
    store.etagForm.believe("unquoted");
    expect(store.etagForm.known()).toBe("unquoted");
    await store.read("a", { ...OPTIONS, ifNoneMatch: '"1"' });
    await store.write("a", "{}", ifMatch('"1"'), OPTIONS);
    expect(sent.map(({ headers }) => headers["if-none-match"] ?? headers["if-match"])).toEqual(["1", "1"]);
  });

  it("is not suspected once a write under one has been done", async () => {
    const { store, probes } = storing((_, count) => (count === 3 ? refusing(412, "PreconditionFailed") : undefined));
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect((await store.write("a", "{}", ifMatch('"1"'), OPTIONS)).kind).toBe("ok");
    expect((await store.write("a", "{}", ifMatch('"2"'), OPTIONS)).kind).toBe("conflict");
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", etag: '"2"' });
    expect(probes()).toEqual([]);
  });
});

describe("an object that creates say exists and reads say does not", () => {
  const [refused, absent, denied] = [
    refusing(412, "PreconditionFailed"),
    refusing(404, "NoSuchKey"),
    refusing(403, "X"),
  ];
  const marker = "<DeleteMarker><Key>a</Key><VersionId>v7</VersionId><IsLatest>true</IsLatest></DeleteMarker>";
  const versions = found(`<ListVersionsResult>${marker}</ListVersionsResult>`, {});
  const there: Answered = { statusCode: 200, headers: { ...OF_S3, etag: '"1"' } };

  /** A create for each answer to one, a read for each other, and the last read. */
  async function readAfter(...answers: readonly (readonly ["create" | "read", Answered])[]) {
    const all = [...answers.map(([, answer]) => answer), absent, versions];
    const { store, asked } = storing((_, count) => all[count - 1]);
    for (const [what] of answers) {
      if (what === "create") await store.write("a", "{}", IF_ABSENT, OPTIONS);
      else await store.read("a", OPTIONS);
    }
    const last = await store.read("a", OPTIONS);
    return { last, asksVersions: asked().length > answers.length + 1 };
  }

  it("is explained by its versions after the second refusal, whatever could not be read in between", async () => {
    const told = { kind: "absent", deleteMarker: { versionId: "v7" } };
    expect((await readAfter(["create", refused], ["create", refused])).last).toMatchObject(told);
    expect((await readAfter(["create", refused], ["read", FAILED], ["create", refused])).last).toMatchObject(told);
  });

  it.each([
    ["was created", ["create", there]],
    ["was read", ["read", found("{}")]],
  ] as const)("is not asked about where it %s in between", async (_, between) => {
    expect((await readAfter(["create", refused], between, ["create", refused])).asksVersions).toBe(false);
  });

  it("is not asked about where creates were refused for another reason", async () => {
    expect((await readAfter(["create", denied], ["create", denied])).asksVersions).toBe(false);
  });
});

describe("a removal", () => {
  it("is of the version that is named, where the store honours the condition", async () => {
    const { store } = storing();
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.remove("a", '"0"', OPTIONS)).toMatchObject({ kind: "conflict" });
    expect(await store.remove("a", '"1"', OPTIONS)).toMatchObject({ kind: "ok" });
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
  });

  it("is not done where it would leave a version behind, and asks nothing where that is known", async () => {
    const versioned: Answered = { statusCode: 200, headers: { ...OF_S3, etag: '"1"', "x-amz-version-id": "v1" } };
    const { store, asked } = storing(() => versioned);
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.remove("a", '"1"', OPTIONS)).toEqual({ kind: "versioned" });
    expect(asked()).toHaveLength(1);
  });

  it("is not done where only the deletion of the probe has shown versions", async () => {
    const { store, asked } = storing(({ method, headers }) =>
      method === "DELETE" && headers["if-match"] === '"4"'
        ? { statusCode: 204, headers: { "x-amz-version-id": "null" } }
        : undefined,
    );
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.remove("a", '"1"', OPTIONS)).toMatchObject({ kind: "versioned" });
    expect(asked()).not.toContain("DELETE /locks/a");
  });

  it("is not done where the store ignores the condition, or is a program whose deletions race", async () => {
    const { store } = storing(({ method }) => (method === "DELETE" ? { statusCode: 204 } : undefined));
    await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await store.remove("a", '"1"', OPTIONS)).toEqual({ kind: "unsupported" });
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
    const racing = storing(() => ({ statusCode: 200, headers: { ...OF_S3, etag: '"1"', server: "VERSITYGW" } }));
    await racing.store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(await racing.store.remove("a", '"1"', OPTIONS)).toEqual({ kind: "unsupported" });
    expect(racing.asked()).toHaveLength(1);
  });
});

it("a list that is refused is told as it is", async () => {
  const { store } = storing(() => refusing(403, "AccessDenied"));
  expect(await store.list("", OPTIONS)).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
});

it.each([
  [1, 2, 1],
  [undefined, 60, 40],
])("at most so many requests are in flight (%s)", async (maxInFlight, calls, most) => {
  const options = maxInFlight === undefined ? {} : { maxInFlight };
  const { store, sent } = storing(() => new Promise(() => {}), options);
  for (let call = 0; call < calls; call += 1) void store.read("a", OPTIONS);
  for (let turn = 0; turn < 50; turn += 1) await settled();
  expect(sent).toHaveLength(most);
});

it("a bucket that is missing is to be created by the option of that name, unless that is about another bucket", async () => {
  const missing = () => refusing(404, "NoSuchBucket");
  const option = "Create the bucket locks, or set `createBucketIfNotExists: true`.";
  const own = await storing(missing).store.read("a", OPTIONS);
  expect(own).toMatchObject({ kind: "refused", error: { message: expect.stringContaining(option) } });
  const other = await storing(missing, { createBucketIfNotExists: "never" }).store.read("a", OPTIONS);
  expect(other).toMatchObject({
    ...{ kind: "refused" },
    error: {
      message: expect.stringMatching(/^s3:GetObject on s3:\/\/locks\/a was refused .*Create the bucket locks\.$/),
    },
  });
});
