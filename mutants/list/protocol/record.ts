import type { Mutant } from "../../mutant.js";

/** What is written: conditions, bodies, tokens, and the mirror for 1.x. */
export const RECORD: readonly Mutant[] = [
  {
    name: "given back late is given back",
    why: "a hold that was lost while the store was silent is remembered as released, and as held for as long as the store was away",
    file: "src/core/transition/decision.ts",
    search: 'how === "expired" || (!attempt.lacksStoreTime && isExpired(holder, attempt));',
    replace: 'how === "expired";',
    caughtBy: { test: "test/protocol/late-release.test.ts", named: "P23: a hold that was lost" },
  },
  {
    name: "no write id",
    why: "bodies are not unique, so that ETags may come back",
    file: "src/core/codec.ts",
    search: "  return JSON.stringify({ ...mirrorOf(record.holders), ...record });",
    replace: '  return JSON.stringify({ ...mirrorOf(record.holders), ...record, writeId: "same" });',
    caughtBy: "sim",
  },
  {
    name: "acquisition without compare-and-swap",
    why: "a waiter overwrites whatever came since it read",
    file: "src/runtime/swap/lock-object.ts",
    search: "      const base = snapshot;",
    replace: `      const mustLook = options.role === "contender" && options.from !== "store";
      const newest = mustLook ? await this.look(options.timeoutMs) : undefined;
      const base = { ...snapshot, etag: newest?.etag ?? snapshot.etag };`,
    caughtBy: "sim",
  },
  {
    name: "renewal and release without compare-and-swap",
    why: "a holder overwrites whatever came since it read",
    file: "src/runtime/swap/lock-object.ts",
    search: "      const base = snapshot;",
    replace: `      const newest = options.role === "holder" ? await this.look(options.timeoutMs) : undefined;
      const base = { ...snapshot, etag: newest?.etag ?? snapshot.etag };`,
    caughtBy: "sim",
  },
  {
    name: "release deletes",
    why: "a release removes the object, and with it the counter",
    file: "src/core/transition/release.ts",
    search: '  return { reply: { kind: "released", holders: leaving }, change: { kind: "write", record: next } };',
    replace: `  if (next.holders.length === 0) return { reply: { kind: "released", holders: leaving }, change: { kind: "remove" } };
  return { reply: { kind: "released", holders: leaving }, change: { kind: "write", record: next } };`,
    caughtBy: "sim",
  },
  {
    name: "token by counter",
    why: "tokens only count, and begin anew with the object",
    file: "src/core/shares.ts",
    search: "  const least = Math.max(record.token + 1, nowMs);",
    replace: "  const least = record.token + 1;",
    caughtBy: { model: "two, deleting" },
  },
  {
    name: "token by clock",
    why: "tokens are the time, whatever was granted before",
    file: "src/core/shares.ts",
    search: "  const least = Math.max(record.token + 1, nowMs);",
    replace: "  const least = nowMs;",
    caughtBy: { model: "two, broken clocks" },
  },
  {
    name: "expired holder kept",
    why: "a grant leaves the holder in the record whose lease has ended",
    file: "src/core/transition/acquire.ts",
    search: "    holders: [...others, holder],",
    replace: "    holders: [...others, ...ended, holder],",
    caughtBy: { model: "two" },
  },
  {
    name: "expired holder dropped by any write",
    why: "every writer drops holders whose leases have ended, tolerance or not",
    file: "src/core/transition/decision.ts",
    search: "    queue: rest.queue.filter((waiter) => isWaiting(waiter, attempt)),",
    replace: `    holders: rest.holders.filter((holder) => attempt.now.earliestMs <= holder.expiresAtMs),
    queue: rest.queue.filter((waiter) => isWaiting(waiter, attempt)),`,
    caughtBy: "sim",
  },
  {
    name: "one permit too many",
    why: "one more may hold at once than there are permits",
    file: "src/core/record.ts",
    search: '  return claims.every(({ mode }) => mode === "exclusive") && permitsOf(claims) <= limit;',
    replace: '  return claims.every(({ mode }) => mode === "exclusive") && permitsOf(claims) <= limit + 1;',
    caughtBy: "sim",
  },
  {
    name: "readers beside a writer",
    why: "readers are admitted beside a writer",
    file: "src/core/record.ts",
    search: '  if (claims.every(({ mode }) => mode === "shared")) return true;',
    replace: '  if (claims.some(({ mode }) => mode === "shared")) return true;',
    caughtBy: "sim",
  },
  {
    name: "permits counted as one",
    why: "a holder of several permits counts as one",
    file: "src/core/record.ts",
    search: "  return claims.reduce((sum, { permits = 1 }) => sum + permits, 0);",
    replace: "  return claims.reduce((sum, { permits = 1 }) => sum + Math.min(permits, 1), 0);",
    caughtBy: "sim",
  },
  {
    name: "renewal creates",
    why: "a holder that finds the object absent creates it again",
    file: "src/core/transition/renew.ts",
    search: "  if (record === undefined || held === undefined) {",
    replace: `  if (record === undefined) {
    const nowMs = attempt.now.latestMs;
    const times = { acquiredAtMs: nowMs, renewedAtMs: nowMs, expiresAtMs: nowMs + command.leaseMs };
    const { id, token, leaseMs } = command;
    const who = { id, token, leaseMs, owner: "", via: "handle", mode: "exclusive", priority: 0 } as const;
    const holder: Holder = { ...who, ...times, leaseWriteId: attempt.writeId };
    const { writeId } = attempt;
    const base = { schema: 3, writeId, createdAtMs: nowMs, touchedAtMs: nowMs, token, limit: 1 } as const;
    const next = nextVersion({ ...base, holders: [holder], queue: [], recent: [] }, attempt, {});
    return { reply: { kind: "renewed", holder }, change: { kind: "write", record: next } };
  }
  if (held === undefined) {`,
    caughtBy: { model: "one, deleted twice" },
  },
  {
    name: "mirror says free",
    why: "1.x sees a held lock as free",
    file: "src/core/codec.ts",
    search: "  return JSON.stringify({ ...mirrorOf(record.holders), ...record });",
    replace: "  return JSON.stringify({ locked: false, ...record });",
    caughtBy: "sim",
  },
  {
    name: "token above the highest",
    why: "a grant writes a token that makes the record unreadable to all clients, its holder too",
    file: "src/core/transition/acquire.ts",
    search: `  if (token > MAX_TOKEN) return { reply: { kind: "no-token-left" } };
  const holder`,
    replace: "  const holder",
    caughtBy: { test: "test/protocol/rules-of-outcomes.test.ts", named: "a lock whose token is as high as one can be" },
  },
  {
    name: "hand-over unchecked",
    why: "a restored hold has whatever lease the text says, for thousands of years",
    file: "src/primitives/hand-over.ts",
    search: 'leaseMs: checkLease("its leaseMs", leaseMs)',
    replace: "leaseMs: leaseMs as number",
    caughtBy: { test: "test/primitives/restore.test.ts", named: "checks what a text says as it checks options" },
  },
];
