import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import { S3Store } from "../../src/store/s3/s3-store.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { describeContract, testAbsenceIsTold } from "./contract.js";

const REQUEST = { timeoutMs: 5_000 };

describe.each<[string, StoreQuirks]>([
  ["S3Store", {}],
  [
    "S3Store on a store without If-None-Match of reads and without Date",
    { readIgnoresIfNoneMatch: true, noDate: true },
  ],
])("%s", (name, quirks) => {
  let server: S3Server;
  let client: S3Client;
  beforeAll(async () => {
    server = await startS3Server({ buckets: ["locks"], pageSize: 3, quirks });
    client = new S3Client(server.clientConfig());
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });
  const open = () => new S3Store({ client, bucketName: "locks", effects: realEffects, keyPrefix: "" });

  // The locks over a store that speaks S3 are tried by `npm run stores` and `npm run runtimes`.
  describeContract(name, open, ["store", "races", "1.x"]);

  testAbsenceIsTold(open);

  it("lists keys that XML cannot hold, and gives each its ETag", async () => {
    for (const key of ["p/a b", "p/\u0001", "p/ü%20&<>", "p/a+b"]) server.putObject("locks", key, "x");
    const first = await open().list("p/", REQUEST);
    expect(first).toMatchObject({ kind: "ok", keys: ["p/\u0001", "p/a b", "p/a+b"] });
    expect(first.kind === "ok" && [...first.etags.keys()]).toEqual(["p/\u0001", "p/a b", "p/a+b"]);
  });
});
