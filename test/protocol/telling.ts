import type { AnswerTiming, ObjectStore } from "../../src/store/object-store.js";

/** What an answer says about the time: the store's, nothing, that it is out of a cache, or so much more than it is. */
export type Told = "date" | "none" | "aged" | { readonly offByMs: number };

/** Makes something before the store of one process that tells the time as it is told to; `index` counts the requests of their kind. */
export function telling(what: (operation: "read" | "write", index: number) => Told) {
  return (store: ObjectStore): ObjectStore => {
    const counts = { read: 0, write: 0 };
    const told = <Outcome extends { readonly kind: string }>(
      operation: "read" | "write",
      outcome: Outcome,
    ): Outcome => {
      const { timing } = outcome as { readonly timing?: AnswerTiming };
      const says = what(operation, counts[operation]);
      counts[operation] += 1;
      if (timing === undefined || says === "date") return outcome;
      const { dateMs = 0, ...times } = timing;
      if (says === "none") return { ...outcome, timing: times };
      if (says === "aged") return { ...outcome, timing: { ...times, aged: true } };
      return { ...outcome, timing: { ...times, dateMs: dateMs + says.offByMs } };
    };
    return {
      read: async (key, options) => told("read", await store.read(key, options)),
      write: async (key, body, condition, options) => told("write", await store.write(key, body, condition, options)),
      remove: (key, etag, options) => store.remove(key, etag, options),
      list: (prefix, options) => store.list(prefix, options),
    };
  };
}
