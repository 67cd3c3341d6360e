/** `warn`: locks work, with less than they could have. `fail`: do not lock here. `skipped`: could not be examined. */
export type StoreVerdict = "pass" | "warn" | "fail" | "skipped";

/** What was examined of a store; more may be added. */
export type StoreCheckId =
  | "put-permission"
  | "get-permission"
  | "list-permission"
  | "delete-permission"
  | "gateways"
  | "etag-form"
  | "create-twice"
  | "stale-if-match"
  | "missing-if-match"
  | "etags"
  | "read-after-write"
  | "not-modified"
  | "bodies"
  | "stale-delete"
  | "head"
  | "keys"
  | "list-after-write"
  | "list-pages"
  | "create-race"
  | "replace-race"
  | "delete-race"
  | "lost-updates"
  | "older-object"
  | "slow-write"
  | "cut-write"
  | "connections"
  | "date"
  | "clock-offset"
  | "latency"
  | "write-ceiling"
  | "errors"
  | "versioning"
  | "lifecycle"
  | "clean-up";

/** One question that was put to a store, and its answer. */
export interface StoreCheck {
  readonly id: StoreCheckId;
  /** What was examined, in a few words. */
  readonly title: string;
  readonly verdict: StoreVerdict;
  /** What was seen. */
  readonly detail: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly remedy?: string;
  /** Numbers that were measured; the unit is in the name. */
  readonly measured?: Readonly<Record<string, number>>;
}

/** How far an examination is. */
export interface StoreProgress {
  readonly done: number;
  /** Fewer where a store fails so early that the rest is not asked. */
  readonly total: number;
  readonly elapsedMs: number;
}

/** What {@link verifyStore} found. */
export interface StoreReport {
  /** The worst of all checks; `skipped` ones do not count. */
  readonly verdict: "pass" | "warn" | "fail";
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly checks: readonly StoreCheck[];
  /** How many requests it took. */
  readonly requests: number;
  readonly elapsedMs: number;
}

/** What one check comes to. */
export type Finding = Pick<StoreCheck, "verdict" | "detail" | "remedy" | "measured">;

type Measured = Readonly<Record<string, number>>;

export function pass(detail: string, measured?: Measured): Finding {
  return { verdict: "pass", detail, ...(measured === undefined ? {} : { measured }) };
}

export function warn(detail: string, remedy: string, measured?: Measured): Finding {
  return { verdict: "warn", detail, remedy, ...(measured === undefined ? {} : { measured }) };
}

export function fail(detail: string, remedy: string, measured?: Measured): Finding {
  return { verdict: "fail", detail, remedy, ...(measured === undefined ? {} : { measured }) };
}

export function skipped(detail: string, remedy?: string): Finding {
  return { verdict: "skipped", detail, ...(remedy === undefined ? {} : { remedy }) };
}

/** What is not examined without the right to delete. */
export const UNDELETABLE = skipped("it would leave objects behind that cannot be deleted");

export const UNSAFE =
  "Do not lock on this store: two holders at once are possible. Use one that honours conditional writes, or a version that does.";

export const UNSAFE_WITH_VERSIONS =
  "Do not lock in this bucket: two holders at once are possible. It keeps versions, and some stores (Ceph) judge conditions wrongly there: use a bucket in which versioning was never enabled, and examine that.";

/** What is said where ETags are shown otherwise than the store compares them. */
export const RESHAPED =
  "Nothing to do for locks: s3-mutex finds that out. Something on the way changes ETags, such as a proxy that compresses: other software may need the store's own.";

/** What is said where writes were done, and then answered as refused. */
export const REPEATED =
  "Nothing to do for safety: s3-mutex reads what became of such a write. Something repeats requests: the runtime (Deno, or fetch of Bun and Deno), or a proxy (nginx: proxy_next_upstream off).";

export function worstOf(checks: readonly Pick<StoreCheck, "verdict">[]): StoreReport["verdict"] {
  const verdicts = new Set(checks.map(({ verdict }) => verdict));
  if (verdicts.has("fail")) return "fail";
  return verdicts.has("warn") ? "warn" : "pass";
}
