import type { S3Client } from "@aws-sdk/client-s3";
import { S3MutexError } from "../errors.js";
import { processWide } from "../process-wide.js";
import type { Effects } from "../runtime/base/effects.js";
import { abortAfter } from "../runtime/base/timing.js";
import type {
  ListOutcome,
  ObjectStore,
  ReadOutcome,
  RefusedOutcome,
  RemoveOutcome,
  RequestOptions,
  UnknownOutcome,
  WriteCondition,
  WriteOutcome,
} from "../store/object-store.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";

/** Undefined for a store that may be locked on. */
type Verdict = RefusedOutcome | UnknownOutcome | undefined;

/** What is guarded, and with what. */
export interface Guarding {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly storeHeaders: StoreHeaders | undefined;
  readonly leaseMs: number;
  readonly toleranceMs: number;
  readonly effects: Effects;
  /** Only where the client is not shared: others wait for the same examination. */
  readonly signal: AbortSignal | undefined;
}

/** By bucket and prefix: an examination that runs, or has come to a verdict. */
const verdicts = processWide("verdicts", () => new WeakMap<S3Client, Map<string, Promise<Verdict>>>());

/** `verify: "once"`: examines the store before the first request about a lock, and lets nothing through to one that fails. */
export class GuardedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #guarding: Guarding;

  constructor(store: ObjectStore, guarding: Guarding) {
    this.#store = store;
    this.#guarding = guarding;
  }

  async read(key: string, options: RequestOptions & { readonly ifNoneMatch?: string }): Promise<ReadOutcome> {
    return (await this.#verdict(options)) ?? (await this.#store.read(key, options));
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    return (await this.#verdict(options)) ?? (await this.#store.write(key, body, condition, options));
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    return (await this.#verdict(options)) ?? (await this.#store.remove(key, etag, options));
  }

  /** Lists without a check: locks do not rest on listings. */
  list(...args: Parameters<ObjectStore["list"]>): Promise<ListOutcome> {
    return this.#store.list(...args);
  }

  async #verdict(options: RequestOptions): Promise<Verdict> {
    const { client, bucketName, keyPrefix } = this.#guarding;
    const known = verdicts.get(client) ?? new Map<string, Promise<Verdict>>();
    verdicts.set(client, known);
    const place = JSON.stringify([bucketName, keyPrefix]);
    const running = known.get(place) ?? this.#examine(options);
    known.set(place, running);
    const verdict = await running;
    // A store that did not answer has not been examined.
    const isFinal = verdict === undefined || (verdict.kind === "refused" && verdict.error.code === "store-unsafe");
    if (!isFinal && known.get(place) === running) known.delete(place);
    return verdict;
  }

  async #examine(options: RequestOptions): Promise<Verdict> {
    const { client, effects, ...plan } = this.#guarding;
    // Creates the bucket, if that was asked for, and finds what is wrong with address and credentials.
    const first = await this.#store.read(`${plan.keyPrefix}.s3-mutex/verify`, options);
    if (first.kind === "unknown" || first.kind === "refused") return first;
    const { examine, QUICKLY, refusalOf } = await import("./verify.js");
    const limit = abortAfter(effects, EXAMINATION_MS, plan.signal);
    try {
      const limited = { ...plan, ...QUICKLY, clients: [client], signal: limit.signal };
      const error = refusalOf(await examine(limited, effects));
      return error === undefined ? undefined : { kind: "refused", error };
    } catch (error) {
      if (!S3MutexError.is(error)) throw error;
      if (limit.isLate()) return { kind: "unknown", error: neverEnded(error), throttled: false, sent: false };
      if (!error.retryable && error.code !== "aborted") return { kind: "refused", error };
      return { kind: "unknown", error, throttled: false, sent: false };
    } finally {
      limit.cancel();
    }
  }
}

/** It takes a second or two; a caller that waits for it goes by a time of its own. */
const EXAMINATION_MS = 20_000;

function neverEnded(cause: unknown): S3MutexError {
  const message = `The examination of the store (verify: "once") did not end within ${EXAMINATION_MS} ms, and will be begun anew.`;
  return new S3MutexError("store-unavailable", message, { cause });
}
