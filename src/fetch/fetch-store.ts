import { realEffects } from "../runtime/base/effects.js";
import type {
  EtagFormHint,
  ListOutcome,
  ReadOptions,
  ReadOutcome,
  RemoveOutcome,
  RequestOptions,
  StoreAdapter,
  WriteCondition,
  WriteOutcome,
} from "../store/object-store.js";
import type { EtagFormState } from "../store/s3/client/client-state.js";
import { routeOfFetch } from "../store/s3/client/fetch-route.js";
import { Absence } from "../store/s3/learnt/absence.js";
import { removeIfHonoured } from "../store/s3/learnt/conditional-delete.js";
import { EtagForms } from "../store/s3/learnt/etag-form.js";
import { Versions } from "../store/s3/learnt/versions.js";
import { checkedPlace, type FetchStoreOptions } from "./options.js";
import { FetchRequests } from "./requests.js";
import { FetchSender } from "./sender.js";

/**
 * Makes a store for `new S3Mutex({ store: fetchStore({ ... }) })`: any S3 over the global `fetch`, path style. Each request is sent once,
 * no redirect is followed, and errors say what those of an S3 client say. A store that says in words of its own that an object is missing,
 * or reshapes its ETags, needs an S3 client.
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
  readonly #etagForm: EtagFormState = { form: "as-returned", settled: false, suspects: new Map(), shapes: new Map() };
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
    const protocol = new URL(this.#endpoint).protocol === "https:" ? "https" : "http";
    return JSON.stringify([this.#endpoint, "path", this.bucketName, ...routeOfFetch(protocol)]);
  }

  get etagForm(): EtagFormHint {
    return this.#asking("").forms;
  }

  inBucket(bucketName: string): StoreAdapter {
    return new FetchStore({ ...this.#options, bucketName });
  }

  async read(key: string, options: ReadOptions): Promise<ReadOutcome> {
    const { forms } = this.#asking(key);
    const get = (ifNoneMatch: string | undefined) => this.#requests.get(key, ifNoneMatch, options);
    return await forms.shown(key, await forms.reading(options.ifNoneMatch, get), options);
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    if (condition.kind === "if-absent") return await this.#requests.put(key, body, { IfNoneMatch: "*" }, options);
    const { etag } = condition;
    const put = (ifMatch: string) => this.#requests.put(key, body, { IfMatch: ifMatch }, options);
    return await this.#asking(key).forms.writing({ key, etag }, put);
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    return await removeIfHonoured({ key, etag }, this.#versions, this.#deletion, this.#asking(key), options);
  }

  /** Makes what the store is asked with: by objects beside the one that a caller is at, where it may write. */
  #asking(key: string) {
    const deps = { requests: this.#requests, effects: realEffects, keyPrefix: key.slice(0, key.lastIndexOf("/") + 1) };
    const forms = new EtagForms(this.#etagForm, deps);
    return { server: () => this.#sender.server, forms, absence: new Absence({}, deps), deps };
  }

  list(prefix: string, options: RequestOptions & { readonly continuation?: string }): Promise<ListOutcome> {
    return this.#requests.page(prefix, options.continuation, options);
  }
}
