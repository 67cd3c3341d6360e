import { createHash } from "node:crypto";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { stateOf } from "../../src/store/s3/client/client-state.js";
import { NO_HEADERS } from "../../src/store/s3/client/store-headers.js";
import { BodyHashes } from "../../src/store/s3/learnt/body-hash.js";
import { PutChecksums } from "../../src/store/s3/learnt/put-checksum.js";
import { Versions } from "../../src/store/s3/learnt/versions.js";
import { S3Requests } from "../../src/store/s3/requests.js";
import { Sender } from "../../src/store/s3/sender.js";
import { Clockwork } from "../protocol/clockwork.js";
import { type Answered, clientAnswering, type Sent } from "./handler.js";

export const OPTIONS = { timeoutMs: 5_000 };
export const TIMING = { sentAtMs: 10_000, receivedAtMs: 10_000 };

/** Makes requests to a store that answers these, one after the other. */
export function asking(...answers: readonly (Answered | Promise<Answered>)[]) {
  return askingAs({}, ...answers);
}

/** Makes the same requests, over a client of this configuration. */
export function askingAs(config: S3ClientConfig, ...answers: readonly (Answered | Promise<Answered>)[]) {
  const { client, sent } = clientAnswering((_, count) => answers[count - 1] ?? { statusCode: 500 }, config);
  const clockwork = new Clockwork();
  const { effects } = clockwork;
  const state = stateOf(client, 40);
  const { bodyHash, checksum, versions } = state.bucket("locks");
  const sender = new Sender(client, state, effects);
  const requests = new S3Requests({
    client,
    bucket: "locks",
    maxBodyBytes: 100,
    hashes: new BodyHashes(bodyHash),
    checksums: new PutChecksums(checksum),
    versions: new Versions(versions),
    fields: {
      ...NO_HEADERS,
      get: { RequestPayer: "requester" },
      put: { ACL: "bucket-owner-full-control" },
      delete: { ExpectedBucketOwner: "123456789012" },
    },
    sender,
  });
  const asked = () => sent.map(({ method, path }) => `${method} ${path}`);
  return { requests, sent, asked, bodyHash, clockwork };
}

export const found = (
  body: string | Buffer,
  headers: Record<string, string> = { etag: '"1"' },
  statusCode = 200,
): Answered => {
  return { statusCode, headers, body: Buffer.from(body) };
};
export const md5Of = (body: string) => `"${createHash("md5").update(body).digest("hex")}"`;
export const header = (request: Sent | undefined, name: string) => request?.headers[name];
