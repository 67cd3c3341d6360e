import type { ObjectStore, ReadOutcome, UnknownOutcome, WriteOutcome } from "../../store/object-store.js";

/** What the requests of a check have come to so far, where that is nothing. */
export interface Failing {
  lastFailure?: UnknownOutcome | undefined;
}

/** Keeps the last failure of a check's requests at hand: the time of a caller may be up before the check has come to its end. */
export function keepingFailure(store: ObjectStore, failing: Failing): ObjectStore {
  const noted = <Outcome extends ReadOutcome | WriteOutcome>(outcome: Outcome): Outcome => {
    if (outcome.kind === "unknown") failing.lastFailure = outcome;
    return outcome;
  };
  return {
    read: async (...args) => noted(await store.read(...args)),
    write: async (...args) => noted(await store.write(...args)),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
  };
}
