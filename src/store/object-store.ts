import type { S3MutexError } from "../errors.js";

/**
 * The port through which everything reaches a store. Outcomes are data: a caller has to say what it does about each,
 * `unknown` above all.
 *
 * - A request is sent to the wire **at most once** per call. No adapter retries: only the caller knows what a repeated
 *   write would mean.
 * - `unknown` means that a write may have been applied, may be applied later, or may never be. Time-outs, resets, 5xx
 *   and 429 are all `unknown`.
 * - `conflict` means that the store said that a condition did not hold (412, 409). It is *not* proof that this very write was
 *   not applied: a proxy may have repeated it. Callers re-read.
 */
export interface ObjectStore {
  /** Reads an object. `ifNoneMatch`: answer `unchanged` while the object still has this ETag. Absent objects are `absent` all the same. */
  read(key: string, options: ReadOptions): Promise<ReadOutcome>;
  /** Creates the object (`if-absent`) or replaces exactly the version with the ETag given. Never unconditional. */
  write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome>;
  /**
   * Removes exactly the version with this ETag. `unsupported` where the store was not seen to honour conditional
   * deletes, or does not let this client delete, `versioned` where it would leave a delete marker; the object is untouched then.
   */
  remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome>;
  /** Lists one page of keys that start with `prefix`, in the store's order. */
  list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome>;
}

/**
 * The port with what only some adapters have. A call that asks for something that an adapter lacks is refused, by name, and nothing else
 * depends on it.
 */
export interface StoreAdapter extends ObjectStore {
  /** How messages, reports and hand-overs name the place of the objects. @default "store" */
  readonly bucketName?: string;
  /**
   * A text for how the objects are reached: equal in all processes that reach the same objects in the same way, so that one may go by
   * the check of another (`verify: "auto"`). Without it, or where it throws or says nothing within 2 s, each process checks for itself.
   */
  way?(): Promise<string>;
  /** Where the adapter finds out how ETags go in conditions, which costs requests: what it found goes along with the check for others. */
  readonly etagForm?: EtagFormHint;
  /** The objects are in this process, so that nothing on the way could ignore conditions: `verify: "auto"` has nothing to check. */
  readonly isInProcess?: true;
  /** The same for another bucket: for fenced objects in `bucket`. */
  inBucket?(bucketName: string): ObjectStore;
}

/** In which form a store wants ETags in conditions, for one process to tell another. */
export interface EtagFormHint {
  /** Tells in which form ETags go by now, where that is not as the store shows them. */
  known(): "unquoted" | undefined;
  /**
   * Takes over what another process has seen: to begin with, where this one has seen nothing. Of use to save requests and for nothing else:
   * what turns out not to hold has to be found out anew.
   */
  believe(form: "unquoted"): void;
}

/** What a read is given besides what every request is. */
export interface ReadOptions extends RequestOptions {
  /** Answer `unchanged` while the object still has this ETag. */
  readonly ifNoneMatch?: string;
  /** What is longer, in bytes of UTF-8, is `oversized`. @default 65536 ({@link MAX_BODY_BYTES}) */
  readonly maxBodyBytes?: number;
}

/** In milliseconds. Some stores take one write a second on a key (R2): after this, one that came too soon may be sent again. */
export const THROTTLE_PAUSE_MS = 1100;

/** An ETag to try conditions with. Shaped like all others, and of nothing that is ever there: not even of an empty object, as an upload that was cut short leaves. */
export const NEVER_THERE = '"5c9d1f0e7b3a48628e41d07c2ab6f935"';

/** What every request is given. */
export interface RequestOptions {
  /** Milliseconds from the moment at which the request leaves to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Renewals and releases: goes before everything that waits for its turn to be sent. Waiting is not part of `timeoutMs`. */
  readonly urgent?: boolean;
  /**
   * No caller waits for it after this monotonic time: what has not left by then does not leave. Credentials, an examination of
   * the store, or its turn may take until then.
   */
  readonly giveUpAtMs?: number;
  /**
   * Told of a refusal while the request goes on, since other credentials are asked for that it could be sent again with; and, without an
   * error, when it is sent again.
   */
  readonly onRefusal?: (error?: S3MutexError) => void;
}

