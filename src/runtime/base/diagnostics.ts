import { type Channel, channel } from "node:diagnostics_channel";
import type { Mode } from "../../core/record.js";
import type { S3MutexError } from "../../errors.js";
import type { ObjectStore } from "../../store/object-store.js";
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
    const told = <Told extends ToldOutcome>(
      operation: StoreRequest["operation"],
      key: string,
      send: () => Promise<Told>,
    ): Promise<Told> => {
      const startedAtMs = effects.monotonicMs();
      const answer = send();
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
      read: (key, options) => told("GetObject", key, () => store.read(key, options)),
      write: (key, body, condition, options) =>
        told("PutObject", key, () => store.write(key, body, condition, options)),
      remove: (key, etag, options) => told("DeleteObject", key, () => store.remove(key, etag, options)),
      list: (prefix, options) => told("ListObjectsV2", prefix, () => store.list(prefix, options)),
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
