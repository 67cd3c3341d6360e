import type { S3Operation, S3RequestInfo } from "../wire/operation.js";

/** A fixed number of milliseconds, or a function that says how many for each request. */
export type Latency = number | ((request: S3RequestInfo) => number);

/** Which requests a rule is about, and how often. A rule without any of these is about every request. */
export interface FaultMatch {
  /**
   * One operation or several. Default: all; for `stale-read` GetObject and HeadObject, for `truncate-body` and
   * `damage-body` GetObject and ListObjectsV2.
   */
  readonly operation?: S3Operation | readonly S3Operation[];
  /** Default: all buckets. */
  readonly bucket?: string;
  /** An exact key, a pattern, or a function. Requests without a key never match then. Default: all. */
  readonly key?: string | RegExp | ((key: string) => boolean);
  /** Lets this many matching requests pass first. Default 0. */
  readonly skip?: number;
  /** Strikes at most this many times. Default: without limit. */
  readonly times?: number;
  /** From 0 to 1, decided anew for each matching request after the skipped ones. Default 1. */
  readonly probability?: number;
  /** Gives numbers from 0 up to 1, for a run that can be repeated. Default `Math.random`. */
  readonly random?: () => number;
}

/** The connection is reset before anything is done: the request had no effect. */
export interface DropBefore {
  readonly fault: "drop-before";
}

/** The request is applied, then the connection is reset: the client cannot know. */
export interface LoseResponse {
  readonly fault: "lose-response";
}

/**
 * The client learns nothing, and the request is applied later, after others that were sent after it. Conditions are
 * evaluated when it lands. `settled()` waits for it.
 */
export interface DelayApply {
  readonly fault: "delay-apply";
  /** Milliseconds from the arrival of the request. */
  readonly delayMs: number;
  /** `"reset"`, the default, resets the connection at once; `"none"` leaves the client waiting forever. */
  readonly answer?: "reset" | "none";
}

/** The request is applied twice, as by a proxy that repeats it; the answer is the second one's. */
export interface Duplicate {
  readonly fault: "duplicate";
}

/** The connection stays open and silent until the client gives up or the server is closed. */
export interface NeverAnswer {
  readonly fault: "never-answer";
  /** Whether the request takes effect. Default false. */
  readonly applied?: boolean;
}

/** An error answer. */
export interface StatusFault {
  readonly fault: "status";
  /** From 400 to 599. */
  readonly status: number;
  /**
   * S3's error code. Default: the usual one for the status, such as 500 InternalError, 503 SlowDown, 429
   * TooManyRequests, 409 ConditionalRequestConflict, 403 AccessDenied.
   */
  readonly code?: string;
  /** Whether the request takes effect all the same. Default false. */
  readonly applied?: boolean;
}

/** An answer that is not S3's, as of an ingress, a proxy, a portal or a login page in front of the store. */
export interface PageFault {
  readonly fault: "page";
  /** From 200 to 599. */
  readonly status: number;
  /** Default: none. */
  readonly body?: string;
  /** Default `"text/html"` where there is a body. */
  readonly contentType?: string;
  /** Further headers, such as `location`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the request takes effect all the same. Default false. */
  readonly applied?: boolean;
}

/** A slow request. Adds to the server's own latency. */
export interface LatencyFault {
  readonly fault: "latency";
  /** Split in halves: before the request is applied and after. Default 0. */
  readonly latencyMs?: Latency;
  /** Before it is applied, on top. Default 0. */
  readonly beforeMs?: Latency;
  /** After it is applied, on top. Default 0. */
  readonly afterMs?: Latency;
}

/** The answer has no `Date` header. */
export interface OmitDate {
  readonly fault: "omit-date";
}

/** The `Date` header of the answer is off by so much; nothing else is. */
export interface ShiftDate {
  readonly fault: "shift-date";
  /** Milliseconds, negative for the past; the header has whole seconds. */
  readonly shiftMs: number;
}

/** The body of the answer breaks off. An answer that has no body goes out as it is. */
export interface TruncateBody {
  readonly fault: "truncate-body";
  /** How many bytes are sent. Default: half of them. */
  readonly bytes?: number;
  /**
   * Default false: `Content-Length` announces the whole body and the connection is reset after the part. True:
   * `Content-Length` is that of the part, as from a proxy that cuts without a sign.
   */
  readonly unnoticed?: boolean;
}

/**
 * The body of the answer is another one, whole and of the right length. `gzip` says so in `Content-Encoding`, as a proxy
 * that compresses; `halve` and `empty` do not say so; a function makes any other body of it.
 */
export interface DamageBody {
  readonly fault: "damage-body";
  readonly damage: "gzip" | "halve" | "empty" | ((body: Uint8Array) => Uint8Array);
}

/** Headers of the answer are others than the store's: weak ETags of a proxy, or none. */
export interface ChangeHeaders {
  readonly fault: "change-headers";
  /** By name in lower case: the value, or what becomes of the store's own; a function that returns `undefined` takes the header away. */
  readonly headers: Readonly<Record<string, string | ((value: string | undefined) => string | undefined)>>;
}

/** GET and HEAD see what the key held before its last change, which may be nothing. */
export interface StaleRead {
  readonly fault: "stale-read";
}

/** What goes wrong. */
export type Fault =
  | DropBefore
  | LoseResponse
  | DelayApply
  | Duplicate
  | NeverAnswer
  | StatusFault
  | PageFault
  | LatencyFault
  | OmitDate
  | ShiftDate
  | TruncateBody
  | DamageBody
  | ChangeHeaders
  | StaleRead;

/** What goes wrong, and for which requests: `{ fault: "lose-response", operation: "PutObject", times: 1 }`. */
export type FaultRule = Fault & FaultMatch;

/** A rule in force. */
export interface ActiveFault {
  /** How many requests it struck. */
  readonly hits: number;
  /** Ends the rule; requests that it struck already are not undone. */
  remove(): void;
}

/**
 * The faults of a server. Rules are tried in the order in which they were added. At most one rule decides what becomes
 * of a request (`drop-before`, `lose-response`, `delay-apply`, `duplicate`, `never-answer`, `status`, `page`): the first that
 * strikes, and the later ones of that kind are not asked. The others add up.
 */
export interface Faults {
  /**
   * Puts a rule into force.
   * @throws S3MutexError `invalid-argument` when a number is out of its range or the fault is not known.
   */
  add(rule: FaultRule): ActiveFault;
  /** Ends all rules. */
  clear(): void;
}