/** Under which condition a write is applied. */
export type WriteCondition = { readonly kind: "if-absent" } | { readonly kind: "if-match"; readonly etag: string };

/** When a request left and its answer came, on the local monotonic clock, and what the store's `Date` header said. */
export interface AnswerTiming {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** The `Date` header in epoch milliseconds (whole seconds), where the answer had one. */
  readonly dateMs?: number;
  /** The answer came out of a cache (`Age`): it says nothing about the store's clock, not even that the store tells none. */
  readonly aged?: true;
}

/** Nothing is known about what the request did: no answer, or one that does not say. */
export interface UnknownOutcome {
  readonly kind: "unknown";
  /** A `store-unavailable` error that says what was seen. */
  readonly error: S3MutexError;
  /** The store asked for fewer requests (429, 503 SlowDown). */
  readonly throttled: boolean;
  /**
   * False when it is certain that the request had no effect and will have none: nothing left the process, or the store
   * turned it away unseen.
   */
  readonly sent: boolean;
  /** What came is an answer of something on the way, not of the store. */
  readonly isForeign?: true;
  /** An answer began and did not come to its end: its timing is known, and what it would have said is not. */
  readonly brokeOff?: true;
  readonly timing?: AnswerTiming;
}

/** What an `access-denied` is about: `permissions` are mended by a policy, `credentials` are not. */
export type RefusedAbout = "permissions" | "credentials";

/** The store will not do this however often it is asked: denied, no such bucket, a store that is unsafe. */
export interface RefusedOutcome {
  readonly kind: "refused";
  readonly error: S3MutexError;
  /** Of the refusals that are `access-denied`: `permissions` are mended by a policy, `credentials` are not. */
  readonly about?: RefusedAbout;
  readonly timing?: AnswerTiming;
}

/**
 * What the answers about a bucket's objects say of versions. `suspended`: the version id is the text `null`; a version that
 * was written before versioning was turned on has that one, too.
 */
export type Versioning = "enabled" | "suspended" | "none";

/** Says what to do where conditions do not hold in a bucket that keeps versions, or has kept them; undefined for any other. */
export function remedyForVersions(versioning: Versioning | undefined): string | undefined {
  if (versioning !== "enabled" && versioning !== "suspended") return undefined;
  return `The bucket has versioning (${versioning}): some stores, such as Ceph, honour conditions only in buckets that never had it, so use one of those, or another store.`;
}

/** What an answer says of versions (`x-amz-version-id`); it takes no permission to see it. */
export interface Versioned {
  /** Absent: the answer has none, so the bucket keeps no versions. */
  readonly versionId?: string;
}

/** What is there in place of an object that was deleted in a bucket with versioning; reads say that it is absent. */
export interface DeleteMarker {
  /** Under which id it can be removed; not every store tells. */
  readonly versionId?: string;
}

/** Tells what this answer says of versions; undefined where it does not tell: of no object at all, or that nothing has changed. */
export function versioningOf({ kind, versionId, deleteMarker }: Telling): Versioning | undefined {
  const shown = kind === "absent" && deleteMarker !== "none" ? deleteMarker?.versionId : versionId;
  if (shown !== undefined) return shown === "null" ? "suspended" : "enabled";
  return kind === "ok" ? "none" : undefined;
}

interface Telling extends Versioned {
  readonly kind: string;
  readonly deleteMarker?: DeleteMarker | "none";
}

