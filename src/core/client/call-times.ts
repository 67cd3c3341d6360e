import { SILENT_MS } from "./patience.js";

/** Until when one call may take, by the monotonic clock; all in milliseconds. */
export interface CallTimes {
  readonly arrivedAtMs: number;
  /** How long it waits for others. */
  readonly patienceMs: number;
  /** How long one attempt may take, from its turn on. */
  readonly attemptMs: number;
  /** Until when one attempt may wait for its turn among others of its process, and take. */
  readonly queueUntilMs: number;
  /** Until when one attempt may take where all of it was answered so far: a read was, and a write is under way. */
  readonly attemptUntilMs: number;
  /** The same where nothing was answered by the time that the patience is over. */
  readonly silentUntilMs: number;
}

/** What a caller allows. */
export interface CallTerms {
  readonly patienceMs: number;
  /** How long one request may take. */
  readonly requestTimeoutMs: number;
  /** The latest end, whatever follows from the rest. */
  readonly attemptUntilMs: number;
}

/** Works out the times of a call that begins. */
export function callTimes(arrivedAtMs: number, terms: CallTerms): CallTimes {
  const { patienceMs, attemptUntilMs: latestMs } = terms;
  const attemptMs = longestMs(terms);
  const attemptUntilMs = Math.min(arrivedAtMs + attemptMs, latestMs);
  const silentMs = Math.max(patienceMs, SILENT_MS);
  return {
    arrivedAtMs,
    patienceMs,
    attemptMs,
    queueUntilMs: Math.min(arrivedAtMs + LONGEST_IN_QUEUE_MS, latestMs),
    attemptUntilMs,
    silentUntilMs: patienceMs === 0 ? attemptUntilMs : Math.min(attemptUntilMs, arrivedAtMs + silentMs),
  };
}

/** Gives the one attempt of a call without patience its time from its turn on, whatever callers of its process were before it. */
export function fromItsTurn(times: CallTimes, nowMs: number): CallTimes {
  if (times.patienceMs !== 0) return times;
  const untilMs = Math.min(nowMs + times.attemptMs, times.queueUntilMs);
  return { ...times, attemptUntilMs: untilMs, silentUntilMs: untilMs };
}

/** Says when the patience is over. */
export function untilMs({ arrivedAtMs, patienceMs }: CallTimes): number {
  return arrivedAtMs + patienceMs;
}

/** Gives the latest moment for a poll after which a lock that became free can still be taken in time. */
export function lastPollAtMs(times: CallTimes, roundTripMs: number): number {
  return untilMs(times) - LAST_POLL_ROUND_TRIPS * roundTripMs - LAST_POLL_SLACK_MS;
}

/** Says how long a call can take at most: however short its patience is, there is time for one full attempt. */
function longestMs({ patienceMs, requestTimeoutMs }: Omit<CallTerms, "attemptUntilMs">): number {
  return Math.max(patienceMs, ATTEMPT_MS, patienceMs === 0 ? 2 * requestTimeoutMs : 0);
}

/** A shorter time-out is given that long where the store answers, if slowly. */
const ATTEMPT_MS = 2000;
/** One attempt waits for its turn and takes so long, all in all. */
const LONGEST_IN_QUEUE_MS = 30_000;
const LAST_POLL_ROUND_TRIPS = 3; // a poll and a write, with one to spare
/** A timer is late by some milliseconds, on a busy machine by more. */
const LAST_POLL_SLACK_MS = 20;
