import { S3_OPERATIONS, type S3Operation, type S3RequestInfo } from "./wire/operation.js";

/** How many requests there were since the start or the last `resetRequests()`. A snapshot: it does not change. */
export interface RequestCounts {
  /** All requests that arrived whole. */
  readonly total: number;
  /** The same by operation; 0 for those that did not occur. */
  readonly byOperation: Readonly<Record<S3Operation, number>>;
  /** Answers by HTTP status. */
  readonly byStatus: Readonly<Record<number, number>>;
  /** Requests that a fault left without an answer. */
  readonly unanswered: number;
}

/** One request that is over. */
export interface RequestRecord extends S3RequestInfo {
  /** The HTTP status; missing when a fault left the request without an answer. */
  readonly status?: number;
  /** The faults that struck it, in the order of their rules. */
  readonly faults: readonly string[];
  /** When it had arrived whole: epoch milliseconds of this machine, whatever the server's clock shows. */
  readonly at: number;
  /** Milliseconds from then until its answer was handed to the socket, or until it was known that there is none. */
  readonly durationMs: number;
}

/** Called for each request when it has been answered, or when it is known that it will not be. */
export type RequestListener = (record: RequestRecord) => void;

function zeroes(): Record<S3Operation, number> {
  return Object.fromEntries(S3_OPERATIONS.map((name) => [name, 0])) as Record<S3Operation, number>;
}

export class RequestLog {
  readonly #listeners = new Set<RequestListener>();
  readonly #recentMax: number;
  #total = 0;
  #unanswered = 0;
  #byOperation = zeroes();
  #byStatus = new Map<number, number>();
  /** A ring: the oldest entry is at `#next` once it is full. */
  #recent: RequestRecord[] = [];
  #next = 0;

  constructor(recentMax: number) {
    this.#recentMax = recentMax;
  }

  received(operation: S3Operation): void {
    this.#total++;
    this.#byOperation[operation]++;
  }

  finished(record: RequestRecord): void {
    if (record.status === undefined) this.#unanswered++;
    else this.#byStatus.set(record.status, (this.#byStatus.get(record.status) ?? 0) + 1);
    if (this.#recentMax > 0) {
      this.#recent[this.#next] = record;
      this.#next = (this.#next + 1) % this.#recentMax;
    }
    for (const listener of this.#listeners) listener(record);
  }

  listen(listener: RequestListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counts(): RequestCounts {
    return {
      total: this.#total,
      byOperation: { ...this.#byOperation },
      byStatus: Object.fromEntries(this.#byStatus),
      unanswered: this.#unanswered,
    };
  }

  /** Lists the requests, oldest first. */
  recent(): RequestRecord[] {
    return [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
  }

  reset(): void {
    this.#total = 0;
    this.#unanswered = 0;
    this.#byOperation = zeroes();
    this.#byStatus = new Map();
    this.#recent = [];
    this.#next = 0;
  }
}
