import { createHash } from "node:crypto";
import { S3MutexError } from "../src/errors.js";
import type {
  AnswerTiming,
  ListOutcome,
  ObjectStore,
  ReadOutcome,
  RemoveOutcome,
  RequestOptions,
  WriteCondition,
  WriteOutcome,
} from "../src/store/object-store.js";
import type { SimProcess } from "./process.js";
import type { World } from "./world.js";

/** What happens to one request. */
export type Fate =
  | { readonly kind: "fine" }
  /** It never reaches the store. */
  | { readonly kind: "lost" }
  /** It is applied; its answer is lost. */
  | { readonly kind: "answer-lost" }
  /** The client hears nothing; it is applied this much later, out of order. */
  | { readonly kind: "late"; readonly byMs: number }
  /** It arrives twice; the client hears the second answer. */
  | { readonly kind: "twice" }
  /** Answered with an error, applied or not. */
  | { readonly kind: "error"; readonly status: 409 | 429 | 500 | 503; readonly applied: boolean };

export type Operation = "read" | "write" | "remove" | "list";

export interface SimStoreOptions {
  readonly roundTripMs: () => number;
  readonly fate?: (operation: Operation, key: string, process: SimProcess, body: string | undefined) => Fate;
  /** How far the front end's clock that answers this request is off, in milliseconds. */
  readonly dateOffsetMs?: () => number;
  /** Whether conditional deletes are honoured. */
  readonly removes?: boolean;
  readonly hasDate?: boolean;
  /** Called for each request that the store sees. */
  readonly onRequest?: (operation: Operation, key: string, atMs: number) => void;
  /** Called for each request when its sender sends it. */
  readonly onSend?: (operation: Operation, process: SimProcess) => void;
}

interface Stored {
  readonly body: string;
  readonly etag: string;
}

type Answer = { readonly kind: string; readonly etag?: string; readonly body?: string; readonly keys?: string[] };

/** The one bucket of a world: atomic, and as unkind on the way to it and back as the options say. */
export class SimBucket {
  readonly world: World;
  readonly options: SimStoreOptions;
  readonly objects = new Map<string, Stored>();
  /** Every version of every object, in the order in which they landed. */
  onChange: (key: string, body: string | undefined) => void = () => {};
  requests = 0;

  constructor(world: World, options: SimStoreOptions) {
    this.world = world;
    this.options = options;
  }

  /** The store as one process reaches it. */
  storeFor(process: SimProcess): ObjectStore {
    return new SimStore(this, process);
  }

  put(key: string, body: string): string {
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    this.objects.set(key, { body, etag });
    this.onChange(key, body);
    return etag;
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.onChange(key, undefined);
  }
}

class SimStore implements ObjectStore {
  readonly #bucket: SimBucket;
  readonly #process: SimProcess;

  constructor(bucket: SimBucket, process: SimProcess) {
    this.#bucket = bucket;
    this.#process = process;
  }

  async read(key: string, options: RequestOptions & { readonly ifNoneMatch?: string }): Promise<ReadOutcome> {
    return (await this.#request("read", key, options, () => {
      const stored = this.#bucket.objects.get(key);
      if (stored === undefined) return { kind: "absent" };
      if (stored.etag === options.ifNoneMatch) return { kind: "unchanged" };
      return { kind: "ok", etag: stored.etag, body: stored.body };
    })) as ReadOutcome;
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    const apply = (): Answer => {
      const stored = this.#bucket.objects.get(key);
      if (condition.kind === "if-absent" && stored !== undefined) return { kind: "conflict" };
      if (condition.kind === "if-match" && stored === undefined) return { kind: "absent" };
      if (condition.kind === "if-match" && stored?.etag !== condition.etag) return { kind: "conflict" };
      return { kind: "ok", etag: this.#bucket.put(key, body) };
    };
    return (await this.#request("write", key, options, apply, body)) as WriteOutcome;
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    if (this.#bucket.options.removes === false) return { kind: "unsupported" };
    return (await this.#request("remove", key, options, () => {
      const stored = this.#bucket.objects.get(key);
      if (stored === undefined) return { kind: "absent" };
      if (stored.etag !== etag) return { kind: "conflict" };
      this.#bucket.delete(key);
      return { kind: "ok" };
    })) as RemoveOutcome;
  }

  async list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    return (await this.#request("list", prefix, options, () => {
      const keys = [...this.#bucket.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      const etags = new Map(keys.map((listed) => [listed, this.#bucket.objects.get(listed)?.etag ?? ""]));
      return { kind: "ok", keys, etags };
    })) as ListOutcome;
  }

  #request(
    operation: Operation,
    key: string,
    { timeoutMs }: RequestOptions,
    apply: () => Answer,
    body?: string,
  ): Promise<unknown> {
    const { world, options } = this.#bucket;
    const process = this.#process;
    const sentAtMs = process.effects.monotonicMs();
    options.onSend?.(operation, process);
    const fate = options.fate?.(operation, key, process, body) ?? { kind: "fine" };
    const halfMs = options.roundTripMs() / 2;
    return new Promise((resolve) => {
      let isAnswered = false;
      const answer = (outcome: object, dateMs: number | undefined) => {
        process.deliver(() => {
          if (isAnswered) return;
          isAnswered = true;
          cancelTimeout();
          const receivedAtMs = process.effects.monotonicMs();
          const timing: AnswerTiming = { sentAtMs, receivedAtMs, ...(dateMs === undefined ? {} : { dateMs }) };
          resolve({ ...outcome, timing });
        });
      };
      const cancelTimeout = process.effects.setTimer(
        timeoutMs,
        () => {
          isAnswered = true;
          resolve(unknown("timed out", false));
        },
        { keepAlive: true },
      );
      const reach = () => {
        this.#bucket.requests += 1;
        options.onRequest?.(operation, key, world.nowMs);
        const dateMs = options.hasDate === false ? undefined : this.#dateMs();
        const { outcome, isHeard } = settle(fate, apply);
        if (isHeard) world.after(halfMs, () => answer(outcome, dateMs));
      };
      if (fate.kind !== "lost") world.after(halfMs + (fate.kind === "late" ? fate.byMs : 0), reach);
    });
  }

  /** Whole seconds of the front end's clock, as the `Date` header has them. */
  #dateMs(): number {
    const { world, options } = this.#bucket;
    return Math.floor((world.nowMs + (options.dateOffsetMs?.() ?? 0)) / 1000) * 1000;
  }
}

function settle(fate: Fate, apply: () => Answer): { outcome: object; isHeard: boolean } {
  switch (fate.kind) {
    case "fine":
      return { outcome: apply(), isHeard: true };
    case "twice":
      apply();
      return { outcome: apply(), isHeard: true };
    case "answer-lost":
    case "late":
      return { outcome: apply(), isHeard: false };
    case "lost":
      return { outcome: {}, isHeard: false };
    case "error":
      if (fate.applied) apply();
      if (fate.status === 409) return { outcome: { kind: "conflict" }, isHeard: true };
      return { outcome: unknown(`status ${fate.status}`, fate.status !== 500), isHeard: true };
  }
}

function unknown(what: string, throttled: boolean): object {
  return { kind: "unknown", error: new S3MutexError("store-unavailable", what), throttled, sent: true };
}
