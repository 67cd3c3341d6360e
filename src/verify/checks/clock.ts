import type { AnswerTiming } from "../../store/object-store.js";
import type { Examination } from "../examination/examination.js";
import { percentile } from "../examination/observations.js";
import { type Finding, fail, pass, REPEATED, skipped, warn } from "../examination/report.js";

/** `Date` has whole seconds; servers that keep its text renew it a little late. */
const RESOLUTION_MS = 1050;
/** Below this, a clock that stands still cannot be told from one second that lasts. */
const FROZEN_AFTER_MS = 2200;
/** Further off than this is worth a word, though not for the sake of locks. */
const OFF_MS = 5000;
/** A second of truncation, and the milliseconds of a server that renews its text once a second. */
const LATE_AFTER_MS = 1100;
/** What locks allow a `Date` to be late by, its whole seconds included: see the assumptions in docs/guide/guarantees.md. */
const LATE_MS_MAX = 2000;

interface Dated extends AnswerTiming {
  readonly dateMs: number;
}

/** Judges whether `Date` is on every answer, with one clock behind all of them. */
export function date({ observations }: Examination, toleranceMs: number): Finding {
  const { timings } = observations;
  const dated = timings.filter((timing): timing is Dated => timing.dateMs !== undefined);
  const without = timings.length - dated.length;
  if (dated.length === 0) {
    const remedy =
      'Nothing to do: leases of others are watched for their whole length instead, as with takeover: "observed".';
    return warn("no answer has a usable Date", remedy);
  }
  const { earliestMs, latestMs } = offsets(dated);
  const spreadMs = Math.round(earliestMs - latestMs);
  const observed = 'Use takeover: "observed" in every process, and have the clocks of the store set.';
  const isFrozen = new Set(dated.map(({ dateMs }) => dateMs)).size === 1 && spanMs(dated) > FROZEN_AFTER_MS;
  if (isFrozen)
    return fail(
      `the Date of all answers within ${Math.round(spanMs(dated))} ms was the same: it stands still`,
      observed,
    );
  const { lateDateMs } = observations;
  const late: Record<string, number> = lateDateMs === undefined ? {} : { lateMs: Math.max(0, lateDateMs) };
  const measured = { answersWithoutDate: without, spreadMs: Math.max(0, spreadMs), ...late };
  if (spreadMs > toleranceMs) {
    const isLate = lateDateMs !== undefined && lateDateMs > LATE_AFTER_MS;
    const why = isLate ? ` (they are up to ${(lateDateMs / 1000).toFixed(1)} s behind the store's own clock)` : "";
    const detail = `the Dates of answers contradict each other by ${spreadMs} ms, more than the tolerance of ${toleranceMs} ms${why}`;
    return fail(detail, `A live lease could be taken for ended. ${observed}`, measured);
  }
  if (lateDateMs !== undefined && lateDateMs > LATE_AFTER_MS) return lateDate(lateDateMs, measured);
  if (spreadMs > 0) {
    const remedy = `Have the store's clocks set; they may differ by up to clockSkewToleranceMs (${toleranceMs}).`;
    return warn(`the Dates of answers contradict each other by ${spreadMs} ms`, remedy, measured);
  }
  if (without === 0) return pass(`Date is on all ${dated.length} answers, and steady`, measured);
  return warn(
    `${without} of ${timings.length} answers have no Date`,
    "Nothing to do; look for a proxy that drops it.",
    measured,
  );
}

function lateDate(lateMs: number, measured: Readonly<Record<string, number>>): Finding {
  const detail = `Date is up to ${(lateMs / 1000).toFixed(1)} s behind the store's own clock, as by a server that keeps the header's text`;
  if (lateMs <= LATE_MS_MAX) {
    const remedy =
      "Nothing to do: locks allow for two seconds, and a lock whose holder died may come free a second later.";
    return warn(detail, remedy, measured);
  }
  const remedy = `Locks allow for two seconds. What is steadily late does no harm, what varies does: have it renewed each second, or use takeover: "observed" in every process.`;
  return warn(detail, remedy, measured);
}

/** Tells how the store's clock and this machine's differ. */
export function clockOffset({ observations, effects }: Examination): Finding {
  const dated = observations.timings.filter((timing): timing is Dated => timing.dateMs !== undefined);
  if (dated.length === 0) return skipped("no answer has a usable Date");
  const { earliestMs, latestMs } = offsets(dated);
  const toWallMs = effects.monotonicMs() - effects.wallMs();
  const offsetMs = Math.round((earliestMs + latestMs) / 2 + toWallMs);
  const detail = `the store's clock is ${described(offsetMs)} this machine's`;
  if (Math.abs(offsetMs) <= OFF_MS) return pass(detail, { offsetMs });
  return warn(
    detail,
    "Locks do not mind: they go by the store's clock. Signatures, logs and other software do: set the clock.",
    {
      offsetMs,
    },
  );
}

