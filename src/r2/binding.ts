/** The part of a bucket binding of Cloudflare Workers (`R2Bucket`) that is used. */
export interface R2Binding {
  get(key: string, options?: { readonly onlyIf?: R2Condition }): Promise<R2Found | null>;
  put(
    key: string,
    value: string,
    options?: { readonly onlyIf?: R2Condition; readonly httpMetadata?: R2HttpMetadata },
  ): Promise<R2Stored | null>;
  list(options?: { readonly prefix?: string; readonly cursor?: string }): Promise<R2Page>;
}

/** With ETags as `etag` shows them, without quotes; `*` stands for any. */
export interface R2Condition {
  readonly etagMatches?: string;
  readonly etagDoesNotMatch?: string;
}

/** Headers that an object is served with. */
export interface R2HttpMetadata {
  readonly contentType?: string;
  readonly cacheControl?: string;
}

/** What is known of an object. */
export interface R2Stored {
  readonly key: string;
  /** Without quotes, as conditions want it. */
  readonly etag: string;
  /** In quotes, as S3 shows it. */
  readonly httpEtag: string;
  /** In bytes. */
  readonly size: number;
}

/** The same with its content. `body` is missing where `onlyIf` did not hold. */
export interface R2Found extends R2Stored {
  readonly body?: { cancel(reason?: unknown): Promise<void> };
  text?(): Promise<string>;
}

/** One page of keys. */
export interface R2Page {
  readonly objects: readonly R2Stored[];
  readonly truncated: boolean;
  readonly cursor?: string;
}
