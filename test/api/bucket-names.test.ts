import { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { fetchStore } from "../../src/fetch/index.js";
import { S3Mutex, verifyStore } from "../../src/index.js";
import { r2Store } from "../../src/r2/index.js";
import { createTestMutex } from "../../src/testing/index.js";
import { it as withWorld } from "./fixture.js";

const s3Client = new S3Client({ region: "us-east-1" });
const binding = Object.fromEntries(["get", "put", "head", "list", "delete"].map((name) => [name, () => {}]));
const fetching = {
  endpoint: "http://localhost:9000",
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
  signer: class {} as never,
};

/** All that are told of a bucket. */
const MAKERS: ReadonlyArray<readonly [string, (bucketName: string) => unknown]> = [
  ["S3Mutex", (bucketName) => new S3Mutex({ s3Client, bucketName })],
  ["fetchStore", (bucketName) => fetchStore({ ...fetching, bucketName })],
  ["r2Store", (bucketName) => r2Store({ bucket: binding as never, bucketName })],
  ["createTestMutex", (bucketName) => createTestMutex({ bucketName })],
  ["verifyStore", (bucketName) => verifyStore({ s3Client, bucketName })],
];

test.each(MAKERS)("%s refuses what does not name a bucket, and says what to pass", async (_, make) => {
  const made = async (bucketName: string) => make(bucketName);
  await expect(made("s3://locks/prod/")).rejects.toMatchObject({
    code: "invalid-argument",
    message:
      'bucketName is "s3://locks/prod/": that is more than a name; pass the name alone, "locks", and what keys begin with as keyPrefix.',
  });
  for (const name of ["locks/", "https://locks.example.com", "my locks", "$BUCKET", " "]) {
    await expect(made(name)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(`bucketName is ${JSON.stringify(name)}: `),
    });
  }
});

test("a client that is told URLs of buckets is given one", () => {
  const bucketName = "https://locks.example.com";
  const config = { region: "us-east-1", bucketEndpoint: true };
  expect(() => new S3Mutex({ s3Client: new S3Client(config), bucketName })).not.toThrow();
  expect(() => new S3Mutex({ s3ClientConfig: config, bucketName })).not.toThrow();
});

withWorld("the bucket of a fenced object is checked as that of the locks", async ({ world }) => {
  await using lock = await world.mutex().acquire("job");
  const opening = lock.fencedObject({ key: "a", bucket: "s3://locks/prod" });
  await expect(opening).rejects.toThrow(/^bucket is "s3:\/\/locks\/prod": that is more than a name/);
});
