import { S3MutexError } from "../../errors.js";
import { unlessAborted } from "../base/abort.js";
import type { Context } from "../base/context.js";
import { MAX_REQUEST_MS, settledWithin } from "../base/timing.js";
import type { LockObject } from "../swap/lock-object.js";
import { type AcquireRequest, knownLimit } from "./acquire-request.js";
import { callTimesOf } from "./patience.js";

/**
 * Refuses what could not be renewed in time: each process that holds permits renews them in one write, and writes of one object come
 * one after the other. All of them have to fit into the third of a lease after which they come again. One of several records was polled
 * just before, and its holders count, with this process; a call that comes when there is no time for one more is refused itself.
 * @returns the request, at once where nothing speaks against it
 * @throws `invalid-argument`
 */
export function whenRenewable(
  context: Context,
  object: LockObject,
  request: AcquireRequest,
): AcquireRequest | Promise<AcquireRequest> {
  const isSuspect = isUntold(context, object, request) || refusalOf(context, object, request) !== undefined;
  return isSuspect ? unlessConfirmed(context, object, request) : request;
}

/**
 * Says whether nothing has been answered yet that would show how far away the store is, or how many permits there are. A process that
 * has just started is told the same as one that has run for an hour.
 */
function isUntold({ clock }: Context, object: LockObject, request: AcquireRequest): boolean {
  const limit = knownLimit(object, request);
  return limit !== 1 && (limit === undefined || clock.quickestRoundTripMs === 0);
}

/**
 * Refuses only what is confirmed: a round trip may have seemed long because hundreds of callers, or its start, kept this process busy.
 * The store is asked alone first, a few times, once for all who want to know. Returns the request with the time that is left for it.
 */
async function unlessConfirmed(context: Context, object: LockObject, request: AcquireRequest): Promise<AcquireRequest> {
  const { effects, closing } = context;
  const { patienceMs, waitedBeforeMs = 0, signal } = request;
  const startedAtMs = effects.monotonicMs();
  const { attemptUntilMs: endMs } = callTimesOf(startedAtMs, request);
  let isUnclear = true;
  for (let answers = 0; isUnclear && answers < CONFIRMING_ANSWERS; answers += 1) {
    const polling = unlessAborted(pollAlone(object), closing);
    const answer = signal === undefined ? polling : unlessAborted(polling, signal);
    const withinMs = Math.min((endMs - effects.monotonicMs()) / 2, MAX_REQUEST_MS);
    const isAnswered = (await settledWithin(effects, answer, withinMs)) && (await answer);
    // Where the store does not answer, or the caller has gone, the attempt itself tells what there is to tell.
    if (!isAnswered) break;
    const refusal = refusalOf(context, object, request);
    isUnclear = refusal !== undefined;
    if (answers === CONFIRMING_ANSWERS - 1 && refusal !== undefined) throw refusal;
  }
  const tookMs = effects.monotonicMs() - startedAtMs;
  const left = { patienceMs: Math.max(0, patienceMs - tookMs), waitedBeforeMs: waitedBeforeMs + tookMs };
  // A store that answers is asked for as long as from the start: of many callers, each has its time from its turn on.
  return isUnclear ? { ...request, ...left, attemptUntilMs: endMs } : { ...request, ...left };
}

function refusalOf({ clock, ownerId }: Context, object: LockObject, request: AcquireRequest): S3MutexError | undefined {
  const limit = knownLimit(object, request);
  const { leaseMs, share } = request;
  // Where there are several records, the first one tells so, and each has few of the holders.
  const hasShares = share === undefined && object.latest?.record?.shares !== undefined;
  if (limit === undefined || limit === 1 || hasShares) return undefined;
  const roundTripMs = clock.quickestRoundTripMs;
  const owners = new Set(object.latest?.record?.holders.map(({ owner }) => owner)).add(ownerId);
  const renewers = share === undefined ? Math.min(limit, MAX_RENEWERS) : Math.min(limit, owners.size);
  const neededMs = Math.ceil(renewers * ROUND_TRIPS_PER_WRITE * roundTripMs * 3);
  if (leaseMs >= neededMs) return undefined;
  const whose = share === undefined ? `${limit} permits` : `the permits of ${renewers} processes`;
  const message = `leaseMs is ${leaseMs}: ${whose} could not all be renewed in time at ${Math.ceil(roundTripMs)} ms a round trip; use at least ${neededMs} ms.`;
  return new S3MutexError("invalid-argument", message);
}

const polls = new WeakMap<LockObject, Promise<boolean>>();

/** Says whether it was answered; never rejects, as a caller that goes on is told what is wrong. */
function pollAlone(object: LockObject): Promise<boolean> {
  const poll = async () => {
    const snapshot = await object.poll(MAX_REQUEST_MS).catch(() => undefined);
    polls.delete(object);
    return snapshot !== undefined;
  };
  const polling = polls.get(object) ?? poll();
  polls.set(object, polling);
  return polling;
}

/** So many answers in a row say how far away the store is. */
const CONFIRMING_ANSWERS = 3;
/** A read and a write. */
const ROUND_TRIPS_PER_WRITE = 2;
/** A record has no room for many more holders. */
const MAX_RENEWERS = 120;
