import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Effects } from "../../runtime/base/effects.js";
import { isPage } from "../../store/s3/answers/answer.js";
import { readBody } from "../../store/s3/answers/body.js";
import { decodeKey } from "../../store/s3/answers/document.js";
import type { Operation, Said } from "../../store/s3/answers/operation.js";
import { outcomeOfBadAnswer } from "../../store/s3/answers/outcomes.js";
import { isReceipt, notOfS3 } from "../../store/s3/answers/receipts.js";
import { TransmissionRefused } from "../../store/s3/answers/transmission.js";
import { type AbsenceState, type ClientState, stateOf } from "../../store/s3/client/client-state.js";
import { type HeaderFields, headerFieldsOf, type StoreHeaders } from "../../store/s3/client/store-headers.js";
import type { PutCondition } from "../../store/s3/learnt/key-requests.js";
import { PutChecksums } from "../../store/s3/learnt/put-checksum.js";
import { Sender } from "../../store/s3/sender.js";
import { NOT_SENT, type SlowWrite, sendSlowly } from "./held-back.js";
import type { Observations } from "./observations.js";
import { OVER, type ProbeAnswer, type ProbeOperation, type ProbeOutcome } from "./probe-answer.js";
import { beforeItLeaves, type StartingLine } from "./starting-line.js";
import { endOf } from "./writes.js";

export interface ListPage {
  readonly pageSize?: number;
  readonly continuation?: string | undefined;
  readonly startAfter?: string;
}

type Fields = Omit<ProbeAnswer, "kind" | "status" | "timing">;

/** Longer than any record. */
const BODY_BYTES_MAX = 256 * 1024;
const IN_FLIGHT_MAX = 40;
/** Answers that say something about the object; what else is not a success is `unknown` or `refused`. */
const TELLING: ReadonlySet<number> = new Set([304, 404, 409, 412]);

const ANSWERS_EVERYTHING =
  "This is not an answer of S3: a portal, a proxy or a website says so to everything. Check the endpoint, and what is between it and this process.";

/** Where they go, and what is noted of the answers. */
export interface ProbeRequestsOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly headers: StoreHeaders | undefined;
  readonly effects: Effects;
  readonly observations: Observations;
  readonly timeoutMs: number;
  /** How the client is called, where it is a further way to the store. */
  readonly gateway: string | undefined;
}

/** The requests of the examination over one client, each one transmission. */
export class ProbeRequests {
  readonly gateway: string | undefined;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #state: ClientState;
  readonly #sender: Sender;
  readonly #absence: AbsenceState;
  readonly #checksums: PutChecksums;
  readonly #fields: HeaderFields;
  readonly #observations: Observations;
  readonly #effects: Effects;
  readonly #timeoutMs: number;
  #takesWrites = true;
  #isOver = false;

  constructor({ client, bucket, headers, effects, observations, timeoutMs, gateway }: ProbeRequestsOptions) {
    this.gateway = gateway;
    this.#client = client;
    this.#bucket = bucket;
    const state = stateOf(client, IN_FLIGHT_MAX);
    this.#state = state;
    this.#sender = new Sender(client, state, effects);
    this.#absence = state.bucket(bucket).absence;
    this.#checksums = new PutChecksums(state.bucket(bucket).checksum);
    this.#fields = headerFieldsOf(headers);
    this.#observations = observations;
    this.#effects = effects;
    this.#timeoutMs = timeoutMs;
  }

  /** Ends writes: what is written from here on would not be removed. */
  endWrites(): void {
    this.#takesWrites = false;
  }

  /** Ends all requests: nothing is sent any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Which program the store is, or what it calls itself. */
  get serverName(): string | undefined {
    return this.#state.program ?? this.#state.server;
  }

  /** Whether an answer has shown which program it is, whatever it calls itself. */
  get isProgramKnown(): boolean {
    return this.#state.program !== undefined;
  }

  /** Whether the bucket takes writes only with a checksum, as under Object Lock. */
  get wantsChecksums(): boolean {
    return this.#checksums.kind !== undefined;
  }

