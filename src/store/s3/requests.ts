import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type {
  AnswerTiming,
  ListOutcome,
  ReadOutcome,
  RefusedOutcome,
  RemoveOutcome,
  RequestOptions,
  UnknownOutcome,
  WriteOutcome,
} from "../object-store.js";
import { type BodyText, readBody } from "./body.js";
import { isMissingBucket, outcomeOfBadAnswer, type Request } from "./outcomes.js";
import type { Attempt } from "./single-attempt.js";
import { decodeKey } from "./url-encoding.js";

/** One kind of request: how to send it, and which of its answers mean what. */
export interface Operation<Value, Outcome> {
  readonly request: Request;
  /** Called for each transmission: a command is used once. */
  start(): { readonly command: object; work(signal: AbortSignal): Promise<Value> };
  onSuccess(value: Value, timing: AnswerTiming, attempt: Attempt): Outcome;
  /** Answers that the SDK throws as errors and that are none for this operation. */
  onStatus(status: number, error: unknown, timing: AnswerTiming): Outcome | undefined;
}

/** Sends an operation once, and says `unknown` or `refused` where the operation itself has no name for the answer. */
export type Send = <Value, Outcome>(
  operation: Operation<Value, Outcome>,
  options: RequestOptions,
) => Promise<Outcome | UnknownOutcome | RefusedOutcome>;

export interface PutCondition {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

export type DeleteOutcome = Exclude<RemoveOutcome, { kind: "unsupported" }>;

/** The requests that locks make, each one transmission, with ETags as they are to be sent. */
export class S3Requests {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #maxBodyBytes: number;
  readonly #send: Send;

  constructor(client: S3Client, bucket: string, maxBodyBytes: number, send: Send) {
    this.#client = client;
    this.#bucket = bucket;
    this.#maxBodyBytes = maxBodyBytes;
    this.#send = send;
  }

  get(key: string, ifNoneMatch: string | undefined, options: RequestOptions): Promise<ReadOutcome> {
    const request: Request = { action: "s3:GetObject", bucket: this.#bucket, key };
    const condition = ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch };
    const operation: Operation<{ readonly etag: string | undefined; readonly body: BodyText }, ReadOutcome> = {
      request,
      start: () => {
        const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...condition });
        const work = async (signal: AbortSignal) => {
          const output = await this.#client.send(command, { abortSignal: signal });
          const body = await readBody(output.Body, output.ContentLength, this.#maxBodyBytes, signal);
          return { etag: output.ETag, body };
        };
        return { command, work };
      },
      onSuccess: ({ etag, body }, timing, attempt) => {
        if (etag === undefined) return outcomeOfBadAnswer(request, "the answer has no ETag", attempt);
        if (body.kind === "oversized") return { kind: "oversized", etag, timing };
        return { kind: "ok", etag, body: body.text, timing };
      },
      onStatus: (status, error, timing) => {
        if (status === 304) return { kind: "unchanged", timing };
        return status === 404 && !isMissingBucket(error) ? { kind: "absent", timing } : undefined;
      },
    };
    return this.#send(operation, options);
  }

  put(key: string, body: string, condition: PutCondition, options: RequestOptions): Promise<WriteOutcome> {
    const request: Request = { action: "s3:PutObject", bucket: this.#bucket, key };
    const operation: Operation<string | undefined, WriteOutcome> = {
      request,
      start: () => {
        const command = new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: body,
          ContentType: "application/json",
          CacheControl: "no-store",
          ...condition,
        });
        return { command, work: async (signal) => (await this.#client.send(command, { abortSignal: signal })).ETag };
      },
      onSuccess: (etag, timing, attempt) =>
        // The write was done, but under a name that nobody knows: the caller has to read it.
        etag === undefined
          ? outcomeOfBadAnswer(request, "the answer has no ETag", attempt)
          : { kind: "ok", etag, timing },
      onStatus: (status, error, timing) => {
        if (status === 412 || status === 409) return { kind: "conflict", timing };
        // A create finds nothing by intent; a 404 to it is about something else.
        const absent = status === 404 && condition.IfMatch !== undefined && !isMissingBucket(error);
        return absent ? { kind: "absent", timing } : undefined;
      },
    };
    return this.#send(operation, options);
  }

  /** `ifMatch` is left out for probe keys only, which nobody else uses. */
  delete(key: string, ifMatch: string | undefined, options: RequestOptions): Promise<DeleteOutcome> {
    const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch };
    const operation: Operation<void, DeleteOutcome> = {
      request: { action: "s3:DeleteObject", bucket: this.#bucket, key },
      start: () => {
        const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, ...condition });
        return { command, work: async (signal) => void (await this.#client.send(command, { abortSignal: signal })) };
      },
      onSuccess: (_, timing) => ({ kind: "ok", timing }),
      onStatus: (status, error, timing) => {
        if (status === 412 || status === 409) return { kind: "conflict", timing };
        return status === 404 && !isMissingBucket(error) ? { kind: "absent", timing } : undefined;
      },
    };
    return this.#send(operation, options);
  }

  list(prefix: string, continuation: string | undefined, options: RequestOptions): Promise<ListOutcome> {
    const page = continuation === undefined ? {} : { ContinuationToken: continuation };
    const operation: Operation<ListedPage, ListOutcome> = {
      request: { action: "s3:ListBucket", bucket: this.#bucket },
      start: () => {
        const command = new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          // Keys may hold characters that XML cannot.
          EncodingType: "url",
          ...page,
        });
        const work = async (signal: AbortSignal) => {
          const output = await this.#client.send(command, { abortSignal: signal });
          const encoded = output.EncodingType === "url";
          const keys: string[] = [];
          const etags = new Map<string, string>();
          for (const { Key, ETag } of output.Contents ?? []) {
            if (Key === undefined) continue;
            const key = encoded ? decodeKey(Key) : Key;
            keys.push(key);
            if (ETag !== undefined) etags.set(key, ETag);
          }
          return { keys, etags, next: output.IsTruncated === true ? output.NextContinuationToken : undefined };
        };
        return { command, work };
      },
      onSuccess: ({ keys, etags, next }, timing) => ({
        kind: "ok",
        keys,
        etags,
        ...(next === undefined ? {} : { continuation: next }),
        timing,
      }),
      onStatus: () => undefined,
    };
    return this.#send(operation, options);
  }
}

interface ListedPage {
  readonly keys: readonly string[];
  readonly etags: ReadonlyMap<string, string>;
  readonly next: string | undefined;
}
