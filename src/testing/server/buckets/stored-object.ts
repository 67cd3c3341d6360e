/** An object of a bucket. */
export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  /** Quoted. */
  readonly etag: string;
  /** Epoch milliseconds on the server's clock. */
  readonly lastModifiedMs: number;
  /** Those that come back with the object: content type and the like, and `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
}