/** What became of a read. */
export type ReadOutcome =
  | (Versioned & {
      readonly kind: "ok";
      readonly etag: string;
      readonly body: string;
      /** The ETag is not the MD5 of this body: damaged on the way or not of the store, unless this store's are not hashes. */
      readonly isDoubtful?: boolean;
      /** When the store says that this version was written, in epoch milliseconds (whole seconds), where it does. */
      readonly lastModifiedMs?: number;
      readonly timing: AnswerTiming;
    })
  | { readonly kind: "unchanged"; readonly timing: AnswerTiming }
  /** `deleteMarker`: what is known to be in its place. `none`: the list of versions shows an object on top. */
  | { readonly kind: "absent"; readonly deleteMarker?: DeleteMarker | "none"; readonly timing: AnswerTiming }
  /** The body is longer than `maxBodyBytes`: nothing of ours, and not read any further. */
  | { readonly kind: "oversized"; readonly etag: string; readonly timing: AnswerTiming }
  /** It lies in a storage class that cannot be read; it can be replaced. */
  | { readonly kind: "archived"; readonly etag: string; readonly timing: AnswerTiming }
  | UnknownOutcome
  | RefusedOutcome;

/** What became of a conditional write. */
export type WriteOutcome =
  | (Versioned & { readonly kind: "ok"; readonly etag: string; readonly timing: AnswerTiming })
  | ConflictOutcome
  /** `if-match` on a key that has no object. */
  | { readonly kind: "absent"; readonly timing: AnswerTiming }
  | UnknownOutcome
  | RefusedOutcome;

/**
 * Refused, and not done. `busy`: only because another write of the key was under way (S3's 409), which does not say that the condition was
 * looked at. A 409 that says that the object exists, or that the condition does not hold, is a conflict without it.
 */
export interface ConflictOutcome {
  readonly kind: "conflict";
  readonly busy?: true;
  /** By which code the store says that it is busy, for people. */
  readonly code?: string;
  readonly timing: AnswerTiming;
}

/** Says whether the store has compared, and found that the condition does not hold. */
export function isComparedAndRefused(outcome: { readonly kind: string }): outcome is ConflictOutcome {
  return outcome.kind === "conflict" && !isBusy(outcome);
}

/** Says whether the store was busy with another write of the key. */
export function isBusy(outcome: { readonly kind: string; readonly busy?: boolean | undefined }): boolean {
  return outcome.kind === "conflict" && outcome.busy === true;
}

/** What became of a conditional delete. */
export type RemoveOutcome =
  | { readonly kind: "ok"; readonly timing: AnswerTiming }
  | ConflictOutcome
  | { readonly kind: "absent"; readonly timing: AnswerTiming }
  | { readonly kind: "unsupported" }
  /** The bucket keeps versions: deleting would leave a delete marker, which counts as an object on some stores. Nothing was sent. */
  | { readonly kind: "versioned" }
  | UnknownOutcome
  | RefusedOutcome;

/** What became of listing one page. */
export type ListOutcome =
  | {
      readonly kind: "ok";
      readonly keys: readonly string[];
      /** The ETags of those keys that the store listed with one. */
      readonly etags: ReadonlyMap<string, string>;
      /** Given when there are more pages. */
      readonly continuation?: string;
      readonly timing: AnswerTiming;
    }
  | UnknownOutcome
  | RefusedOutcome;

/** A lock record is a few hundred bytes; what is longer than this is something else. */
export const MAX_BODY_BYTES = 64 * 1024;

/** A fenced object is read and written whole, in one request. */
export const MAX_FENCED_BYTES = 8 * 1024 * 1024;

/** What an adapter needs of the outside world besides the network; `runtime/base/effects.ts` provides it. */
export interface StoreEffects {
  /** Reads a clock that never goes backwards, in milliseconds. */
  monotonicMs(): number;
  /** Calls back once after the delay; the function returned prevents that. */
  setTimer(delayMs: number, callback: () => void, options: TimerOptions): () => void;
  /** Makes an id that no other write, hold or process has. */
  newId(): string;
}

/** How a timer behaves. */
export interface TimerOptions {
  /** Whether the process stays alive for this timer. */
  readonly keepAlive: boolean;
}
