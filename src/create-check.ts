import { processWide } from "./process-wide.js";
import type { GrantCheck } from "./runtime/base/grant-check.js";
import type { CheckState } from "./runtime/check/check-state.js";
import { SafetyCheck, type SafetyCheckOptions } from "./runtime/check/safety-check.js";
import type { ObjectStore, RefusedOutcome } from "./store/object-store.js";

/** `sharedBy`: the client or adapter through which all reach the same store. */
export type Checking = Omit<SafetyCheckOptions, "state" | "way"> & {
  readonly sharedBy?: object;
  readonly way?: () => Promise<string>;
};

/** Makes the check of `verify: "auto"`, which all mutexes share that reach the same place through the same client. */
export function createCheck({ sharedBy = {}, way = async () => "given", ...options }: Checking): SafetyCheck {
  const { bucketName, keyPrefix } = options;
  return new SafetyCheck({ ...options, state: stateOf(sharedBy, JSON.stringify([bucketName, keyPrefix])), way });
}

/** Keeps writes from a store that was seen to be unsafe: they might erase what another client holds. */
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

const states = processWide("checks", () => new WeakMap<object, Map<string, CheckState>>());

function stateOf(through: object, place: string): CheckState {
  const known = states.get(through) ?? new Map<string, CheckState>();
  states.set(through, known);
  const state = known.get(place) ?? {};
  known.set(place, state);
  return state;
}
