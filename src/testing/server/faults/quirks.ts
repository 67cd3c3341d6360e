import type { OptionNames } from "../../../arguments/option-names.js";
import type { S3Operation } from "../wire/operation.js";

/**
 * Ways in which the whole server departs from AWS, each known from a real store. All are off by default. Sources are in
 * `docs/guide/testing.md`.
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
   * all win. A number is the wait in milliseconds. Known from SeaweedFS 4.16 and, by reading their code, versitygw and
   * moto.
   */
  readonly checkThenWriteRace?: boolean | number;
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
   * gofakes3 and s3s-fs; 200, which creates the object, from MinIO before 2025-09-06.
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
  /** Every so many conditional PUTs, one is done whatever its condition says. */
  readonly ignoreConditionsEvery?: number;
  /** Conditional PUTs of objects that were written longer ago than this are done whatever they say. Milliseconds. */
  readonly forgetConditionsMs?: number;
  /** PUT of a key that was deleted before is done whatever `If-None-Match: *` says. */
  readonly ignoreIfNoneMatchAfterDelete?: boolean;
  /** Every so many PUTs, one is answered 200 and not done. */
  readonly loseWritesEvery?: number;
  /** PUTs that are answered 412 are done all the same. */
  readonly doRefusedWrites?: boolean;
  /** DELETE is answered 204 and not done. */
  readonly loseDeletes?: boolean;
  /**
   * `"constant"`: all objects have the same ETag. `"weak"`: ETags begin with `W/`. `"missing"`: no answer has one.
   * `"unsteady"`: each answer to a GET has another one.
   */
  readonly etags?: "constant" | "weak" | "missing" | "unsteady";
  /** GET and HEAD with `If-None-Match` are answered 304 whatever has become of the object, as long as it exists. */
  readonly alwaysNotModified?: boolean;
  /** `Date` is renewed only this often, in milliseconds, as by a server that keeps its text; a day: it stands still. */
  readonly dateEveryMs?: number;
  /** Every other answer has a `Date` that is off by so many milliseconds, as from a second gateway. */
  readonly dateJumpMs?: number;
  /**
   * `"unordered"`: the keys of a page come backwards. `"endless"`: continuation tokens are ignored.
   * `"first-page-only"`: what is on further pages is left out. `"any-prefix"`: prefixes are ignored.
   * `"folders-only"`: a prefix that does not end in `/`, and `StartAfter`, are answered 400, and the keys of a page come backwards.
   * `"folders-or-nothing"`: nothing is listed under a prefix that does not end in `/`.
   */
  readonly listings?:
    | "unordered"
    | "endless"
    | "first-page-only"
    | "any-prefix"
    | "folders-only"
    | "folders-or-nothing";
  /** Keys that differ only in case, or only in doubled slashes, are one object. Known from file systems. */
  readonly keys?: "case-insensitive" | "merged-slashes";
  /** Longer keys are answered 400 KeyTooLongError. Default 1024. Known, with 255 for a part of a key, from file systems. */
  readonly keyBytesMax?: number;
  /** Each answer closes its connection. Known from versitygw. */
  readonly closesConnections?: boolean;
  /** A PUT whose client goes away before its last byte is done with what has come. Known from localbucket and s3rver. */
  readonly keepsCutWrites?: boolean;
  /** A GET waits for a PUT of the same key that is under way, for 30 s at most. Known from MinIO. */
  readonly readsWaitForWrites?: boolean;
  /** The versioning of all buckets: versions are kept, in memory, and deleting leaves a delete marker. Default: never enabled. */
  readonly versioning?: "Enabled" | "Suspended";
  /**
   * What a bucket with versioning does where stores differ. `"aws"` (default): a delete marker counts as absent.
   * `"versitygw"`, S3Mock too: a marker counts as an object, for `If-None-Match: *`, and for `If-Match` as the version under it.
   * `"ceph"`: the conditions of PUTs do not work, or a marker counts as an object where versioning is suspended.
   */
  readonly versionsLike?: "aws" | "versitygw" | "ceph";
  /** These operations are answered 403 AccessDenied, as a policy that forbids them would. */
  readonly deny?: readonly S3Operation[];
}

export const QUIRKS: OptionNames<StoreQuirks> = {
  ignoreIfNoneMatch: true,
  ignoreIfMatch: true,
  conditionalPutUnsupported: true,
  deleteIgnoresIfMatch: true,
  deleteIfMatchUnsupported: true,
  checkThenWriteRace: true,
  losersGet500: true,
  etagForm: true,
  missingKeyIfMatchStatus: true,
  readIgnoresIfNoneMatch: true,
  noDate: true,
  staleReadMs: true,
  staleListMs: true,
  writesPerSecondPerKey: true,
  ignoreConditionsEvery: true,
  forgetConditionsMs: true,
  ignoreIfNoneMatchAfterDelete: true,
  loseWritesEvery: true,
  doRefusedWrites: true,
  loseDeletes: true,
  etags: true,
  alwaysNotModified: true,
  dateEveryMs: true,
  dateJumpMs: true,
  listings: true,
  keys: true,
  keyBytesMax: true,
  closesConnections: true,
  keepsCutWrites: true,
  readsWaitForWrites: true,
  versioning: true,
  versionsLike: true,
  deny: true,
};

/** Says how long an old version may be asked for. */
export function historyNeededMs(quirks: StoreQuirks): number {
  return Math.max(quirks.staleReadMs ?? 0, quirks.staleListMs ?? 0);
}
