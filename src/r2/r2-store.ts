import { checkBucketName, checkOptions } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { OptionNames } from "../arguments/option-names.js";
import { S3MutexError } from "../errors.js";
import { realEffects } from "../runtime/base/effects.js";
import {
  type AnswerTiming,
  type ListOutcome,
  MAX_BODY_BYTES,
  type ReadOptions,
  type ReadOutcome,
  type RefusedOutcome,
  type RemoveOutcome,
  type RequestOptions,
  type StoreAdapter,
  type UnknownOutcome,
  type WriteCondition,
  type WriteOutcome,
} from "../store/object-store.js";
import { InFlightLimiter } from "../store/s3/client/in-flight.js";
import { TimeBound } from "../store/time-bound.js";
import type { R2Binding, R2Stored } from "./binding.js";

/** Options of {@link r2Store}. */
export interface R2StoreOptions {
  /** The binding of the bucket, such as `env.LOCKS`. */
  readonly bucket: R2Binding;
  /** How messages name the bucket, which its binding does not tell. Processes that say the same go by each other's check of it. */
  readonly bucketName: string;
}

const R2_STORE_OPTIONS: OptionNames<R2StoreOptions> = { bucket: true, bucketName: true };

/**
 * Makes a store for `new S3Mutex({ store: r2Store({ bucket: env.LOCKS, bucketName: "my-bucket" }) })` in Cloudflare Workers: the objects of
 * an R2 bucket by its binding, without credentials. A binding tells no time, so leases of others are watched for their whole length before
 * they are taken over, and it deletes without conditions, so a small object stays of what is deleted.
 * @throws `invalid-argument`
 */
export function r2Store(options: R2StoreOptions): StoreAdapter {
  const { bucket, bucketName } = checkOptions("options", options, R2_STORE_OPTIONS, "required");
  const missing = (["get", "put", "list"] as const).find((call) => typeof bucket?.[call] !== "function");
  if (missing !== undefined)
    throw invalidArgument("bucket", bucket, `pass the binding of an R2 bucket: it has no ${missing}()`);
  return new R2Store(bucket, checkBucketName("bucketName", bucketName));
}

/** A request of a Worker may have six connections, and what goes beyond waits while its time runs: five, and one for renewals. */
const MAX_IN_FLIGHT = 5;

type Done<Answer> = { readonly kind: "done"; readonly answer: Answer; readonly timing: AnswerTiming };

class R2Store implements StoreAdapter {
  readonly bucketName: string;
  readonly #bucket: R2Binding;
  readonly #inFlight = new InFlightLimiter(MAX_IN_FLIGHT);

  constructor(bucket: R2Binding, bucketName: string) {
    this.#bucket = bucket;
    this.bucketName = bucketName;
  }

