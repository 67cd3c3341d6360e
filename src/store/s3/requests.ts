import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ReadOptions, ReadOutcome, RequestOptions, WriteOutcome } from "../object-store.js";
import { type BodyBytes, readBytes } from "./answers/body.js";
import type { Operation, OperationSender } from "./answers/operation.js";
import type { Request } from "./answers/request.js";
import { type Bare404, looksOf, type NoEtag } from "./answers/unproven.js";
import type { HeaderFields } from "./client/store-headers.js";
import type { BodyHashes } from "./learnt/body-hash.js";
import { absentBy, deletedBy, foundBy, isUnchanged, notDoneBy, writtenBy } from "./learnt/key-answers.js";
import type { DeleteOutcome, KeyRequests, PutCondition } from "./learnt/key-requests.js";
import type { PutChecksums } from "./learnt/put-checksum.js";
import type { Versions } from "./learnt/versions.js";

/** Where requests go, and what is known of the answers there. */
export interface RequestsOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly maxBodyBytes: number;
  readonly hashes: BodyHashes;
  readonly checksums: PutChecksums;
  readonly versions: Versions;
  readonly fields: HeaderFields;
  readonly sender: OperationSender;
}

/** The requests that locks make, each one transmission, with ETags as they are to be sent. */
export class S3Requests implements KeyRequests {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #maxBodyBytes: number;
  readonly #hashes: BodyHashes;
  readonly #checksums: PutChecksums;
  readonly #versions: Versions;
  readonly #fields: HeaderFields;
  readonly #sender: OperationSender;

  constructor({ client, bucket, maxBodyBytes, hashes, checksums, versions, fields, sender }: RequestsOptions) {
    this.#client = client;
    this.#bucket = bucket;
    this.#maxBodyBytes = maxBodyBytes;
    this.#hashes = hashes;
    this.#checksums = checksums;
    this.#versions = versions;
    this.#fields = fields;
    this.#sender = sender;
  }

  async get(
    key: string,
    ifNoneMatch: string | undefined,
    options: ReadOptions,
  ): Promise<ReadOutcome | Bare404 | NoEtag> {
    const { maxBodyBytes = this.#maxBodyBytes } = options;
    const request: Request = { action: "s3:GetObject", bucket: this.#bucket, key };
    const condition = ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch };
    let looks: string | undefined;
    let isArchived = false;
    let isOther = false;
    type Got = { readonly etag: string | undefined; readonly body: BodyBytes };
    const operation: Operation<Got, ReadOutcome | NoEtag> = {
      request,
      streams: true,
      start: () => {
        looks = undefined;
        const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...condition, ...this.#fields.get });
        const work = async (signal: AbortSignal) => {
          const output = await this.#client.send(command, { abortSignal: signal });
          const body = await readBytes(output.Body, output.ContentLength, maxBodyBytes, signal);
          return { etag: output.ETag, body };
        };
        return { command, work };
      },
      onSuccess: ({ etag, body }, timing, transmission) =>
        foundBy({ request, transmission, timing, etag, hashes: this.#hashes }, body, maxBodyBytes),
      onStatus: (status, said, timing) => {
        if (status === 304 && ifNoneMatch !== undefined) {
          isOther = !isUnchanged(status, said, ifNoneMatch);
          return isOther ? undefined : { kind: "unchanged", timing };
        }
        isArchived = said.code === "InvalidObjectState";
        const absent = absentBy(status, said, timing);
        if (absent === undefined && status === 404 && said.code !== "NoSuchBucket")
          looks = looksOf(said.transmission, key);
        return absent;
      },
    };
    const outcome = await this.#sender.send(operation, options);
    if (outcome.kind === "no-etag") return outcome;
    this.#versions.answered(outcome);
    if (isOther && outcome.kind === "unknown") return await this.get(key, undefined, options);
    if (isArchived && outcome.kind === "refused") return (await this.#archived(key, options)) ?? outcome;
    return looks === undefined || outcome.kind !== "unknown" ? outcome : { kind: "bare-404", looks, outcome };
  }

  /** Asks for the ETag of what cannot be read, by which it can be replaced all the same. */
  async #archived(key: string, options: RequestOptions): Promise<ReadOutcome | undefined> {
    const operation: Operation<string | undefined, ReadOutcome | undefined> = {
      request: { action: "s3:GetObject", bucket: this.#bucket, key, isHead: true },
      start: () => {
        const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ...this.#fields.get });
        return { command, work: async (signal) => (await this.#client.send(command, { abortSignal: signal })).ETag };
      },
      onSuccess: (etag, timing) => (etag === undefined ? undefined : { kind: "archived", etag, timing }),
      onStatus: () => undefined,
    };
    const outcome = await this.#sender.send(operation, options);
    return outcome?.kind === "archived" ? outcome : undefined;
  }

  async put(key: string, body: string, condition: PutCondition, options: RequestOptions): Promise<WriteOutcome> {
    const sentWith = this.#checksums.kind;
    let mayPass = false;
    const request: Request = { action: "s3:PutObject", bucket: this.#bucket, key, isConditional: true };
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
          ...this.#checksums.fieldsFor(body),
          ...this.#fields.put,
        });
        return { command, work: async (signal) => (await this.#client.send(command, { abortSignal: signal })).ETag };
      },
      onSuccess: (etag, timing, transmission) =>
        writtenBy({ request, transmission, timing, etag, hashes: this.#hashes }, body),
      onStatus: (status, said, timing) => {
        const notDone = notDoneBy(status, said, timing, condition.IfMatch === undefined);
        if (notDone !== undefined) return notDone;
        mayPass = this.#checksums.learn(status, said, sentWith);
        return undefined;
      },
    };
    const outcome = await this.#sender.send(operation, options);
    this.#versions.answered(outcome);
    // Turned away for want of a checksum, it has done nothing.
    return mayPass && outcome.kind === "refused" ? await this.put(key, body, condition, options) : outcome;
  }

  /** Deletes an object. `ifMatch` is left out for probe keys only, which no other client uses. */
  delete(key: string, ifMatch: string | undefined, options: RequestOptions): Promise<DeleteOutcome> {
    const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch };
    const isConditional = ifMatch !== undefined;
    const request: Request = { action: "s3:DeleteObject", bucket: this.#bucket, key, isConditional };
    const operation: Operation<void, DeleteOutcome> = {
      request,
      start: () => {
        const command = new DeleteObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...condition,
          ...this.#fields.delete,
        });
        return { command, work: async (signal) => void (await this.#client.send(command, { abortSignal: signal })) };
      },
      onSuccess: (_, timing, transmission) => {
        this.#versions.deleted(transmission);
        return deletedBy(request, transmission, timing);
      },
      onStatus: (status, said, timing) => notDoneBy(status, said, timing),
    };
    return this.#sender.send(operation, options);
  }
}
