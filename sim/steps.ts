/** Which step of the protocol a request is, told from what it carries: the simulation knows nothing of its sender. */
export const STEPS = [
  "read",
  "grant",
  "enqueue",
  "renew",
  "release",
  "transfer",
  "cancel",
  "force",
  "tombstone",
  "remove",
  "list",
  "1.x",
] as const;
export type Step = (typeof STEPS)[number];

interface Body {
  readonly schema?: number;
  readonly writeId?: string;
  readonly touchedAtMs?: number;
  readonly deleted?: boolean;
  readonly holders?: readonly {
    readonly renewal: string;
    readonly acquiredAtMs: number;
    readonly renewedAtMs: number;
  }[];
  readonly queue?: readonly { readonly expiresAtMs: number }[];
  readonly recent?: readonly { readonly toMs: number; readonly ended: string }[];
}

export function stepOf(operation: "read" | "write" | "remove" | "list", text: string | undefined): Step {
  if (operation !== "write" || text === undefined) return operation === "write" ? "1.x" : operation;
  const body = JSON.parse(text) as Body;
  if (body.schema === undefined) return "1.x";
  if (body.deleted) return "tombstone";
  const ended = body.recent?.find((turn) => turn.toMs === body.touchedAtMs)?.ended;
  const mine = body.holders?.find((holder) => holder.renewal === body.writeId);
  if (mine !== undefined) {
    if (mine.acquiredAtMs !== mine.renewedAtMs) return "renew";
    return ended === "released" ? "transfer" : "grant";
  }
  if (ended === "forced") return "force";
  if (ended === "released") return "release";
  const isEnqueue = body.queue?.some((waiter) => waiter.expiresAtMs === (body.touchedAtMs ?? 0) + 15_000);
  return isEnqueue ? "enqueue" : "cancel";
}
