import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import type { RemoteStore as RemoteSettings } from "../arguments.js";
import type { StoreAddress } from "../messages.js";
import type { Store } from "./store.js";

/** A store of the user's own. It is not for us to kill; the objects of this run have a prefix of their own and go at the end. */
export class RemoteStore implements Store {
  readonly description: string;
  readonly address: StoreAddress;
  readonly ways: readonly StoreAddress[];
  readonly faultInjector = undefined;

  constructor({ endpoint, bucketName, region }: RemoteSettings) {
    const where = endpoint ?? `AWS, ${region}`;
    this.description = `bucket ${bucketName} at ${where}: store faults and restarts are off, since it is not ours to break`;
    const keyPrefix = `s3-mutex-chaos/${Date.now()}-${process.pid}/`;
    const client = endpoint === undefined ? { region } : { region, endpoint, forcePathStyle: true };
    this.address = { client, bucketName, keyPrefix };
    this.ways = [this.address];
  }

  async close(): Promise<void> {
    const client = new S3Client({ ...this.address.client });
    const { bucketName: Bucket, keyPrefix: Prefix } = this.address;
    try {
      // One object for each lock: they fit into one page.
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
      const Objects = Contents.map(({ Key }) => ({ Key }));
      if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    } finally {
      client.destroy();
    }
  }

  /** Leaves what is there: a few small objects that are not held for long. */
  kill(): void {}
}
