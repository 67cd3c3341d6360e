import { realEffects } from "../runtime/base/effects.js";
import type {
  ListOutcome,
  ReadOptions,
  ReadOutcome,
  RemoveOutcome,
  RequestOptions,
  StoreAdapter,
  WriteCondition,
  WriteOutcome,
} from "../store/object-store.js";
import { Absence } from "../store/s3/learnt/absence.js";
import { conditionalDeleteSupport } from "../store/s3/learnt/conditional-delete.js";
import { EtagForms } from "../store/s3/learnt/etag-form.js";
import { Versions } from "../store/s3/learnt/versions.js";
import { checkedPlace, type FetchStoreOptions } from "./options.js";
import { FetchRequests } from "./requests.js";
import { FetchSender } from "./sender.js";

/**
 * A store for `new S3Mutex({ store: fetchStore({ ... }) })`: any S3 over the global `fetch`, path style. Each request is sent once,
 * no redirect is followed, and errors say what those of an S3 client say. It learns no ways of stores: one that wants ETags in another
 * form than it shows them, or says in words of its own that an object is missing, needs an S3 client.
 * @throws `invalid-argument`
 */
export function fetchStore(options: FetchStoreOptions): StoreAdapter {
  return new FetchStore(options);
}

class FetchStore implements StoreAdapter {
  readonly bucketName: string;
  readonly #options: FetchStoreOptions;
  readonly #endpoint: string;
  readonly #sender: FetchSender;
  readonly #requests: FetchRequests;
  readonly #versions = new Versions({});
  /** Whether this store was seen to honour conditions on DELETE. */
  readonly #deletion: { conditionalDelete?: Promise<unknown> | undefined } = {};

  constructor(options: FetchStoreOptions) {
    const place = checkedPlace(options);
    this.#options = options;
    this.bucketName = place.bucketName;
    this.#endpoint = place.endpoint;
    this.#sender = new FetchSender(options, place);
    this.#requests = new FetchRequests(this.#sender, place.bucketName, this.#versions);
  }

  async way(): Promise<string> {
    return JSON.stringify([this.#endpoint, "path", this.bucketName]);
  }

  inBucket(bucketName: string): StoreAdapter {
    return new FetchStore({ ...this.#options, bucketName });
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const outcome = await this.#requests.get(key, options.ifNoneMatch, options);
    // Stores that do not know the header answer in full.
    if (outcome.kind === "ok" && outcome.etag === options.ifNoneMatch)
      return { kind: "unchanged", timing: outcome.timing };
    return outcome;
  }

  write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    const sent = condition.kind === "if-absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
    return this.#requests.put(key, body, sent, options);
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    if (this.#versions.areKept) return { kind: "versioned" };
    const support = await this.#deleteSupport(key, options);
    // Where versioning is suspended, it may be the answers to the probe's own deletions that tell, and no others.
    if (this.#versions.areKept) return { kind: "versioned" };
    return support.kind === "honoured" ? await this.#requests.delete(key, etag, options) : support;
  }

  /** Asked beside the object that is to be removed, where its remover may write. */
  #deleteSupport(key: string, options: RequestOptions) {
    const deps = { requests: this.#requests, effects: realEffects, keyPrefix: key.slice(0, key.lastIndexOf("/") + 1) };
    // ETags are sent as they are shown: a store that wants them otherwise has been refused before it holds a lock.
    const form = { form: "as-returned", settled: true, suspects: new Map(), shapes: new Map() } as const;
    const asking = {
      server: () => this.#sender.server,
      forms: new EtagForms(form, deps),
      absence: new Absence({}, deps),
      deps,
    };
    return conditionalDeleteSupport(this.#deletion, asking, options);
  }

  list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    return this.#requests.page(prefix, options.continuation, options);
  }
}
