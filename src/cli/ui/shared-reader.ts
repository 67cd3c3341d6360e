import type { LocksView } from "../../index.js";
import { delay } from "../base/delay.js";
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
  /** Between the beginnings of two polls of the store. */
  readonly intervalMs: number;
  /** How long reading goes on when there is no viewer: a page that is loaded again comes back within this. */
  readonly lingerMs: number;
  /** Between a poll that failed outright and the next. */
  readonly retryMs: number;
}

/** Over how long requests are averaged. */
const RATE_WINDOW_MS = 10_000;

/**
 * Reads the store once for all viewers, and only while there is one. Between viewers the source is not ended but not asked for
 * the next poll either: so a viewer that comes back costs one listing and what has changed, and not everything again.
 */
export class SharedReader {
  readonly #options: ReaderOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #requests: { readonly atMs: number; readonly count: number }[] = [];
  readonly #closing = new AbortController();
  #locks = new Map<string, LockView>();
  readonly #status = { tookMs: 0, offsetMs: 0, error: undefined as string | undefined };
  /** Whether the store was read since the present viewers came. */
  #isFresh = false;
  #isBegun = false;
  #isPaused = true;
  #goOn = () => {};
  #linger: NodeJS.Timeout | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Begins to tell a viewer; the function returned ends that. */
  add(viewer: Viewer): () => void {
    clearTimeout(this.#linger);
    this.#viewers.add(viewer);
    this.#resume();
    this.sendSnapshot(viewer);
    return () => {
      if (this.#viewers.delete(viewer) && this.#viewers.size === 0) {
        this.#linger = setTimeout(() => this.#pause(), this.#options.lingerMs).unref();
      }
    };
  }

  /** Sends everything at once: for a page that is new, or has missed something. */
  sendSnapshot(viewer: Viewer): void {
    const { storeName, isReadOnly } = this.#options;
    // What was seen before a pause is not true any more.
    const locks = this.#isFresh ? [...this.#locks.values()] : [];
    viewer.tell("snapshot", { storeName, isReadOnly, locks, status: this.#describe() });
  }

  /** Ends the reading for good. */
  close(): void {
    this.#pause();
    this.#closing.abort();
    this.#goOn();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#goOn();
    if (!this.#isBegun) void this.#read();
    this.#isBegun = true;
  }

  #pause(): void {
    clearTimeout(this.#linger);
    this.#isPaused = true;
    this.#isFresh = false;
    this.#requests.length = 0;
  }

  /** Reads on and on. A source ends with an error when its first poll fails: a viewer wants to see it come back. */
  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#readOn(signal);
      } catch (error) {
        this.#fail(error as Error);
      }
      await delay(this.#options.retryMs, signal);
      await this.#whileAnybodyLooks();
    }
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const { source, intervalMs } = this.#options;
    let requestsBefore = 0;
    for await (const view of source.watch({ intervalMs, signal })) {
      if (signal.aborted) return;
      const requests = view.requests.list + view.requests.get;
      this.#requests.push({ atMs: performance.now(), count: requests - requestsBefore });
      // What a source that was begun anew does not know cannot be removed by it.
      if (requestsBefore === 0) this.#isFresh = false;
      requestsBefore = requests;
      this.#take(view);
      await this.#whileAnybodyLooks();
    }
  }

  async #whileAnybodyLooks(): Promise<void> {
    while (this.#isPaused && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
    }
  }

  #take(view: LocksView): void {
    const { error, tookMs } = view;
    this.#status.tookMs = tookMs;
    if (error !== undefined) return this.#fail(error);
    this.#status.error = undefined;
    const [first] = view.locks;
    if (first !== undefined) this.#status.offsetMs = first.reportedAt - Date.now();
    if (this.#isFresh) this.#tellChanges(view);
    else this.#tellEverything(view);
  }

  #tellEverything({ locks }: LocksView): void {
    this.#locks = new Map(locks.map((report) => [report.lockName, lockViewOf(report)]));
    // Without a viewer, what was read last is not kept for later.
    this.#isFresh = !this.#isPaused;
    for (const viewer of this.#viewers) this.sendSnapshot(viewer);
  }

  #tellChanges({ locks, changed, removed }: LocksView): void {
    const names = new Set(changed);
    const views = locks.filter((report) => names.has(report.lockName)).map(lockViewOf);
    for (const view of views) {
      this.#locks.set(view.name, view);
      names.delete(view.name);
    }
    // A lock that was deleted and not removed yet has changed, and is not a lock to a reader.
    const gone = [...removed, ...names];
    for (const name of gone) this.#locks.delete(name);
    this.#tell(views, gone);
  }

  #fail(error: Error): void {
    this.#status.error = error.message;
    this.#tell([], []);
  }

  #tell(changed: readonly LockView[], removed: readonly string[]): void {
    const status = this.#describe();
    for (const viewer of this.#viewers) viewer.tell("delta", { changed, removed, status });
  }

  #describe(): Status {
    const { offsetMs, error, tookMs } = this.#status;
    return {
      tookMs,
      isRead: this.#isFresh,
      nowMs: Math.round(Date.now() + offsetMs),
      requestsPerSecond: this.#requestsPerSecond(),
      viewers: this.#viewers.size,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Measures the rate of requests; the first poll is not spread over time that had not begun. */
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
