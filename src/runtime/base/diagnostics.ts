import { type Channel, channel } from "node:diagnostics_channel";
import type { Mode } from "../../core/record.js";
import type { S3MutexError } from "../../errors.js";
import type { ObjectStore, RequestOptions } from "../../store/object-store.js";
import type { Effects } from "./effects.js";
import type { HoldEvent, S3MutexEvents } from "./events.js";

/** Which mutex a message is about. */
export interface DiagnosticsOrigin {
  readonly ownerId: string;
  readonly bucketName: string;
  readonly keyPrefix: string;
}

/** A caller asks for a lock. */
export interface AcquireStart {
  readonly lockName: string;
  readonly acquisitionId: string;
  readonly mode: Mode;
  readonly priority: number;
  readonly leaseMs: number;
  /** How long the caller will wait, in milliseconds; infinite where it waits forever. */
  readonly timeoutMs: number;
}

/** What became of it. */
export interface AcquireEnd extends AcquireStart {
  /** `acquired`, `timed-out`, or the code of the error that the caller got. */
  readonly outcome: string;
  readonly waitedMs: number;
  /** Of what was acquired. */
  readonly fencingToken?: number;
  readonly error?: unknown;
}

/** A hold has begun for this process: it was acquired, or restored from another one. */
export interface HoldStart extends HoldEvent {
  readonly mode: Mode;
  readonly priority: number;
}

/** A hold is over for this process: it was released or lost, ended by itself, or its release was not answered. */
export type HoldEnd = HoldEvent;

/** A request was answered, or was given up. */
export interface StoreRequest {
  readonly operation: "GetObject" | "PutObject" | "DeleteObject" | "ListObjectsV2";
  readonly bucketName: string;
  /** The key, or what the listed keys start with. */
  readonly key: string;
  /**
   * `ok`, `unchanged` (304), `absent` (404), `conflict` (412, 409), `oversized`, `unsupported` (not sent), `unknown` (no
   * answer, 5xx, 429) or `refused`.
   */
  readonly outcome: string;
  /** From its departure to its answer, in milliseconds; the time that it waited for its turn is not in it. */
  readonly durationMs: number;
  /** The HTTP status of an error, where one came. */
  readonly status?: number;
  readonly error?: S3MutexError;
}

/** A request was refused and is not over: other credentials are asked for, that it could be sent again with. */
export interface StoreRefusal extends Pick<StoreRequest, "operation" | "bucketName" | "key"> {
  /** What the store has said, and what is known of the others; undefined when the request is sent again. */
  readonly error?: S3MutexError;
}

/** What is published on which channel of `node:diagnostics_channel`; every message has its mutex as `origin`. */
export type S3MutexDiagnostics = {
  readonly [Name in keyof Topics as `s3-mutex:${Name}`]: Topics[Name] & { readonly origin: DiagnosticsOrigin };
};

/** What has no event of its own. */
export interface OwnTopics {
  readonly "acquire:start": AcquireStart;
  readonly "acquire:end": AcquireEnd;
  readonly "hold:start": HoldStart;
  readonly "hold:end": HoldEnd;
  readonly request: StoreRequest;
  readonly refusal: StoreRefusal;
}

/** What is told, by topic: the events of a mutex, and what only its channels tell. */
export type Topics = { readonly [Name in keyof S3MutexEvents]: S3MutexEvents[Name][0] } & OwnTopics;

const TOPICS: readonly (keyof Topics)[] = [
  "acquire:start",
  "acquire:end",
  "enqueued",
  "position",
  "acquired",
  "renewed",
  "lost",
  "released",
  "deadlock",
  "checked",
  "closed",
  "hold:start",
  "hold:end",
  "request",
  "refusal",
];

const CHANNELS = Object.fromEntries(TOPICS.map((topic) => [topic, channel(`s3-mutex:${topic}`)])) as {
  readonly [Name in keyof Topics]: Channel;
};

/** Says what happens on channels that any code in the process may listen to; without a listener it costs the test of a flag. */
export class Diagnostics {
  readonly #origin: DiagnosticsOrigin;
  #lastFailure: { readonly error: S3MutexError; readonly atMs: number } | undefined;

  constructor(origin: DiagnosticsOrigin) {
    this.#origin = origin;
  }

  publish<Name extends keyof OwnTopics>(topic: Name, message: OwnTopics[Name]): void {
    this.#publish(CHANNELS[topic], message);
  }

  publishEvent<Name extends keyof S3MutexEvents>(name: Name, event: S3MutexEvents[Name][0]): void {
    this.#publish(CHANNELS[name], event);
  }

  #publish(target: Channel, message: object): void {
    if (target.hasSubscribers) target.publish({ ...message, origin: this.#origin });
  }

  /** The last request that was not answered, or that was refused, and when that was by the wall clock. */
  get lastFailure(): { readonly error: S3MutexError; readonly atMs: number } | undefined {
    return this.#lastFailure;
  }

  /** Whether a listener wants to know how acquisitions go. */
  get isAcquireWatched(): boolean {
    return CHANNELS["acquire:start"].hasSubscribers || CHANNELS["acquire:end"].hasSubscribers;
  }

  /** Wraps the store so that its requests are told of. */
  watched(store: ObjectStore, bucketName: string, effects: Effects): ObjectStore {
    const { request } = CHANNELS;
    const told = <Told extends ToldOutcome, Options extends Pick<RequestOptions, "onRefusal">>(
      operation: StoreRequest["operation"],
      key: string,
      given: Options,
      send: (options: Options) => Promise<Told>,
    ): Promise<Told> => {
      const startedAtMs = effects.monotonicMs();
      const onRefusal = (error?: S3MutexError) => {
        if (error !== undefined) this.#lastFailure = { error, atMs: effects.wallMs() };
        this.publish("refusal", { operation, bucketName, key, ...(error === undefined ? {} : { error }) });
        given.onRefusal?.(error);
      };
      const answer = send({ ...given, onRefusal });
      // On the side: the caller has its answer as early as without this.
      const note = (outcome: Told) => {
        if (outcome.error !== undefined) this.#lastFailure = { error: outcome.error, atMs: effects.wallMs() };
        if (!request.hasSubscribers) return;
        const { timing } = outcome;
        const durationMs =
          timing === undefined ? effects.monotonicMs() - startedAtMs : timing.receivedAtMs - timing.sentAtMs;
        this.publish("request", {
          operation,
          bucketName,
          key,
          outcome: outcome.kind,
          durationMs,
          ...failureOf(outcome),
        });
      };
      answer.then(note, () => {});
      return answer;
    };
    return {
      read: (key, options) => told("GetObject", key, options, (all) => store.read(key, all)),
      write: (key, body, condition, options) =>
        told("PutObject", key, options, (all) => store.write(key, body, condition, all)),
      remove: (key, etag, options) => told("DeleteObject", key, options, (all) => store.remove(key, etag, all)),
      list: (prefix, options) => told("ListObjectsV2", prefix, options, (all) => store.list(prefix, all)),
    };
  }
}

interface ToldOutcome {
  readonly kind: string;
  readonly error?: S3MutexError;
  readonly timing?: { readonly sentAtMs: number; readonly receivedAtMs: number };
}

function failureOf({ error }: ToldOutcome): Pick<StoreRequest, "error" | "status"> {
  if (error === undefined) return {};
  const cause = error.cause as { readonly $metadata?: { readonly httpStatusCode?: number } } | undefined;
  const status = cause?.$metadata?.httpStatusCode;
  return status === undefined ? { error } : { error, status };
}
