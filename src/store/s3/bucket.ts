import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RefusedOutcome, RequestOptions, UnknownOutcome } from "../object-store.js";
import type { Operation, OperationSender } from "./answers/operation.js";
import { unavailable } from "./answers/outcomes.js";
import type { BucketState } from "./client/client-state.js";

export interface StoreLogger {
  warn(message: string): void;
}

/** Which bucket it is, and whether it may be created. */
export interface BucketOptions {
  readonly client: S3Client;
  readonly bucketName: string;
  /** `never`: it is not the bucket that the option of this name is about, so that errors do not advise it either. */
  readonly createBucketIfNotExists?: boolean | "never";
  readonly logger?: StoreLogger;
}

type BucketCreation = { readonly kind: "exists" } | UnknownOutcome | RefusedOutcome;

/** Sends what concerns one bucket; where that is missing and may be created, creates it and sends again. */
export class BucketSender implements OperationSender {
  readonly #options: BucketOptions;
  readonly #state: BucketState;
  readonly #sender: OperationSender;

  constructor(sender: OperationSender, state: BucketState, options: BucketOptions) {
    this.#sender = sender;
    this.#state = state;
    this.#options = options;
  }

  async send<Value, Outcome>(
    operation: Operation<Value, Outcome>,
    options: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | RefusedOutcome> {
    const { bucketName, createBucketIfNotExists } = this.#options;
    const isNotCreated = createBucketIfNotExists === "never";
    const request = isNotCreated ? { ...operation.request, isNotCreated } : operation.request;
    const outcome = await this.#sender.send({ ...operation, request }, options);
    if (!isMissingBucket(outcome) || createBucketIfNotExists !== true) return outcome;
    const creation = await this.#created(options);
    // The request itself was turned away, whatever became of the creation.
    if (creation.kind !== "exists") return creation.kind === "unknown" ? { ...creation, sent: false } : creation;
    const repeated = await this.#sender.send(operation, options);
    if (!isMissingBucket(repeated)) return repeated;
    // A bucket that was created a moment ago is not known everywhere yet.
    const message = `The bucket ${bucketName} was created, and the store does not know it yet`;
    return { kind: "unknown", error: unavailable(message, repeated.error), throttled: false, sent: false };
  }

  /**
   * Creates the bucket, once for all callers that miss it at the same time. One that another client has created meanwhile is as
   * good; whether it is ours to use is what the next request tells. The SDK itself adds the location constraint of the
   * client's region.
   */
  #created(options: RequestOptions): Promise<BucketCreation> {
    const state = this.#state;
    const running = state.creation as Promise<BucketCreation> | undefined;
    if (running !== undefined) return running;
    const { client, bucketName, logger } = this.#options;
    const operation: Operation<void, BucketCreation> = {
      request: { action: "s3:CreateBucket", bucket: bucketName, isNotCreated: true },
      start: () => {
        const command = new CreateBucketCommand({ Bucket: bucketName });
        return { command, work: async (signal) => void (await client.send(command, { abortSignal: signal })) };
      },
      onSuccess: () => {
        logger?.warn(`The bucket ${bucketName} did not exist and was created`);
        return { kind: "exists" };
      },
      // BucketAlreadyOwnedByYou, BucketAlreadyExists, and OperationAborted while another client is creating it.
      onStatus: (status, { code }) => (status === 409 && code !== undefined ? { kind: "exists" } : undefined),
    };
    const creation = this.#sender.send(operation, options).finally(() => {
      state.creation = undefined;
    });
    state.creation = creation;
    return creation;
  }
}

function isMissingBucket(outcome: unknown): outcome is RefusedOutcome {
  const { kind, error } = outcome as Partial<RefusedOutcome>;
  return kind === "refused" && error?.code === "no-such-bucket";
}
