import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { found, OPTIONS } from "../../../test/store/asking.js";
import { storing } from "../../../test/store/fake.js";
import { type Answered, refusing } from "../../../test/store/handler.js";
import type { StoreLogger } from "./bucket.js";

const IF_ABSENT = { kind: "if-absent" } as const;
const MISSING = refusing(404, "NoSuchBucket");
const isOfBucket = (path: string) => /^\/locks\/?$/.test(path);

/** A bucket that is not there until its creation has been answered with a success, and for as many requests longer. */
function missing(
  creation: Answered | Promise<Answered>,
  {
    isAllowed = true,
    stillMissing = 0,
    logger,
  }: { isAllowed?: boolean; stillMissing?: number; logger?: StoreLogger } = {},
) {
  let isThere = false;
  let left = stillMissing;
  const { store, asked, sent, clockwork } = storing(
    ({ method, path }) => {
      if (method === "PUT" && isOfBucket(path)) {
        isThere = true;
        return creation;
      }
      if (isThere && left <= 0) return undefined;
      if (isThere) left -= 1;
      return MISSING;
    },
    { ...(isAllowed ? { createBucketIfNotExists: true } : {}), ...(logger === undefined ? {} : { logger }) },
  );
  const creations = () => asked().filter((one) => one.startsWith("PUT") && isOfBucket(one.slice(4)));
  return { store, asked, sent, creations, clockwork };
}

/** A bucket that is missing each time that another key is written. */
function goneForEachKey() {
  let creations = 0;
  const keys = new Set<string>();
  const { store } = storing(
    ({ method, path }) => {
      if (method === "PUT" && isOfBucket(path)) {
        creations += 1;
        return { statusCode: 200 };
      }
      if (keys.has(path)) return undefined;
      keys.add(path);
      return MISSING;
    },
    { createBucketIfNotExists: true },
  );
  return { store, creations: () => creations };
}

describe("a bucket that is missing", () => {
  it("is created where that is allowed, once, and its first user is told", async () => {
    const warnings: string[] = [];
    const logger = { warn: (said: string) => void warnings.push(said) };
    const { store, creations } = missing({ statusCode: 200 }, { logger });
    const both = [store.write("a", "{}", IF_ABSENT, OPTIONS), store.write("b", "{}", IF_ABSENT, OPTIONS)];
    expect((await Promise.all(both)).map(({ kind }) => kind)).toEqual(["ok", "ok"]);
    expect(creations()).toHaveLength(1);
    expect(warnings).toEqual(["The bucket locks did not exist and was created"]);
    expect((await missing({ statusCode: 200 }).store.write("a", "{}", IF_ABSENT, OPTIONS)).kind).toBe("ok");
  });

  it("is named where that is not allowed", async () => {
    const { store, creations } = missing({ statusCode: 200 }, { isAllowed: false });
    expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ error: { code: "no-such-bucket" } });
    expect(creations()).toEqual([]);
  });

  it.each<[string, Answered, object]>([
    ["is denied", refusing(403, "AccessDenied"), { kind: "refused", error: { code: "access-denied" } }],
    ["is of nothing that can be created", MISSING, { kind: "refused", error: { code: "no-such-bucket" } }],
    ["fails", refusing(500, "InternalError"), { kind: "unknown", sent: false }],
    ["is a page of a proxy", { ...found("<html>Busy</html>", {}), statusCode: 409 }, { kind: "unknown", sent: false }],
    ["was another client's", refusing(409, "BucketAlreadyOwnedByYou"), { kind: "ok" }],
  ])("is what the caller is told of where its creation %s", async (_, creation, outcome) => {
    const { store, creations } = missing(creation);
    const told = await store.write("a", "{}", IF_ABSENT, OPTIONS);
    expect(told).toMatchObject(outcome);
    if ("error" in told) expect(told.error.message).toMatch(/^s3:CreateBucket on s3:\/\/locks/);
    if ("error" in told) expect(told.error.message).not.toContain("createBucketIfNotExists");
    expect(creations()).toHaveLength(1);
  });

  it("is created anew where it is missing again", async () => {
    const { store, creations } = goneForEachKey();
    for (const key of ["a", "b"]) expect((await store.write(key, "{}", IF_ABSENT, OPTIONS)).kind).toBe("ok");
    expect(creations()).toBe(2);
  });

  it("is not known everywhere a moment after it was created", async () => {
    const { store } = missing({ statusCode: 200 }, { stillMissing: 1 });
    expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({
      ...{ kind: "unknown", sent: false, throttled: false },
      error: { message: "The bucket locks was created, and the store does not know it yet" },
    });
    expect((await store.write("a", "{}", IF_ABSENT, OPTIONS)).kind).toBe("ok");
  });

  it("is not waited for longer than a request may take", async () => {
    const { store, sent, clockwork } = missing(new Promise<Answered>(() => {}));
    const writing = store.write("a", "{}", IF_ABSENT, OPTIONS);
    await expect.poll(() => sent.length, { interval: 1 }).toBe(2);
    await clockwork.pass(OPTIONS.timeoutMs);
    await settled();
    expect(sent[1]?.signal?.aborted).toBe(true);
    expect(await writing).toMatchObject({ kind: "unknown", sent: false });
  });
});

it("a bucket that is there is not created for any other refusal", async () => {
  const { store, asked } = storing(() => refusing(403, "AccessDenied"), { createBucketIfNotExists: true });
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "refused" });
  expect(asked()).toHaveLength(1);
});

it("a bucket that wants checksums is warned of once, since its versions stay", async () => {
  const warnings: string[] = [];
  const wanting = (options: { logger?: StoreLogger } = {}) =>
    storing(({ method, headers }) => {
      const isBare = method === "PUT" && headers["content-md5"] === undefined;
      return isBare ? refusing(400, "MissingContentMD5") : undefined;
    }, options).store;
  const store = wanting({ logger: { warn: (said) => void warnings.push(said) } });
  for (const key of ["a", "b"]) expect((await store.write(key, "{}", IF_ABSENT, OPTIONS)).kind).toBe("ok");
  expect(warnings).toEqual([expect.stringContaining("The bucket locks wants a checksum with each write")]);
  expect((await wanting().write("a", "{}", IF_ABSENT, OPTIONS)).kind).toBe("ok");
});