/** Bounds the offset to the monotonic clock: it is above `earliestMs` and below `latestMs`; the other way round if answers disagree. */
function offsets(dated: readonly Dated[]): { readonly earliestMs: number; readonly latestMs: number } {
  let earliestMs = Number.NEGATIVE_INFINITY;
  let latestMs = Number.POSITIVE_INFINITY;
  for (const { dateMs, sentAtMs, receivedAtMs } of dated) {
    earliestMs = Math.max(earliestMs, dateMs - receivedAtMs);
    latestMs = Math.min(latestMs, dateMs + RESOLUTION_MS - sentAtMs);
  }
  return { earliestMs, latestMs };
}

function spanMs(dated: readonly Dated[]): number {
  const last = Math.max(...dated.map(({ sentAtMs }) => sentAtMs));
  return last - Math.min(...dated.map(({ receivedAtMs }) => receivedAtMs));
}

function described(offsetMs: number): string {
  const size = Math.abs(offsetMs);
  if (size <= 1000) return "within a second of";
  const text =
    size < 120_000
      ? `${Math.round(size / 1000)} s`
      : size < 7_200_000
        ? `${Math.round(size / 60_000)} min`
        : `${Math.round(size / 3_600_000)} h`;
  return `${text} ${offsetMs > 0 ? "ahead of" : "behind"}`;
}

/** Judges how long requests take, beside what a lease leaves them. */
export function latency({ observations }: Examination, requestTimeoutMs: number): Finding {
  const reads = observations.latenciesMs("get");
  const writes = observations.latenciesMs("put");
  const [slowest] = [...reads.slice(-1), ...writes.slice(-1)].sort((one, other) => other - one);
  if (slowest === undefined) return skipped("nothing was answered");
  const rounded = (values: readonly number[], share: number) => Math.round(percentile(values, share) * 10) / 10;
  const measured = {
    getP50Ms: rounded(reads, 0.5),
    getP95Ms: rounded(reads, 0.95),
    getP99Ms: rounded(reads, 0.99),
    putP50Ms: rounded(writes, 0.5),
    putP95Ms: rounded(writes, 0.95),
    putP99Ms: rounded(writes, 0.99),
  };
  const { getP50Ms, getP95Ms, getP99Ms, putP50Ms, putP95Ms, putP99Ms } = measured;
  const detail = `p50/p95/p99 in ms: GET ${getP50Ms}/${getP95Ms}/${getP99Ms}, PUT ${putP50Ms}/${putP95Ms}/${putP99Ms}`;
  const p95Ms = Math.max(getP95Ms, putP95Ms);
  const leaseMs = Math.ceil((p95Ms * 3 * 6) / 1000) * 1000;
  const remedy =
    p95Ms > 1600
      ? "A request may take a sixth of the lease, 5 s at most: this store is too slow for locks."
      : `A request may take a sixth of the lease: set lockTimeoutMs to ${leaseMs} or more.`;
  if (p95Ms > requestTimeoutMs)
    return fail(`${detail}: requests would time out after ${Math.round(requestTimeoutMs)} ms`, remedy, measured);
  return p95Ms > requestTimeoutMs / 3 ? warn(detail, remedy, measured) : pass(detail, measured);
}

/** Judges whether connections are kept: a handshake for each request is what a lock is slow by. */
export function connections({ observations }: Examination): Finding {
  const { answers, closed } = observations.connections;
  const measured = { answers, closed };
  if (closed * 2 <= answers) return pass("connections are kept open from one request to the next", measured);
  const detail = `${closed} of ${answers} answers closed their connection: each request makes a new one`;
  const remedy =
    "Nothing to do for safety; with TLS each request takes two round trips more. A proxy before the store that keeps connections saves them.";
  return warn(detail, remedy, measured);
}

/** Tells how often the store failed to say what it did. */
export function errors({ observations }: Examination): Finding {
  const { requests, failedInRaces, throttled, refused, lastFailure, repeats } = observations;
  const failed = observations.failed + refused;
  const measured = { requests, failed, failedInRaces, throttled, refused, answeredTwice: repeats.total };
  const remedy =
    refused > 0
      ? "What was allowed at first was denied later: find out what has changed, such as a policy, and examine again."
      : "s3-mutex repeats what failed, under the same id; locks are slower, and some are lost if this goes on.";
  if (failed === 0 && throttled > 0) {
    return warn(`${throttled} of ${requests} requests were turned away (429 or 503)`, remedy, measured);
  }
  if (failed === 0 && repeats.total > 0) {
    return warn(
      `${repeats.total} writes were done and then answered as refused: they were sent twice`,
      REPEATED,
      measured,
    );
  }
  if (failed === 0) return pass(`${requests} requests, none failed outside of races`, measured);
  const detail = `${failed} of ${requests} requests failed, the last one with: ${lastFailure}`;
  return failed > requests / 5 ? fail(detail, remedy, measured) : warn(detail, remedy, measured);
}