  async put(key: string, body: string, condition: PutCondition, start?: StartingLine): Promise<ProbeOutcome> {
    const sentWith = this.#checksums.kind;
    const sealed = { ...condition, ...this.#checksums.fieldsFor(body), ...this.#fields.put };
    const fields = { ContentType: "application/json", CacheControl: "no-store", ...sealed };
    const prepare = () => {
      const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ...fields });
      const work = async (abortSignal: AbortSignal) => ({
        etag: (await this.#client.send(command, { abortSignal })).ETag,
      });
      return { command, work };
    };
    let mayPass = false;
    const onRefused = (status: number, said: Said): void => {
      mayPass = this.#checksums.learn(status, said, sentWith);
    };
    const outcome = await this.#send("put", "s3:PutObject", key, start, prepare, onRefused);
    if (mayPass && outcome.kind === "refused") return await this.put(key, body, condition);
    return outcome.kind === "answer" && condition.IfNoneMatch !== undefined
      ? { ...outcome, isCreation: true }
      : outcome;
  }

  /** Starts a PUT whose last byte is held back; `cut` breaks it off, as a process that dies does. */
  putSlowly(key: string, body: string, condition: PutCondition): SlowWrite {
    if (!this.#takesWrites) return NOT_SENT;
    const fields = { ...condition, ...this.#checksums.fieldsFor(body), ...this.#fields.put };
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ...fields });
    const slow = sendSlowly(this.#client, command, { effects: this.#effects, timeoutMs: this.#timeoutMs });
    this.#observations.writes.note(
      key,
      slow.over.then((isDone) => (isDone ? "done" : "open")),
    );
    const finish = () => {
      // One that is cut off does not count for the store.
      this.#observations.requests += 1;
      return slow.finish();
    };
    return { ...slow, finish };
  }

