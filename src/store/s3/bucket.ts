import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RefusedOutcome, RequestOptions, UnknownOutcome } from "../object-store.js";
import type { Operation } from "./answers/operation.js";
import type { BucketState } from "./client/client-state.js";
import type { Sender } from "./sender.js";

export type BucketCreation = { readonly kind: "exists" } | UnknownOutcome | RefusedOutcome;

/**
 * Creates the bucket, once for all callers that miss it at the same time. One that another client has created meanwhile is as
 * good; whether it is ours to use is what the next request tells. The SDK itself adds the location constraint of the
 * client's region.
 */
export function createBucket(
  client: S3Client,
  bucket: string,
  state: BucketState,
  sender: Sender,
  options: RequestOptions,
  onCreated: () => void,
): Promise<BucketCreation> {
  const running = state.creation as Promise<BucketCreation> | undefined;
  if (running !== undefined) return running;
  const operation: Operation<void, BucketCreation> = {
    request: { action: "s3:CreateBucket", bucket, isNotCreated: true },
    start: () => {
      const command = new CreateBucketCommand({ Bucket: bucket });
      return { command, work: async (signal) => void (await client.send(command, { abortSignal: signal })) };
    },
    onSuccess: () => {
      onCreated();
      return { kind: "exists" };
    },
    // BucketAlreadyOwnedByYou, BucketAlreadyExists, and OperationAborted while another client is creating it.
    onStatus: (status, { code }) => (status === 409 && code !== undefined ? { kind: "exists" } : undefined),
  };
  const creation = sender.send(operation, options).finally(() => {
    state.creation = undefined;
  });
  state.creation = creation;
  return creation;
}
