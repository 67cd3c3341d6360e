import type { LockReport, LocksView } from "../../index.js";
import { lockViewOf } from "./lock-view.js";
import type { Delta, LockView, Snapshot, Status } from "./wire.js";

/** Where the locks come from. */
export interface LockSource {
  watch(options: { readonly intervalMs: number; readonly signal: AbortSignal }): AsyncIterable<LocksView>;
}

export interface Viewer {
  tell(event: "snapshot", data: Snapshot): void;
  tell(event: "delta", data: Delta): void;
}

export interface ReaderOptions {
  readonly source: LockSource;
  readonly storeName: string;
  readonly isReadOnly: boolean;
  /** Between the beginnings of two looks at the store. */
  readonly intervalMs: number;
  /** How long reading goes on when nobody looks: a page that is loaded again comes back within this. */
  readonly lingerMs: number;
  /** Between a look that failed outright and the next. */
  readonly retryMs: number;
}

/** Over how long requests are averaged. */
const RATE_WINDOW_MS = 10_000;

/** Reads the store once for all viewers, and only while there is one. */
export class SharedReader {
  readonly #options: ReaderOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #requests: { readonly atMs: number; readonly count: number }[] = [];
  #locks = new Map<string, LockView>();
  #status = { tookMs: 0, isRead: false, offsetMs: 0, error: undefined as string | undefined };
  #reading: AbortController | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Begins to tell somebody; the function returned ends that. */
  add(viewer: Viewer): () => void {
    clearTimeout(this.#linger);
    this.#viewers.add(viewer);
    if (this.#reading === undefined) this.#start();
    this.sendSnapshot(viewer);
    return () => {
      if (this.#viewers.delete(viewer) && this.#viewers.size === 0) {
        this.#linger = setTimeout(() => this.close(), this.#options.lingerMs).unref();
      }
    };
  }

  /** Everything at once: for who is new, or has missed something. */
  sendSnapshot(viewer: Viewer): void {
    const { storeName, isReadOnly } = this.#options;
    viewer.tell("snapshot", { storeName, isReadOnly, locks: [...this.#locks.values()], status: this.#describe() });
  }

  /** Stops reading; a viewer who comes later starts it again. */
  close(): void {
    clearTimeout(this.#linger);
    this.#reading?.abort();
    this.#reading = undefined;
  }

  #start(): void {
    const reading = new AbortController();
    this.#reading = reading;
    // What was seen before the pause is no longer news, and not true any more either.
    this.#locks = new Map();
    this.#requests.length = 0;
    this.#status = { ...this.#status, isRead: false, error: undefined };
    void this.#readUntil(reading.signal);
  }

  /** A source ends with an error when its first look fails: whoever watches wants to see it come back. */
  async #readUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#readOn(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#tellAll([], [], error as Error);
      }
      await pause(this.#options.retryMs, signal);
    }
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const { source, intervalMs } = this.#options;
    let requestsBefore = 0;
    // A source that was begun anew calls everything changed; what is gone by then it cannot know.
    let isFirst = true;
    for await (const view of source.watch({ intervalMs, signal })) {
      if (signal.aborted) return;
      const requests = view.requests.list + view.requests.get;
      this.#requests.push({ atMs: performance.now(), count: requests - requestsBefore });
      requestsBefore = requests;
      this.#take(view, isFirst);
      isFirst = false;
    }
  }

  #take(view: LocksView, isFirst: boolean): void {
    const reports = new Map(view.locks.map((report): [string, LockReport] => [report.lockName, report]));
    const changed = view.changed.flatMap((name) => {
      const report = reports.get(name);
      return report === undefined ? [] : [lockViewOf(report)];
    });
    // A lock that was deleted and not removed yet is no lock to a reader.
    const vanished = view.changed.filter((name) => !reports.has(name));
    const unseen = isFirst ? [...this.#locks.keys()].filter((name) => !reports.has(name)) : [];
    const removed = [...new Set([...view.removed, ...vanished, ...unseen])];
    for (const lock of changed) this.#locks.set(lock.name, lock);
    for (const name of removed) this.#locks.delete(name);
    const [first] = view.locks;
    if (first !== undefined && view.error === undefined) this.#status.offsetMs = first.reportedAt - Date.now();
    this.#status.tookMs = view.tookMs;
    if (view.error === undefined) this.#status.isRead = true;
    this.#tellAll(changed, removed, view.error);
  }

  #tellAll(changed: readonly LockView[], removed: readonly string[], error: Error | undefined): void {
    this.#status.error = error?.message;
    const status = this.#describe();
    for (const viewer of this.#viewers) viewer.tell("delta", { changed, removed, status });
  }

  #describe(): Status {
    const { offsetMs, error, ...status } = this.#status;
    return {
      ...status,
      nowMs: Math.round(Date.now() + offsetMs),
      requestsPerSecond: this.#requestsPerSecond(),
      viewers: this.#viewers.size,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** The first look is not spread over time that had not begun. */
  #requestsPerSecond(): number {
    const nowMs = performance.now();
    while ((this.#requests[0]?.atMs ?? nowMs) < nowMs - RATE_WINDOW_MS) this.#requests.shift();
    const [first] = this.#requests;
    if (first === undefined) return 0;
    const count = this.#requests.reduce((sum, request) => sum + request.count, 0);
    const spanMs = Math.max(nowMs - first.atMs + this.#options.intervalMs, this.#options.intervalMs);
    return (count * 1000) / Math.min(spanMs, RATE_WINDOW_MS);
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end);
  });
}
