// Where the examples have their locks: in the bucket that BUCKET names, or on a server in this process.
import { S3Mutex } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

const bucketName = process.env.BUCKET ?? "my-bucket";
const server = process.env.BUCKET === undefined ? await startS3Server({ buckets: [bucketName] }) : undefined;

/** Each call is like another machine: a client, a clock and a queue of its own. */
export function machine(label) {
  return new S3Mutex({ s3ClientConfig: server?.clientConfig() ?? {}, bucketName, keyPrefix: "examples/", label });
}

/** Ends what was started here. */
export async function end(...machines) {
  await Promise.all(machines.map((mutex) => mutex.close()));
  await server?.close();
}
