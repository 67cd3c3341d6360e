import type { S3Operation } from "./operation.js";

/**
 * Ways in which the whole server departs from AWS, each known from a real store. All are off by default. Sources are in
 * `docs/testing.md`.
 */
export interface StoreQuirks {
  /** PUT overwrites whatever `If-None-Match: *` says. Known from Garage, rclone `serve s3`, s3rver, GCS interop. */
  readonly ignoreIfNoneMatch?: boolean;
  /** PUT overwrites whatever `If-Match` says. Known from Garage, rclone `serve s3`, s3rver, GCS interop. */
  readonly ignoreIfMatch?: boolean;
  /** PUT with `If-None-Match` or `If-Match` is answered 501 NotImplemented. Known from Backblaze B2. */
  readonly conditionalPutUnsupported?: boolean;
  /** DELETE deletes whatever `If-Match` says. Known from Ceph 16, MinIO, gofakes3. */
  readonly deleteIgnoresIfMatch?: boolean;
  /** DELETE with `If-Match` is answered 501 NotImplemented. Known from LocalStack 4.14. */
  readonly deleteIfMatchUnsupported?: boolean;
  /**
   * Conditional writes check, wait 20 ms, and write without checking again: one after another they behave, but racers
   * all win. Known from SeaweedFS 4.16 and, by reading their code, versitygw and moto.
   */
  readonly checkThenWriteRace?: boolean;
  /**
   * Conditional writes that lose to one that was under way at the same time get 500 UnknownError, not 412. Conditional
   * writes take 20 ms longer, or they would hardly ever overlap. Known from Ceph 16.
   */
  readonly losersGet500?: boolean;
  /**
   * The form that an ETag must have in `If-Match` of a PUT or DELETE to be recognised; the other form gets 412. Default
   * `"any"`. `"unquoted-only"` is known from DigitalOcean Spaces and Ceph 16.
   */
  readonly etagForm?: "any" | "unquoted-only" | "quoted-only";
  /**
   * The answer to PUT with `If-Match` for a key that does not exist. Default 404, as AWS. 412 is known from Ceph 16,
   * SeaweedFS and gofakes3; 200, which creates the object, from MinIO before 2025-09-06.
   */
  readonly missingKeyIfMatchStatus?: 404 | 412 | 200;
  /** GET and HEAD answer 200 whatever `If-None-Match` says: no 304. Known from proxies that drop the header. */
  readonly readIgnoresIfNoneMatch?: boolean;
  /** Answers have no `Date` header. Known from proxies and from hand-made servers. */
  readonly noDate?: boolean;
  /** GET and HEAD show objects as they were this many milliseconds ago. Known from caches in front of a store. */
  readonly staleReadMs?: number;
  /** Listings show the bucket as it was this many milliseconds ago. Known from AWS before December 2020. */
  readonly staleListMs?: number;
  /** PUTs and DELETEs of one key beyond this many in a second get 429. Known from Cloudflare R2, with 1. */
  readonly writesPerSecondPerKey?: number;
  /** These operations are answered 403 AccessDenied, as a policy that forbids them would. */
  readonly deny?: readonly S3Operation[];
}

/** How long an old version may be asked for. */
export function historyNeededMs(quirks: StoreQuirks): number {
  return Math.max(quirks.staleReadMs ?? 0, quirks.staleListMs ?? 0);
}
