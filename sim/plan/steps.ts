import type { Operation } from "../../src/testing/virtual/store.js";
import { type Body, parseBody } from "./body.js";

/** The steps of the protocol, as they show on the wire; `between` is a process that has no request under way. */
export const STEPS = [
  "read",
  "grant",
  "adopt",
  "enqueue",
  "renew",
  "restore",
  "release",
  "transfer",
  "cancel",
  "force",
  "sweep",
  "tombstone",
  "remove",
  "list",
  "object",
  "1.x",
  "between",
] as const;
export type Step = (typeof STEPS)[number];

/** Tells which step a request is from what it carries: the simulation knows nothing of its sender. */
export function stepOf(operation: Operation, text: string | undefined): Step {
  return operation === "write" && text !== undefined
    ? stepOfBody(parseBody(text))
    : operation === "write"
      ? "1.x"
      : operation;
}

function stepOfBody(body: Body): Step {
  if (isNoLocks(body)) return "object";
  if (body.schema === undefined) return "1.x";
  if (body.deleted) return "tombstone";
  const ended = body.recent?.find((turn) => turn.toMs === body.touchedAtMs)?.ended;
  const mine = body.holders?.find((holder) => holder.leaseWriteId === body.writeId);
  // One that was given back and stays for its time.
  if (mine?.releasedAtMs !== undefined) return "release";
  if (mine !== undefined) {
    if (mine.acquiredAtMs !== mine.renewedAtMs) return mine.token >= mine.renewedAtMs ? "restore" : "renew";
    return ended === "released" ? "transfer" : "grant";
  }
  if (ended === "forced") return "force";
  if (body.freeSinceMs === body.touchedAtMs && body.recent?.[0]?.ended === "expired") return "sweep";
  if (ended === "released") return "release";
  if (body.createdAtMs === body.touchedAtMs && body.token === body.touchedAtMs) return "adopt";
  const isEnqueue = body.queue?.some((waiter) => waiter.expiresAtMs === (body.touchedAtMs ?? 0) + ENTRY_LIFE_MS);
  return isEnqueue ? "enqueue" : "cancel";
}

/** Says whether it is a fenced object, or what the check of the store is made on. */
function isNoLocks({ fenced, schema, locked }: Body): boolean {
  return fenced !== undefined || (schema === undefined && locked === undefined);
}

const ENTRY_LIFE_MS = 15_000;
