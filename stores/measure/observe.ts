import { randomUUID } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";

/** What a store answers to one request after the other, in HTTP statuses: facts, without this library in between. */
export interface Observation {
  /** PUT If-None-Match: * on a key that exists. */
  readonly createExisting: string;
  /** PUT If-Match with the current ETag, as it was returned. */
  readonly replaceCurrent: string;
  /** The same without quotes. */
  readonly replaceUnquoted: string;
  readonly replaceStale: string;
  /** PUT If-Match on a key that does not exist. */
  readonly replaceMissing: string;
  /** PUT If-None-Match: * on a key that was deleted; in a bucket with versions, over its delete marker. */
  readonly createDeleted?: string;
  /** PUT If-Match with the ETag of what was deleted. */
  readonly replaceDeleted?: string;
  readonly deleteStale: string;
  readonly deleteCurrent: string;
  /** GET If-None-Match with the current ETag. */
  readonly readUnchanged: string;
  /** Whether answers have a `Date`. */
  readonly date: boolean;
  /** PUT with the checksum that newer SDKs send by default. */
  readonly checksum: string;
}

export async function observe(config: S3ClientConfig, bucketName: string): Promise<Observation> {
  const seen = new Seen(config, bucketName);
  try {
    return await seen.all();
  } finally {
    seen.close();
  }
}

interface Answer {
  readonly status: string;
  readonly etag: string;
}

interface SdkOutput {
  readonly $metadata: { readonly httpStatusCode?: number | undefined };
  readonly ETag?: string | undefined;
}

type Condition = { readonly IfMatch?: string; readonly IfNoneMatch?: string };

class Seen {
  readonly #config: S3ClientConfig;
  readonly #client: S3Client;
  readonly #Bucket: string;
  #date = false;

  constructor(config: S3ClientConfig, bucketName: string) {
    const sparing = {
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    } as const;
    this.#config = { ...config, maxAttempts: 1 };
    this.#client = new S3Client({ ...this.#config, ...sparing });
    this.#Bucket = bucketName;
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { headers } = result.response as { headers: Record<string, string> };
        this.#date = headers["date"] !== undefined;
        return result;
      },
      { step: "deserialize", priority: "low" },
    );
  }

  close(): void {
    this.#client.destroy();
  }

  async all(): Promise<Observation> {
    const first = await this.#put("object", {});
    const createExisting = (await this.#put("object", { IfNoneMatch: "*" })).status;
    const current = (await this.#put("replaced", {})).etag;
    const replaceCurrent = (await this.#put("replaced", { IfMatch: current })).status;
    const bare = (await this.#put("unquoted", {})).etag.replaceAll('"', "");
    const replaceUnquoted = (await this.#put("unquoted", { IfMatch: bare })).status;
    const stale = await this.#twice("stale");
    const replaceStale = (await this.#put("stale", { IfMatch: stale.before })).status;
    const replaceMissing = (await this.#put("missing", { IfMatch: first.etag })).status;
    const under = await this.#removed("under");
    const replaceDeleted = (await this.#put("under", { IfMatch: under })).status;
    await this.#removed("over");
    const createDeleted = (await this.#put("over", { IfNoneMatch: "*" })).status;
    const kept = await this.#twice("deleted");
    const deleteStale = await this.#delete("deleted", kept.before);
    const gone = (await this.#put("gone", {})).etag;
    const deleteCurrent = await this.#delete("gone", gone);
    const unchanged = (await this.#put("unchanged", {})).etag;
    return {
      createExisting,
      replaceCurrent,
      replaceUnquoted,
      replaceStale,
      replaceMissing,
      createDeleted,
      replaceDeleted,
      deleteStale,
      deleteCurrent,
      readUnchanged: await this.#get("unchanged", unchanged),
      date: this.#date,
      checksum: await this.#putWithChecksum(),
    };
  }

  async #twice(Key: string): Promise<{ readonly before: string; readonly after: string }> {
    return { before: (await this.#put(Key, {})).etag, after: (await this.#put(Key, {})).etag };
  }

  /** Writes and deletes an object, and gives its ETag, in the form that If-Match takes. */
  async #removed(Key: string): Promise<string> {
    const { etag } = await this.#put(Key, {});
    const quoted = (await this.#put(`${Key}-form`, { IfMatch: (await this.#put(`${Key}-form`, {})).etag })).status;
    await answerOf(() => this.#client.send(new DeleteObjectCommand({ Bucket: this.#Bucket, Key })));
    return quoted === "200" ? etag : etag.replaceAll('"', "");
  }

  #put(Key: string, condition: Condition): Promise<Answer> {
    const command = new PutObjectCommand({ Bucket: this.#Bucket, Key, Body: randomUUID(), ...condition });
    return answerOf(() => this.#client.send(command));
  }

  async #delete(Key: string, IfMatch: string): Promise<string> {
    const command = new DeleteObjectCommand({ Bucket: this.#Bucket, Key, IfMatch });
    const { status } = await answerOf(() => this.#client.send(command));
    const left = await this.#get(Key, undefined);
    return `${status}, ${left === "200" ? "still there" : "gone"}`;
  }

  async #get(Key: string, IfNoneMatch: string | undefined): Promise<string> {
    const condition = IfNoneMatch === undefined ? {} : { IfNoneMatch };
    const command = new GetObjectCommand({ Bucket: this.#Bucket, Key, ...condition });
    return (await answerOf(() => this.#client.send(command))).status;
  }

  async #putWithChecksum(): Promise<string> {
    const client = new S3Client({ ...this.#config, requestChecksumCalculation: "WHEN_SUPPORTED" });
    try {
      const command = new PutObjectCommand({ Bucket: this.#Bucket, Key: randomUUID(), Body: "x" });
      return (await answerOf(() => client.send(command))).status;
    } finally {
      client.destroy();
    }
  }
}

async function answerOf(send: () => Promise<SdkOutput>): Promise<Answer> {
  try {
    const { $metadata, ETag = "" } = await send();
    return { status: String($metadata.httpStatusCode), etag: ETag };
  } catch (error) {
    const { $metadata, name, code } = error as { $metadata?: { httpStatusCode?: number }; name: string; code?: string };
    return {
      status: $metadata?.httpStatusCode === undefined ? (code ?? name) : String($metadata.httpStatusCode),
      etag: "",
    };
  }
}