  get(key: string, ifNoneMatch?: string): Promise<ProbeOutcome> {
    const condition = ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch };
    return this.#send("get", "s3:GetObject", key, undefined, () => {
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...condition, ...this.#fields.get });
      const work = async (abortSignal: AbortSignal) => {
        const output = await this.#client.send(command, { abortSignal });
        const body = await readBody(output.Body, output.ContentLength, BODY_BYTES_MAX, abortSignal);
        return { etag: output.ETag, body: body.kind === "text" ? body.text : undefined };
      };
      return { command, work };
    });
  }

  head(key: string): Promise<ProbeOutcome> {
    return this.#send("head", "s3:GetObject", key, undefined, () => {
      const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ...this.#fields.get });
      return {
        command,
        work: async (abortSignal) => ({ etag: (await this.#client.send(command, { abortSignal })).ETag }),
      };
    });
  }

  delete(key: string, ifMatch?: string, start?: StartingLine): Promise<ProbeOutcome> {
    const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch };
    return this.#send("delete", "s3:DeleteObject", key, start, () => {
      const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, ...condition, ...this.#fields.delete });
      const work = async (abortSignal: AbortSignal) => {
        await this.#client.send(command, { abortSignal });
        return {};
      };
      return { command, work };
    });
  }

  list(prefix: string, { pageSize, continuation, startAfter }: ListPage = {}): Promise<ProbeOutcome> {
    const input = {
      Bucket: this.#bucket,
      Prefix: prefix,
      EncodingType: "url" as const,
      ...(pageSize === undefined ? {} : { MaxKeys: pageSize }),
      ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
      ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
      ...this.#fields.list,
    };
    return this.#send("list", "s3:ListBucket", undefined, undefined, () => {
      const command = new ListObjectsV2Command(input);
      const work = async (abortSignal: AbortSignal) => {
        const output = await this.#client.send(command, { abortSignal });
        const keys = (output.Contents ?? []).map(({ Key = "" }) => Key);
        const next = output.IsTruncated === true ? (output.NextContinuationToken ?? "") : undefined;
        return { keys: output.EncodingType === "url" ? keys.map(decodeKey) : keys, continuation: next };
      };
      return { command, work };
    });
  }

  versioning(): Promise<ProbeOutcome> {
    return this.#send("config", "s3:GetBucketVersioning", undefined, undefined, () => {
      const command = new GetBucketVersioningCommand({ Bucket: this.#bucket, ...this.#fields.config });
      const work = async (abortSignal: AbortSignal) => ({
        versioning: (await this.#client.send(command, { abortSignal })).Status,
      });
      return { command, work };
    });
  }

  replication(): Promise<ProbeOutcome> {
    return this.#send("config", "s3:GetReplicationConfiguration", undefined, undefined, () => {
      const command = new GetBucketReplicationCommand({ Bucket: this.#bucket, ...this.#fields.config });
      const work = async (abortSignal: AbortSignal) => ({
        replication: (await this.#client.send(command, { abortSignal })).ReplicationConfiguration?.Rules,
      });
      return { command, work };
    });
  }

  lifecycle(): Promise<ProbeOutcome> {
    return this.#send("config", "s3:GetLifecycleConfiguration", undefined, undefined, () => {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket, ...this.#fields.config });
      const work = async (abortSignal: AbortSignal) => ({
        rules: (await this.#client.send(command, { abortSignal })).Rules,
      });
      return { command, work };
    });
  }

  async #send(
    name: ProbeOperation,
    action: string,
    key: string | undefined,
    start: StartingLine | undefined,
    prepare: () => { readonly command: object; work(signal: AbortSignal): Promise<Fields> },
    onRefused: (status: number, said: Said) => void = () => {},
  ): Promise<ProbeOutcome> {
    const isOver = () => this.#isOver || (name === "put" && !this.#takesWrites);
    if (isOver()) return OVER;
    const operation: Operation<Fields, ProbeOutcome> = {
      request: { action, bucket: this.#bucket, isExamination: true, ...(key === undefined ? {} : { key }) },
      streams: name === "get",
      start: () => {
        const prepared = prepare();
        start?.hold(prepared.command);
        beforeItLeaves(prepared.command, () => {
          // It may have waited for credentials for longer than the examination lasts.
          if (isOver()) throw new TransmissionRefused(OVER.error.message);
          if (name === "put" && key !== undefined) this.#observations.writes.note(key, ended);
        });
        return prepared;
      },
      onSuccess: (fields, timing, transmission) => {
        // A portal or a website says so to everything, and nothing was written.
        if (name === "put" && !isReceipt(transmission)) {
          const fault = `${notOfS3(fields.etag, transmission)}. ${ANSWERS_EVERYTHING}`;
          return { ...outcomeOfBadAnswer(operation.request, fault, transmission), isForeign: true };
        }
        const { status = 200, headers = {} } = transmission;
        this.#observations.noteConnection(headers["connection"]);
        const modifiedMs = Date.parse(headers["last-modified"] ?? "");
        const modified = Number.isNaN(modifiedMs) ? {} : { modifiedMs };
        const versionId = headers["x-amz-version-id"];
        const version = versionId === undefined || versionId === "" ? {} : { versionId };
        return { kind: "answer", status, timing, ...modified, ...version, ...fields };
      },
      onStatus: (status, said, timing) => {
        const { code, transmission } = said;
        onRefused(status, said);
        // What is not the store's word is not a reason to condemn it: a page, or a 404 other than it was seen to say it.
        if (code === "NoSuchKey" && name === "get") this.#absence.looks = "named";
        const isBare = status === 404 && code === undefined && name !== "head" && this.#absence.looks === "named";
        // Of a write no store says so in words of its own: there is no such route, at an ingress or a console.
        const isRoute = status === 404 && code === undefined && name === "put" && (transmission.text ?? "") !== "";
        const isPageOf = isBare || isRoute || isPage(transmission.text);
        const isTelling = TELLING.has(status) && code !== "NoSuchBucket" && !isPageOf;
        return isTelling ? { kind: "answer", status, timing, ...(code !== undefined && { code }) } : undefined;
      },
    };
    const sending = this.#sender.send(operation, { timeoutMs: this.#timeoutMs });
    const ended = sending.then(endOf);
    const outcome = await sending;
    this.#observations.note(name, outcome, key);
    return outcome;
  }
}
