import { parseEnvelope } from "../../core/envelope.js";
import { S3MutexError } from "../../errors.js";
import type { ObjectStore, ReadOutcome, RequestOptions } from "../../store/object-store.js";

type ReadOptions = RequestOptions & { readonly ifNoneMatch?: string };

/**
 * Reads, and reads again what makes no sense: a body can be damaged on the way, or be read while it is written, and what a
 * caller is told about it must not make it delete a lock that is held. Only what came twice the same is believed.
 */
export async function readTwice(
  store: ObjectStore,
  key: string,
  options: ReadOptions,
  makesNoSense: (outcome: ReadOutcome) => boolean,
): Promise<ReadOutcome> {
  const first = await store.read(key, options);
  if (!makesNoSense(first)) return first;
  const second = await readAgain(store, key, options);
  if (!makesNoSense(second) || isSame(first, second)) return second;
  const message = `The body at key ${JSON.stringify(key)} was another one at each read: it is damaged on the way, or it is being written`;
  const error = new S3MutexError("store-unavailable", message);
  const timing = second.timing === undefined ? {} : { timing: second.timing };
  return { kind: "unknown", error, throttled: false, sent: true, ...timing };
}

/** By key: second reads under way. */
const underWay = new WeakMap<ObjectStore, Map<string, Promise<ReadOutcome>>>();

/** Reads once for all callers that came upon the same at the same time; without a condition, which would be one caller's own. */
function readAgain(store: ObjectStore, key: string, { ifNoneMatch: _, ...options }: ReadOptions): Promise<ReadOutcome> {
  const reads = underWay.get(store) ?? new Map<string, Promise<ReadOutcome>>();
  underWay.set(store, reads);
  const running = reads.get(key);
  if (running !== undefined) return running;
  const again = store.read(key, options).finally(() => reads.delete(key));
  reads.set(key, again);
  return again;
}

/** Says whether this is not a fenced object: it may be what a caller wants to adopt, which is read twice as well. */
export function isNoEnvelope(outcome: ReadOutcome): boolean {
  return outcome.kind === "oversized" || (outcome.kind === "ok" && parseEnvelope(outcome.body).kind === "foreign");
}

/** Compares by the body: on some ways the ETag is another one in each answer. */
function isSame(first: ReadOutcome, second: ReadOutcome): boolean {
  if (first.kind === "oversized") return second.kind === "oversized" && first.etag === second.etag;
  return first.kind === "ok" && second.kind === "ok" && first.body === second.body;
}
