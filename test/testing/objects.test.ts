import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

const MD5_OF_HELLO = '"5d41402abc4b2a76b9719d911017c592"';

test("an object comes back with its body, ETag, type, time and metadata", async () => {
  const { client } = await startHarness({ clockOffsetMs: -86_400_000 });
  const Key = "a/b";
  await client.send(
    new PutObjectCommand({ Bucket: BUCKET, Key, Body: "hello", ContentType: "text/plain", Metadata: { holder: "me" } }),
  );

  const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));

  expect(await answer.Body?.transformToString()).toBe("hello");
  expect(answer).toMatchObject({
    ETag: MD5_OF_HELLO,
    ContentType: "text/plain",
    ContentLength: 5,
    Metadata: { holder: "me" },
  });
  expect(Math.abs((answer.LastModified?.getTime() ?? 0) - (Date.now() - 86_400_000))).toBeLessThan(5000);
});

test("HEAD tells the same as GET without the body, and 404 where there is nothing", async () => {
  const { client, put } = await startHarness();
  await put("k", "hello");
  const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "k" }));
  expect(head).toMatchObject({ ETag: MD5_OF_HELLO, ContentLength: 5 });
  expect(await outcomeOf(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "absent" })))).toBe("404 NotFound");
});

test("absent keys and buckets are told apart", async () => {
  const { client, get } = await startHarness();
  expect(await outcomeOf(get("absent"))).toBe("404 NoSuchKey");
  const elsewhere = client.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "k" }));
  expect(await outcomeOf(elsewhere)).toBe("404 NoSuchBucket");
});

test("any key works", async () => {
  const { server, put, get } = await startHarness();
  const keys = ["a b", "a+b", "a%2Fb", "é😀", "a//b", "a/../b", "a?b#c", "<&>\"'", "a\r\n\tb", "x".repeat(1024)];
  for (const key of keys) await put(key, key);
  for (const key of keys) expect(await get(key)).toBe(key);
  expect(
    server
      .objects(BUCKET)
      .map((object) => object.key)
      .sort(),
  ).toEqual([...keys].sort());
  expect(await outcomeOf(put("x".repeat(1025), ""))).toBe("400 KeyTooLongError");
});

test("streams, which the SDK frames in chunks of its own, are stored without the framing", async () => {
  const { client, server } = await startHarness();
  const parts = [Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2)];
  const ContentLength = 140_000;
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: Readable.from(parts), ContentLength }));
  expect(Buffer.concat(parts).equals(server.getObject(BUCKET, "k")?.body ?? Buffer.alloc(0))).toBe(true);
});

test("deleting answers 204 whether or not there was anything", async () => {
  const { client, put, get } = await startHarness();
  await put("k", "v");
  const remove = () => client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "k" }));
  expect((await remove()).$metadata.httpStatusCode).toBe(204);
  expect((await remove()).$metadata.httpStatusCode).toBe(204);
  expect(await outcomeOf(get("k"))).toBe("404 NoSuchKey");
});

test("DeleteObjects deletes each object by itself, conditions included", async () => {
  const { client, put, server } = await startHarness();
  const etag = await put("a&b", "1");
  await put("stale", "2");
  await put("plain", "3");
  const Objects = [{ Key: "a&b", ETag: etag }, { Key: "stale", ETag: etag }, { Key: "plain" }, { Key: "absent" }];

  const answer = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));

  expect(answer.Deleted?.map((one) => one.Key)).toEqual(["a&b", "plain", "absent"]);
  expect(answer.Errors).toMatchObject([{ Key: "stale", Code: "PreconditionFailed" }]);
  expect(server.objects(BUCKET).map((object) => object.key)).toEqual(["stale"]);
});