  async way(): Promise<string> {
    return JSON.stringify(["r2", "binding", this.bucketName]);
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const { ifNoneMatch, maxBodyBytes = MAX_BODY_BYTES } = options;
    const onlyIf = ifNoneMatch === undefined ? {} : { onlyIf: { etagDoesNotMatch: bare(ifNoneMatch) } };
    const seen = await this.#ask("get", key, options, async () => {
      const found = await this.#bucket.get(key, onlyIf);
      if (found === null) return undefined;
      if (found.body === undefined || found.text === undefined) return { found };
      if (found.size <= maxBodyBytes) return { found, body: await found.text() };
      // Read no further, and not held open either.
      await found.body.cancel().catch(() => {});
      return { found, isOversized: true };
    });
    if (seen.kind !== "done") return seen;
    const { answer, timing } = seen;
    if (answer === undefined) return { kind: "absent", timing };
    const { httpEtag: etag } = answer.found;
    if (answer.isOversized) return { kind: "oversized", etag, timing };
    return answer.body === undefined ? { kind: "unchanged", timing } : { kind: "ok", etag, body: answer.body, timing };
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    const onlyIf = condition.kind === "if-absent" ? { etagDoesNotMatch: "*" } : { etagMatches: bare(condition.etag) };
    const httpMetadata = { contentType: "application/json", cacheControl: "no-store" };
    const seen = await this.#ask("put", key, options, () => this.#bucket.put(key, body, { onlyIf, httpMetadata }));
    if (seen.kind !== "done") return seen;
    const { answer, timing } = seen;
    // Nothing is put where the condition does not hold; whether the object is another one or absent is not said.
    return answer === null ? { kind: "conflict", timing } : { kind: "ok", etag: answer.httpEtag, timing };
  }

  /** Removes nothing: `delete()` of a binding takes no condition, and would delete what another holder has just written. */
  async remove(): Promise<RemoveOutcome> {
    return { kind: "unsupported" };
  }

  async list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    const { continuation } = options;
    const cursor = continuation === undefined ? {} : { cursor: continuation };
    const seen = await this.#ask("list", prefix, options, () => this.#bucket.list({ prefix, ...cursor }));
    if (seen.kind !== "done") return seen;
    const { answer, timing } = seen;
    const keys = answer.objects.map(({ key }) => key);
    const etags = new Map(answer.objects.map(({ key, httpEtag }: R2Stored) => [key, httpEtag]));
    const next = answer.truncated ? answer.cursor : undefined;
    return { kind: "ok", keys, etags, ...(next === undefined ? {} : { continuation: next }), timing };
  }

  /** Sends one request of a binding, which makes no other by itself, and waits no longer than it may take. */
  async #ask<Answer>(
    call: string,
    key: string,
    { urgent = false, giveUpAtMs = Number.POSITIVE_INFINITY, timeoutMs }: RequestOptions,
    send: () => Promise<Answer>,
  ): Promise<Done<Answer> | UnknownOutcome | RefusedOutcome> {
    const what = `${call} on r2://${this.bucketName}/${key}`;
    const leave = await this.#inFlight.enter(urgent);
    try {
      const sentAtMs = realEffects.monotonicMs();
      if (sentAtMs >= giveUpAtMs) return unknown(what, "its time was up before it was sent", false);
      const time = new TimeBound(realEffects);
      time.set(timeoutMs, "No complete answer");
      const answer = await time.run(send);
      return { kind: "done", answer, timing: { sentAtMs, receivedAtMs: realEffects.monotonicMs() } };
    } catch (error) {
      return outcomeOf(what, error);
    } finally {
      leave();
    }
  }
}

/** Takes off the quotes that S3 shows an ETag in: a condition names it without them. */
function bare(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}

/** What R2 says of a request that will be answered in the same way the next time, by the code at the end of its message. */
const REFUSED: ReadonlyMap<string, { readonly code: "no-such-bucket" | "invalid-argument"; readonly remedy: string }> =
  new Map([
    ["10006", { code: "no-such-bucket", remedy: "Check the binding in the configuration of the Worker." }],
    ["10020", { code: "invalid-argument", remedy: "R2 takes keys of 1,024 bytes: use a shorter name." }],
  ]);

/** "Reduce your concurrent request rate for the same object": R2 takes one write a second on a key. */
const THROTTLED = /\(10058\)|\b429\b/;

function outcomeOf(what: string, error: unknown): UnknownOutcome | RefusedOutcome {
  const said = error instanceof Error ? error.message : String(error);
  const refusal = REFUSED.get(/\((\d+)\)\.?$/.exec(said)?.[1] ?? "");
  if (refusal === undefined) return unknown(what, said, true, error);
  return {
    kind: "refused",
    error: new S3MutexError(refusal.code, `${what}: ${said}. ${refusal.remedy}`, { cause: error }),
  };
}

function unknown(what: string, said: string, sent: boolean, cause?: unknown): UnknownOutcome {
  const error = new S3MutexError("store-unavailable", `${what}: ${said}`, cause === undefined ? {} : { cause });
  return { kind: "unknown", error, throttled: THROTTLED.test(said), sent };
}
