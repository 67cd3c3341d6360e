import { S3Client } from "@aws-sdk/client-s3";
import { realEffects } from "../../src/runtime/base/effects.js";
import { S3Store } from "../../src/store/s3/s3-store.js";
import { type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { describeObjectStore } from "./contract.js";

function describeWith(name: string, quirks: StoreQuirks): void {
  describeObjectStore(
    name,
    async () => {
      const server = await startS3Server({ buckets: ["locks"], pageSize: 3, quirks });
      const client = new S3Client(server.clientConfig());
      return {
        store: new S3Store({ client, bucketName: "locks", effects: realEffects, keyPrefix: "" }),
        plant: (key, body) => void server.putObject("locks", key, body),
        async close() {
          client.destroy();
          await server.close();
        },
      };
    },
    { dates: quirks.noDate !== true, pageSize: 3 },
  );
}

describeWith("S3Store", {});
describeWith("S3Store on a store that ignores If-None-Match of reads and sends no Date", {
  readIgnoresIfNoneMatch: true,
  noDate: true,
});
