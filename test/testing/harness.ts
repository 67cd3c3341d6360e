import { GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { onTestFinished } from "vitest";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";

export const BUCKET = "locks";

export interface Harness {
  readonly server: S3Server;
  readonly client: S3Client;
  /** Writes an object, and gives its ETag; throws what the SDK throws. */
  put(key: string, body: string, condition?: PutCondition): Promise<string>;
  get(key: string, condition?: GetCondition): Promise<string>;
}

type PutCondition = { readonly IfNoneMatch?: string; readonly IfMatch?: string };
type GetCondition = PutCondition;

export function clientOf(server: S3Server): S3Client {
  const client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

/** Starts a server and a client of their own for the test that asks, gone when it is over. */
export async function startHarness(options: S3ServerOptions = {}): Promise<Harness> {
  const server = await startS3Server({ buckets: [BUCKET], ...options });
  onTestFinished(() => server.close());
  const client = clientOf(server);
  return {
    server,
    client,
    async put(key, body, condition = {}) {
      const answer = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ...condition }));
      return answer.ETag ?? "";
    },
    async get(key, condition = {}) {
      const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key, ...condition }));
      return (await answer.Body?.transformToString()) ?? "";
    },
  };
}

/** Says how a request ended, in a few words: `"ok"`, `"412 PreconditionFailed"`, `"ECONNRESET"`. */
export async function outcomeOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return "ok";
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined) {
      return `${error.$metadata.httpStatusCode} ${error.name}`;
    }
    if (error instanceof Error && "code" in error) return String(error.code);
    return error instanceof Error ? error.name : String(error);
  }
}
