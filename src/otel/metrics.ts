import {
  type Attributes,
  diag,
  type MeterProvider,
  metrics,
  type ObservableCallback,
  type ObservableUpDownCounter,
} from "@opentelemetry/api";
import type { DiagnosticsOrigin } from "../index.js";
import { VERSION } from "../version.js";
import type { Handlers } from "./handlers.js";

/** In seconds, as the conventions want durations: from a round trip to a night's job. */
const WAIT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const HOLD_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400];
const REQUEST_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const QUEUE_BUCKETS = [0, 1, 2, 4, 8, 16, 32, 64];

function instrumentsOf(provider: MeterProvider | undefined) {
  const meter = (provider ?? metrics).getMeter("s3-mutex", VERSION);
  const histogram = (name: string, unit: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const level = (name: string, unit: string, description: string) =>
    new Level(meter.createObservableUpDownCounter(name, { unit, description }));
  return {
    acquisitions: counter("s3_mutex.acquisitions", "{acquisition}", "Attempts to acquire a lock that have ended"),
    waits: histogram("s3_mutex.wait.duration", "s", "How long acquiring took, successful or not", WAIT_BUCKETS),
    holds: histogram("s3_mutex.hold.duration", "s", "How long locks were held that were released", HOLD_BUCKETS),
    queues: histogram(
      "s3_mutex.queue.length",
      "{waiter}",
      "Waiters ahead of a caller that takes its place",
      QUEUE_BUCKETS,
    ),
    waiting: level("s3_mutex.waiting", "{caller}", "Callers of this process that wait now"),
    held: level("s3_mutex.held", "{lock}", "Locks that this process holds now"),
    renewals: counter("s3_mutex.renewals", "{renewal}", "Renewals of leases"),
    losses: counter("s3_mutex.losses", "{lock}", "Locks that were lost while they were held"),
    deadlocks: counter("s3_mutex.deadlocks", "{deadlock}", "Waits that gave way to break a deadlock"),
    requests: histogram(
      "s3_mutex.request.duration",
      "s",
      "Requests to the store, by kind and outcome",
      REQUEST_BUCKETS,
    ),
    conflicts: counter("s3_mutex.conflicts", "{conflict}", "Writes that another client was faster than"),
  };
}

/** Counts what is published; lock names only where the caller says how few there are. */
export function metricsHandlers(
  provider: MeterProvider | undefined,
  lockNameOf: ((lockName: string) => string | undefined) | undefined,
): { readonly handlers: Handlers; end(): void } {
  const to = instrumentsOf(provider);
  const attributesOf = memoizedAttributes(lockNameOf);
  const handlers: Handlers = {
    "s3-mutex:acquire:start": ({ origin, lockName, acquisitionId }) =>
      to.waiting.begin(acquisitionId, attributesOf(origin, lockName)),
    "s3-mutex:acquire:end": ({ origin, lockName, acquisitionId, outcome, waitedMs }) => {
      const attributes = attributesOf(origin, lockName);
      to.waiting.end(acquisitionId);
      const ended = { ...attributes, "s3_mutex.outcome": outcome };
      to.acquisitions.add(1, ended);
      to.waits.record(waitedMs / 1000, ended);
    },
    "s3-mutex:hold:start": ({ origin, lockName, acquisitionId }) =>
      to.held.begin(acquisitionId, attributesOf(origin, lockName)),
    "s3-mutex:hold:end": ({ acquisitionId }) => to.held.end(acquisitionId),
    "s3-mutex:enqueued": ({ origin, lockName, position }) => to.queues.record(position, attributesOf(origin, lockName)),
    "s3-mutex:released": ({ origin, lockName, heldMs }) =>
      to.holds.record(heldMs / 1000, attributesOf(origin, lockName)),
    "s3-mutex:renewed": ({ origin, lockName }) => to.renewals.add(1, attributesOf(origin, lockName)),
    "s3-mutex:lost": ({ origin, lockName, reason }) =>
      to.losses.add(1, { ...attributesOf(origin, lockName), "s3_mutex.loss.reason": reason }),
    "s3-mutex:deadlock": ({ origin, lockName }) => to.deadlocks.add(1, attributesOf(origin, lockName)),
    "s3-mutex:request": ({ bucketName, operation, outcome, durationMs, status, error }) => {
      const attributes = { "aws.s3.bucket": bucketName, "rpc.method": operation };
      to.requests.record(durationMs / 1000, {
        ...attributes,
        "s3_mutex.outcome": outcome,
        ...(status === undefined ? {} : { "http.response.status_code": status }),
        ...(error === undefined ? {} : { "error.type": error.code }),
      });
      if (outcome === "conflict") to.conflicts.add(1, attributes);
    },
  };
  const end = () => {
    to.waiting.stop();
    to.held.stop();
  };
  return { handlers, end };
}

/**
 * How many there are at this moment. It is read when metrics are collected, so that a turn need not report ups and downs. What had
 * begun before the first listener came is not counted when it ends.
 */
class Level {
  readonly #begun = new Map<string, Attributes>();
  readonly #counts = new Map<Attributes, number>();
  readonly #instrument: ObservableUpDownCounter;
  readonly #observe: ObservableCallback = (result) => {
    for (const [attributes, count] of this.#counts) result.observe(count, attributes);
  };

  constructor(instrument: ObservableUpDownCounter) {
    this.#instrument = instrument;
    instrument.addCallback(this.#observe);
  }

  begin(id: string, attributes: Attributes): void {
    this.#begun.set(id, attributes);
    this.#add(1, attributes);
  }

  end(id: string): void {
    const attributes = this.#begun.get(id);
    if (attributes === undefined) return;
    this.#begun.delete(id);
    this.#add(-1, attributes);
  }

  #add(difference: number, attributes: Attributes): void {
    this.#counts.set(attributes, (this.#counts.get(attributes) ?? 0) + difference);
  }

  stop(): void {
    this.#instrument.removeCallback(this.#observe);
  }
}

/** Keeps one object for each bucket, and for each name in it: these are asked for several times in each turn. */
function memoizedAttributes(lockNameOf: ((lockName: string) => string | undefined) | undefined) {
  const known = new Map<string, Attributes>();
  return ({ bucketName }: DiagnosticsOrigin, lockName: string): Attributes => {
    const name = nameFor(lockName, lockNameOf);
    const key = name === undefined ? bucketName : `${bucketName}/${name}`;
    const attributes = known.get(key) ?? {
      "aws.s3.bucket": bucketName,
      ...(name === undefined ? {} : { "s3_mutex.lock.name": name }),
    };
    known.set(key, attributes);
    return attributes;
  };
}

/** Gives the name that the caller has for a lock; none where its function fails, or is asynchronous: what is counted still counts. */
function nameFor(lockName: string, lockNameOf: ((lockName: string) => unknown) | undefined): string | undefined {
  if (lockNameOf === undefined) return undefined;
  const failed = (error: unknown) => void diag.error("s3-mutex: lockName failed", error);
  try {
    const name = lockNameOf(lockName);
    if (typeof name === "string") return name;
    // Unheard, its rejection would end the process.
    Promise.resolve(name).catch(failed);
  } catch (error) {
    failed(error);
  }
  return undefined;
}
