import { createHash } from "node:crypto";
import { type OptionNames, refuseUnknownOptions } from "../arguments/option-names.js";
import {
  type AnswerTiming,
  type ListOutcome,
  MAX_BODY_BYTES,
  type ReadOptions,
  type ReadOutcome,
  type RemoveOutcome,
  type RequestOptions,
  type StoreAdapter,
  type StoreEffects,
  type WriteCondition,
  type WriteOutcome,
} from "./object-store.js";

/** What a {@link MemoryStore} needs of the outside world, and how it behaves. */
export interface MemoryStoreOptions {
  readonly effects: Pick<StoreEffects, "monotonicMs">;
  /** What the store's `Date` header would say, in epoch milliseconds; without it, answers have no date. */
  readonly storeClock?: () => number;
  /** How many keys a page of `list` holds. */
  readonly pageSize?: number;
}

const MEMORY_STORE_OPTIONS: OptionNames<MemoryStoreOptions> = { effects: true, storeClock: true, pageSize: true };

interface StoredObject {
  /** Missing where the store tells no time. */
  readonly lastModifiedMs?: number;
  readonly etag: string;
  readonly body: string;
}

/** Compare-and-swap in memory, with ETags that are hashes of the content as on most stores. For tests. */
export class MemoryStore implements StoreAdapter {
  readonly bucketName = "memory";
  readonly isInProcess = true;
  readonly #objects = new Map<string, StoredObject>();
  readonly #options: MemoryStoreOptions;

  constructor(options: MemoryStoreOptions) {
    refuseUnknownOptions("options", options, MEMORY_STORE_OPTIONS);
    this.#options = options;
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const timing = this.#timing();
    const found = this.#objects.get(key);
    if (found === undefined) return { kind: "absent", timing };
    if (found.etag === options.ifNoneMatch) return { kind: "unchanged", timing };
    if (Buffer.byteLength(found.body) > (options.maxBodyBytes ?? MAX_BODY_BYTES))
      return { kind: "oversized", etag: found.etag, timing };
    return { kind: "ok", ...found, timing };
  }

  async write(key: string, body: string, condition: WriteCondition, _options: RequestOptions): Promise<WriteOutcome> {
    const timing = this.#timing();
    const found = this.#objects.get(key);
    if (condition.kind === "if-absent" && found !== undefined) return { kind: "conflict", timing };
    if (condition.kind === "if-match") {
      if (found === undefined) return { kind: "absent", timing };
      if (found.etag !== condition.etag) return { kind: "conflict", timing };
    }
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    const writtenAt = timing.dateMs === undefined ? {} : { lastModifiedMs: timing.dateMs };
    this.#objects.set(key, { etag, body, ...writtenAt });
    return { kind: "ok", etag, timing };
  }

  async remove(key: string, etag: string, _options: RequestOptions): Promise<RemoveOutcome> {
    const timing = this.#timing();
    const found = this.#objects.get(key);
    if (found === undefined) return { kind: "absent", timing };
    if (found.etag !== etag) return { kind: "conflict", timing };
    this.#objects.delete(key);
    return { kind: "ok", timing };
  }

  async list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    const timing = this.#timing();
    const after = options.continuation;
    const matching = [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
      .sort((a, b) => (a < b ? -1 : 1));
    const keys = matching.slice(0, this.#options.pageSize ?? 1000);
    const etags = new Map(keys.map((key) => [key, this.#objects.get(key)?.etag ?? ""]));
    const last = keys.at(-1);
    if (last === undefined || keys.length === matching.length) return { kind: "ok", keys, etags, timing };
    return { kind: "ok", keys, etags, continuation: last, timing };
  }

  #timing(): AnswerTiming {
    const now = this.#options.effects.monotonicMs();
    const date = this.#options.storeClock?.();
    if (date === undefined) return { sentAtMs: now, receivedAtMs: now };
    return { sentAtMs: now, receivedAtMs: now, dateMs: Math.floor(date / 1000) * 1000 };
  }
}
