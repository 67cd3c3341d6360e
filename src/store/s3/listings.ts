import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { isDirectoryBucket } from "../../arguments/bucket-names.js";
import type { ListOutcome, RequestOptions } from "../object-store.js";
import { decodeKey } from "./answers/document.js";
import type { Operation, OperationSender } from "./answers/operation.js";
import { outcomeOfBadAnswer } from "./answers/outcomes.js";
import { isListing, notOfS3 } from "./answers/receipts.js";
import type { Request } from "./answers/request.js";
import type { ListingState } from "./client/client-state.js";
import type { HeaderFields } from "./client/store-headers.js";

export interface ListingsOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly state: ListingState;
  readonly fields: HeaderFields;
  readonly sender: OperationSender;
}

/** In a continuation: which listing it goes on with. */
const PLAIN = "p";
const ABOVE = "f";

/**
 * Listings, page by page and in any order. Where the store lists folders only (S3 Express, and file servers, which say so or show
 * nothing), the folder above is listed, and chosen from.
 */
export class Listings {
  readonly #options: ListingsOptions;

  constructor(options: ListingsOptions) {
    this.#options = options;
    if (isDirectoryBucket(options.bucket)) options.state.prefixes = "folders";
  }

  async page(prefix: string, continuation: string | undefined, options: RequestOptions): Promise<ListOutcome> {
    const { state } = this.#options;
    const token = continuation?.slice(1);
    const isAbove = continuation === undefined ? state.prefixes === "folders" : continuation.startsWith(ABOVE);
    if (isAbove && !isFolder(prefix)) return chosen(prefix, await this.#ask(folderAbove(prefix), token, options));
    const page = marked(PLAIN, await this.#ask(prefix, token, options));
    const isToldAlready = isFolder(prefix) || continuation !== undefined || state.prefixes === "any";
    return isToldAlready ? page : await this.#learn(prefix, page, options);
  }

  /** Learns from the first page of a prefix that is not a folder what the store lists; gives it, or what the folder above has of it. */
  async #learn(prefix: string, page: ListOutcome, options: RequestOptions): Promise<ListOutcome> {
    const { state } = this.#options;
    if (page.kind === "ok" && page.keys.length > 0) state.prefixes = "any";
    const isRefused = page.kind === "refused" && page.error.code === "store-unsafe";
    const isEmpty = page.kind === "ok" && page.keys.length === 0 && page.continuation === undefined;
    if (!isRefused && !isEmpty) return page;
    const above = await this.#ask(folderAbove(prefix), undefined, options);
    if (above.kind !== "ok") return page;
    if (isRefused) state.prefixes = "folders";
    else state.prefixes = await this.#prefixesShown(above.keys, options);
    return state.prefixes === "folders" ? chosen(prefix, above) : page;
  }

  /** Asks for something that is there, by less than the whole of its key, where nothing was listed. */
  async #prefixesShown([key]: readonly string[], options: RequestOptions): Promise<ListingState["prefixes"]> {
    const part = key?.slice(0, -1) ?? "";
    if (isFolder(part)) return undefined;
    const found = await this.#ask(part, undefined, options);
    if (found.kind !== "ok") return undefined;
    return found.keys.length > 0 ? "any" : "folders";
  }

  #ask(prefix: string, token: string | undefined, options: RequestOptions): Promise<ListOutcome> {
    const { client, bucket, fields, sender } = this.#options;
    const request: Request = { action: "s3:ListBucket", bucket };
    const operation: Operation<ListedPage, ListOutcome> = {
      request,
      start: () => {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // Keys may hold characters that XML cannot.
          EncodingType: "url",
          ...(token === undefined ? {} : { ContinuationToken: token }),
          ...fields.list,
        });
        const work = async (signal: AbortSignal) => {
          const output = await client.send(command, { abortSignal: signal });
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
      onSuccess: ({ keys, etags, next }, timing, transmission) => {
        // The SDK reads an empty answer, and some pages, as a bucket without keys.
        if (!isListing(transmission)) return outcomeOfBadAnswer(request, notOfS3("", transmission), transmission);
        return { kind: "ok", keys, etags, ...(next === undefined ? {} : { continuation: next }), timing };
      },
      onStatus: () => undefined,
    };
    return sender.send(operation, options);
  }
}

interface ListedPage {
  readonly keys: readonly string[];
  readonly etags: ReadonlyMap<string, string>;
  readonly next: string | undefined;
}

function isFolder(prefix: string): boolean {
  return prefix === "" || prefix.endsWith("/");
}

function folderAbove(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf("/") + 1);
}

function chosen(prefix: string, page: ListOutcome): ListOutcome {
  if (page.kind !== "ok") return page;
  const keys = page.keys.filter((key) => key.startsWith(prefix));
  const etags = new Map([...page.etags].filter(([key]) => key.startsWith(prefix)));
  return marked(ABOVE, { ...page, keys, etags });
}

function marked(mark: string, page: ListOutcome): ListOutcome {
  if (page.kind !== "ok" || page.continuation === undefined) return page;
  return { ...page, continuation: mark + page.continuation };
}
