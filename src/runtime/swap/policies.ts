import { ENTRY_LIFE_MS } from "../../core/expiry.js";
import type { Context } from "../base/context.js";
import { MAX_REQUEST_MS, requestTimeoutMs } from "../base/timing.js";
import type { RetryOptions } from "./retry-budget.js";

/**
 * How long a store that does not answer is asked again, how long each request may take, and who makes way for whom: for each
 * kind of caller. A caller that waits for a lock has a time of its own (`acquire/patience.ts`).
 */

export type Policy = Pick<RetryOptions, "role" | "timeoutMs" | "untilMs" | "outlastsStalls">;

/** Lets a holder try as long as its lease can last, and at once: each delay costs part of the lease. */
export function holderPolicy({ effects }: Context, leaseMs: number, untilMs?: number): Policy {
  return {
    role: "holder",
    timeoutMs: requestTimeoutMs(leaseMs),
    untilMs: untilMs ?? effects.monotonicMs() + leaseMs,
  };
}

/**
 * Lets a call about one lock go by the usual lease, such as an order by an operator: for half of that lease, between five and ten
 * seconds, since a caller waits for it. `insists`: a holder may be meant, so it does not step back.
 */
export function commandPolicy({ effects }: Context, leaseMs: number, { insists = false } = {}): Policy {
  const patienceMs = Math.min(Math.max(leaseMs / 2, SHORTEST_COMMAND_MS), LONGEST_COMMAND_MS);
  const untilMs = effects.monotonicMs() + patienceMs;
  return { role: insists ? "holder" : "contender", timeoutMs: requestTimeoutMs(leaseMs), untilMs };
}

/** Gives one read of one lock or one page of a list, without a lease to go by, as long as one request that is never answered. */
export function questionPolicy(context: Context): Policy {
  return readPolicy(context, MAX_REQUEST_MS);
}

/** Lets a caller ask who leads: one read that is lost, and one more. A caller that follows it for good has all the time there is. */
export function leaderPolicy(context: Context, patienceMs = 2 * MAX_REQUEST_MS): Policy {
  return readPolicy(context, patienceMs);
}

function readPolicy({ effects }: Context, patienceMs: number): Policy {
  return { role: "contender", timeoutMs: MAX_REQUEST_MS, untilMs: effects.monotonicMs() + patienceMs };
}

/** Fits two requests into the time of a caller that reads a fenced object without a lock, however short that is. */
export function fencedReadPolicy({ effects }: Context, patienceMs: number): Policy {
  const timeoutMs = Math.min(MAX_REQUEST_MS, Math.max(patienceMs, SHORTEST_FENCED_READ_MS) / 2);
  return { role: "contender", timeoutMs, untilMs: effects.monotonicMs() + patienceMs };
}

/** Lets a holder read and write a fenced object, until a time of its own. */
export function fencedPolicy(leaseMs: number, untilMs: number): Policy {
  const timeoutMs = Math.min(LONGEST_CONTENT_MS, Math.max(leaseMs / 3, SHORTEST_CONTENT_MS));
  return { role: "holder", timeoutMs, untilMs };
}

/**
 * Lets a caller that gave up clear up in the background until its entry has expired by itself, and all that lands late is over when it
 * lands. One that leaves for good has little time: it does not step back. No caller waits for this, and a store that contradicts itself
 * may be right again before that.
 */
export function leavingPolicy({ closing, effects, toleranceMs }: Context, leaseMs: number): Policy {
  return {
    role: closing.aborted ? "holder" : "contender",
    timeoutMs: requestTimeoutMs(leaseMs),
    untilMs: effects.monotonicMs() + leaseMs + toleranceMs + ENTRY_LIFE_MS,
    outlastsStalls: true,
  };
}

/** Keeps a cleanup, which goes through many locks, at one that does not answer no longer than two requests may take. */
export function sweepPolicy(context: Context): Policy {
  return readPolicy(context, 2 * MAX_REQUEST_MS);
}

/** Lets a resize go on until a time that all of its writes share. `insists`: it does not step back for callers that want a permit. */
export function resizePolicy(untilMs: number, { insists = false } = {}): Policy {
  return { role: insists ? "holder" : "contender", timeoutMs: MAX_REQUEST_MS, untilMs };
}

/** Says how long a resize may take from its beginning. Several records have callers of their own each, who change them meanwhile. */
export function resizePatienceMs(records: "one" | "several"): number {
  return records === "one" ? ONE_RECORD_MS : SEVERAL_RECORDS_MS;
}

/** One request that is never answered, however short the lease is. */
const SHORTEST_COMMAND_MS = MAX_REQUEST_MS;
/** Two of them: one that is lost, and one more. */
const LONGEST_COMMAND_MS = 2 * MAX_REQUEST_MS;
const ONE_RECORD_MS = 2 * MAX_REQUEST_MS;
/** Up to forty records, eight at a time, each behind its own callers: five rounds, and one that is lost. */
const SEVERAL_RECORDS_MS = 6 * MAX_REQUEST_MS;
/** However short its caller's time is, this much is taken for a read and one more. */
const SHORTEST_FENCED_READ_MS = 2000;
/** A few megabytes take a while on a slow line; of a short lease, one unanswered request is not to take all. */
const LONGEST_CONTENT_MS = 15_000;
/** A first connection alone can take nearly as long. */
const SHORTEST_CONTENT_MS = 1000;
