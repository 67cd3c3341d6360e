import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

test("buckets are created, found, listed and deleted", async () => {
  const { client } = await startHarness();
  const Bucket = "another";
  expect(await outcomeOf(client.send(new HeadBucketCommand({ Bucket })))).toBe("404 NotFound");
  expect(await outcomeOf(client.send(new CreateBucketCommand({ Bucket })))).toBe("ok");
  expect(await outcomeOf(client.send(new CreateBucketCommand({ Bucket })))).toBe("409 BucketAlreadyOwnedByYou");
  expect(await outcomeOf(client.send(new HeadBucketCommand({ Bucket })))).toBe("ok");
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  expect(Buckets?.map((bucket) => bucket.Name)).toEqual(["another", BUCKET]);
  expect(Buckets?.[0]?.CreationDate).toBeInstanceOf(Date);
  expect(await outcomeOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe("ok");
  expect(await outcomeOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe("404 NoSuchBucket");
});

test("a bucket with something in it is not deleted", async () => {
  const { client, put } = await startHarness();
  await put("k", "v");
  expect(await outcomeOf(client.send(new DeleteBucketCommand({ Bucket: BUCKET })))).toBe("409 BucketNotEmpty");
});

test("a name that S3 does not allow is refused, over HTTP and directly", async () => {
  const { client, server } = await startHarness();
  expect(await outcomeOf(client.send(new CreateBucketCommand({ Bucket: "No_Good" })))).toBe("400 InvalidBucketName");
  expect(() => server.createBucket("No_Good")).toThrow(S3MutexError);
  expect(() => server.objects("absent")).toThrow(/no bucket "absent" \(it has: locks\)/);
});

test("what a bucket says about itself", async () => {
  const { client } = await startHarness();
  const Bucket = BUCKET;
  expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
  const lifecycle = client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
  expect(await outcomeOf(lifecycle)).toBe("404 NoSuchLifecycleConfiguration");
});

test("what is not implemented says so", async () => {
  const { client } = await startHarness();
  expect(await outcomeOf(client.send(new GetBucketTaggingCommand({ Bucket: BUCKET })))).toBe("501 NotImplemented");
});
