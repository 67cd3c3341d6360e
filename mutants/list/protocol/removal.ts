import type { Mutant } from "../../mutant.js";

/** Deleting, and cleaning up. */
export const REMOVAL: readonly Mutant[] = [
  {
    name: "rest from the sending of a late write",
    why: "an object that a late write has made is removed while a create that saw none may still land",
    file: "src/core/transition/remove.ts",
    search: "  return Math.max(touchedAtMs, landedAtMs);",
    replace: "  return Math.min(touchedAtMs, landedAtMs);",
    caughtBy: { test: "src/core/transition/remove.spec.ts", named: "counts rest from the landing" },
  },
  {
    name: "young object deleted",
    why: "an object is removed while a create that was sent before may still land",
    file: "src/core/transition/remove.ts",
    search: "    restsSinceMs(record, attempt) + restMs < attempt.now.earliestMs",
    replace: "    restsSinceMs(record, attempt) + 0 * restMs < attempt.now.earliestMs",
    caughtBy: { model: "two, deleting" },
  },
  {
    name: "held object deleted",
    why: "an object is removed although it is held",
    file: "src/core/transition/remove.ts",
    search: "    record.holders.length === 0 &&\n",
    replace: "",
    caughtBy: { model: "two, deleting" },
  },
  {
    name: "cleanup without compare-and-swap",
    why: "a cleanup, a deletion or a forced release overwrites whatever came since it read",
    file: "src/runtime/swap/lock-object.ts",
    search: "      const base = snapshot;",
    replace: `      const newest = options.from === "store" ? await this.look(options.timeoutMs) : undefined;
      const base = { ...snapshot, etag: newest?.etag ?? snapshot.etag };`,
    caughtBy: "sim",
  },
  {
    name: "cleanup without tolerance",
    why: "a lease that a cleanup frees is granted before the tolerance has passed",
    file: "src/core/transition/remove.ts",
    search: "lastEndMs + attempt.toleranceMs",
    replace: "lastEndMs",
    caughtBy: { model: "two, cleanup" },
  },
  {
    name: "cleanup of live leases",
    why: "a cleanup frees leases that have not ended",
    file: "src/core/transition/remove.ts",
    search:
      "  const ended = record.holders.filter((holder) => hasStopped(holder) && holder.renewedAtMs < olderThanMs);",
    replace:
      "  const ended = record.holders.filter((holder) => (hasStopped(holder) || holder.token > 0) && holder.renewedAtMs < olderThanMs);",
    caughtBy: "sim",
  },
  {
    name: "force ends holders that were not seen",
    why: "a forced release ends any holder of the lock, also one that came after the operator's look",
    file: "src/runtime/swap/repeatable.ts",
    search: "ids: seen ?? (isFirst ? undefined : holderIds)",
    replace: "ids: isFirst ? undefined : (seen ?? holderIds)",
    caughtBy: { test: "test/protocol/ending-beside-acquire.test.ts", named: "force with what was seen" },
  },
  {
    name: "deletion of holders that were not seen",
    why: "a forced deletion takes the lock from a holder that came after the operator's look",
    file: "src/core/transition/remove.ts",
    search: "record.holders.some(({ id }) => !seen.has(id))",
    replace: 'record.holders.some(({ id }) => !seen.has(id) && id === "")',
    caughtBy: { test: "test/protocol/ending-beside-acquire.test.ts", named: "force with what was seen" },
  },
  {
    name: "landed deletion reported as not made",
    why: "a forced deletion whose answer was lost, and after which the next one came, is said not to have been made",
    file: "src/core/transition/remove.ts",
    search: 'attempted !== undefined && hasDeleted(record, seen) ? "deleted" : "changed"',
    replace: '"changed"',
    caughtBy: { test: "test/protocol/ending-beside-acquire.test.ts", named: "force with what was seen" },
  },
  {
    name: "delays outlive a deletion by force",
    why: "a time in the far future keeps all callers from a lock, and no deletion helps",
    file: "src/core/transition/remove.ts",
    search: "isForced ? withoutDelays(record, attempt) : record",
    replace: "record",
    caughtBy: { test: "test/protocol/rules-of-outcomes.test.ts", named: "a deletion by force frees a lock" },
  },
];
