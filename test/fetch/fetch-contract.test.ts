import { afterAll, beforeAll, describe } from "vitest";
import { fetchStore } from "../../src/fetch/index.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { describeContract } from "../store/contract.js";
import { Signer } from "./signer.js";

const ALL = ["store", "races", "locks", "1.x"] as const;
const REQUESTS = ["store", "races"] as const;
/** As Ceph 16 does. */
const UNQUOTED: StoreQuirks = { etagForm: "unquoted-only" };

describe.each([
  ["fetchStore", {}, ALL],
  ["fetchStore on a store that wants ETags without the quotes that it shows them in", UNQUOTED, REQUESTS],
] as const)("%s", (name, quirks, groups) => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server({ buckets: ["locks"], pageSize: 3, quirks });
  });
  afterAll(() => server.close());

  const open = () => {
    const { endpoint } = server.clientConfig() as { endpoint: string };
    const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
    return fetchStore({ endpoint, bucketName: "locks", credentials, signer: Signer });
  };
  describeContract(name, open, groups);
});
