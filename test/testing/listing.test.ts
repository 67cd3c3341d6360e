import { ListObjectsV2Command, type ListObjectsV2CommandInput, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareUtf8 } from "../../src/testing/server/buckets/sorted-keys.js";
import { BUCKET, type Harness, outcomeOf, startHarness } from "./harness.js";

async function startWith(keys: readonly string[], pageSize = 1000): Promise<Harness> {
  const harness = await startHarness({ pageSize });
  for (const key of keys) harness.server.putObject(BUCKET, key, key);
  return harness;
}

/** Lists all pages: keys, and common prefixes as `[prefix]`. */
async function listAll({ client }: Harness, query: Partial<ListObjectsV2CommandInput> = {}): Promise<string[][]> {
  const pages: string[][] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: BUCKET, ...query })) {
    const prefixes = page.CommonPrefixes?.map((one) => `[${one.Prefix}]`) ?? [];
    pages.push([...(page.Contents?.map((one) => one.Key ?? "") ?? []), ...prefixes]);
    expect(page.KeyCount).toBe(pages.at(-1)?.length);
  }
  return pages;
}

test("keys come in the order of their UTF-8 bytes", async () => {
  const keys = ["\u{1F600}", "\uFF5E", "a", "B", "a/", "a.b", "é"];
  const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(await listAll(await startWith(keys))).toEqual([expected]);
});

test("the order agrees with that of the bytes for any two keys", () => {
  const key = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("pages follow each other without gaps or repeats", async () => {
  const keys = Array.from({ length: 7 }, (_, i) => `k${i}`);
  const harness = await startWith(keys, 3);
  expect(await listAll(harness)).toEqual([keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
  expect(await listAll(harness, { MaxKeys: 4 })).toHaveLength(3);
  expect(await listAll(harness, { StartAfter: "k4" })).toEqual([["k5", "k6"]]);
});

test("a page that ends with the last key is the last", async () => {
  const harness = await startWith(["a", "b", "c", "d"], 2);
  expect(await listAll(harness)).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("prefix and delimiter group keys, across pages too", async () => {
  const harness = await startWith(["p/a/1", "p/a/2", "p/b", "p/c/1", "p/c/2", "q"], 2);
  expect(await listAll(harness, { Prefix: "p/", Delimiter: "/" })).toEqual([["p/b", "[p/a/]"], ["[p/c/]"]]);
  const one = await listAll(harness, { Prefix: "p/", Delimiter: "/", MaxKeys: 1 });
  expect(one).toEqual([["[p/a/]"], ["p/b"], ["[p/c/]"]]);
  expect(await listAll(harness, { Prefix: "p/a/" })).toEqual([["p/a/1", "p/a/2"]]);
  expect(await listAll(harness, { Prefix: "nothing" })).toEqual([[]]);
});

test("encoding-type=url encodes keys as S3 does", async () => {
  const harness = await startWith(["a b/c+(3)é"]);
  const page = await harness.client.send(new ListObjectsV2Command({ Bucket: BUCKET, EncodingType: "url" }));
  expect(page.Contents?.[0]?.Key).toBe("a+b/c%2B%283%29%C3%A9");
});

test("entries have ETag, size and time; max-keys=0 gives none", async () => {
  const { client, server } = await startWith(["k"]);
  const page = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  expect(page.Contents).toMatchObject([{ ETag: server.getObject(BUCKET, "k")?.etag, Size: 1 }]);
  expect(page.Contents?.[0]?.LastModified?.getMilliseconds()).toBe(0);
  const empty = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 0 }));
  expect(empty).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test("what is not a token is refused", async () => {
  const { client } = await startWith(["k"]);
  const list = client.send(new ListObjectsV2Command({ Bucket: BUCKET, ContinuationToken: "made-up" }));
  expect(await outcomeOf(list)).toBe("400 InvalidArgument");
});
