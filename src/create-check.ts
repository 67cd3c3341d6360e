import type { S3Client } from "@aws-sdk/client-s3";
import type { GrantCheck } from "./runtime/base/grant-check.js";
import { processWide } from "./runtime/base/process-wide.js";
import { type CheckState, SafetyCheck, type SafetyCheckOptions } from "./runtime/check/safety-check.js";
import type { ObjectStore, RefusedOutcome } from "./store/object-store.js";
import { wayTo } from "./store/s3/client/way.js";

/** `client`: undefined where the store is given, as in virtual time. */
export type Checking = Omit<SafetyCheckOptions, "state" | "way"> & { readonly client: S3Client | undefined };

/** The check of `verify: "auto"`, which all mutexes share that reach the same place through the same client. */
export function createCheck({ client, ...options }: Checking): SafetyCheck {
  const { bucketName, keyPrefix, effects } = options;
  const state = client === undefined ? {} : stateOf(client, JSON.stringify([bucketName, keyPrefix]));
  // What cannot be told is a way of its own, so that nobody's proof speaks for it, nor its for anybody's.
  const way = async () => (client === undefined ? "given" : wayTo(client, bucketName).catch(() => effects.newId()));
  return new SafetyCheck({ ...options, state, way });
}

/** Nothing is written any more to a store that was seen to be unsafe: it might erase what somebody else holds. */
export function unlessRefused(store: ObjectStore, check: GrantCheck): ObjectStore {
  return {
    read: (...args) => store.read(...args),
    list: (...args) => store.list(...args),
    write: async (...args) => refused(check) ?? store.write(...args),
    remove: async (...args) => refused(check) ?? store.remove(...args),
  };
}

function refused({ refusal }: GrantCheck): RefusedOutcome | undefined {
  return refusal === undefined ? undefined : { kind: "refused", error: refusal };
}

const states = processWide("checks", () => new WeakMap<S3Client, Map<string, CheckState>>());

function stateOf(client: S3Client, place: string): CheckState {
  const known = states.get(client) ?? new Map<string, CheckState>();
  states.set(client, known);
  const state = known.get(place) ?? {};
  known.set(place, state);
  return state;
}
