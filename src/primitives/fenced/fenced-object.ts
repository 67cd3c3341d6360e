import { checkBucketName, checkKeyText, checkNonEmptyString, checkOptions } from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { OptionNames } from "../../arguments/option-names.js";
import { MAX_KEY_BYTES, nameOfKey } from "../../core/names.js";
import type { Context } from "../../runtime/base/context.js";
import { type Adoption, FencedChannel } from "../../runtime/fenced/fenced-channel.js";
import type { Lease } from "../../runtime/hold/lease.js";
import { STAYS, showAs } from "../../shown.js";
import { contentOf, valueIn } from "./fenced-content.js";

/** Options of {@link Lock.fencedObject}. */
export interface FencedObjectOptions {
  /**
   * The key of the object: any but one under the mutex's `keyPrefix`, `semaphorePrefix` or `oncePrefix`. Where one of these is
   * empty, any but one that has the form of a lock's key (letters, digits, `-`, `_`, `/` and escapes, then `.json`).
   */
  readonly key: string;
  /**
   * Its bucket, reached through the same client. `verify` asks only in the mutex's own whether conditions hold: run `s3-mutex doctor` on another
   * one, since where its store ignores them, an older holder overwrites what a newer one wrote. @default the mutex's
   */
  readonly bucket?: string | undefined;
  /** Take over an object that was written by other means, as the JSON or the text that it holds. @default refuse it */
  readonly adopt?: "json" | "text" | undefined;
}

/** What may be written. */
const CONTENTS = "use text, bytes (Uint8Array) or a JSON value; to remove the content, delete()";

const FENCED_OBJECT_OPTIONS: OptionNames<FencedObjectOptions> = { key: true, bucket: true, adopt: true };

/**
 * An object in S3 that a holder of an older token cannot change, whatever any clock says: the token is in the object, and every
 * write is conditional. The content is text, bytes (`Uint8Array`) or a JSON value, 8 MiB at most.
 *
 * Every method throws `fenced-out` when a newer holder of the lock has opened the object, and nothing was changed then, unless
 * the error's `maybeApplied` says that a write without an answer may have been made before.
 */
export interface FencedObject<Content = unknown> {
  readonly bucket: string;
  readonly key: string;
  /** Reads the content as it is now; undefined where there is none. */
  read(): Promise<Content | undefined>;
  /** Replaces the content. */
  write(content: Content): Promise<void>;
  /**
   * Replaces the content by what `fn` makes of it. `fn` is called once, its result is written once or not at all, and its error
   * comes out unchanged.
   * @returns the new content
   */
  update(fn: (content: Content | undefined) => Content | Promise<Content>): Promise<Content>;
  /** Removes the content. The object stays, and with it the token. @returns whether there was any */
  delete(): Promise<boolean>;
}

/** A fenced object that is being opened: to be awaited, or used at once. */
export type OpeningFencedObject<Content = unknown> = Promise<FencedObject<Content>> & FencedObject<Content>;

/** The hold that an object is used under. */
export interface Hold {
  readonly lockName: string;
  readonly lockKey: string;
  readonly lease: Lease;
  /** Throws when the handle was released. */
  readonly assertUsable: () => void;
}

/** Where the mutex keeps what is its own. */
interface OwnPlaces {
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly oncePrefix: string;
  readonly semaphorePrefix: string;
}

/** Opens fenced objects for the holds of one mutex. */
export class FencedObjects {
  readonly #context: Context;
  readonly #places: OwnPlaces;
  /** One channel for each token and object, so that no other channel writes with that token. */
  readonly #channels = new WeakMap<Lease, Map<string, FencedChannel>>();

  constructor(context: Context, places: OwnPlaces) {
    this.#context = context;
    this.#places = places;
  }

  open<Content>(hold: Hold, options: FencedObjectOptions): OpeningFencedObject<Content> {
    const { bucket = this.#places.bucketName, key } = options ?? {};
    const opening = this.#open<Content>(hold, options);
    // A caller that uses it without waiting for it is told by what it uses.
    opening.catch(() => {});
    return Object.assign(opening, {
      bucket,
      key,
      read: () => opening.then((object) => object.read()),
      write: (content: Content) => opening.then((object) => object.write(content)),
      update: (fn: Parameters<FencedObject<Content>["update"]>[0]) => opening.then((object) => object.update(fn)),
      delete: () => opening.then((object) => object.delete()),
    });
  }

  async #open<Content>(hold: Hold, options: FencedObjectOptions): Promise<FencedObject<Content>> {
    const { bucket, key, adopt } = checked(options, this.#places, hold.lockName);
    if (hold.lease.holder.mode !== "exclusive") {
      const remedy = 'take it with mode "exclusive": holders of shared locks would fence each other out';
      throw invalidArgument("the lock's mode", hold.lease.holder.mode, remedy);
    }
    hold.assertUsable();
    const channel = this.#channel(hold, bucket, key);
    await channel.open(adopt);
    return new HeldFencedObject<Content>(hold, { bucket, key, adopt }, channel);
  }

  #channel({ lockName, lockKey, lease }: Hold, bucketName: string, key: string): FencedChannel {
    const channels = this.#channels.get(lease) ?? new Map<string, FencedChannel>();
    this.#channels.set(lease, channels);
    const address = `s3://${bucketName}/${key}`;
    const known = channels.get(address);
    if (known !== undefined) return known;
    const { token, leaseMs } = lease.holder;
    const lock = `s3://${this.#places.bucketName}/${lockKey}`;
    const patienceMs = () => lease.remainingMs;
    const created = new FencedChannel(this.#context, { lock, token, lockName, bucketName, key, leaseMs, patienceMs });
    channels.set(address, created);
    return created;
  }
}

function checked(options: FencedObjectOptions, places: OwnPlaces, lockName: string) {
  const {
    key,
    bucket = places.bucketName,
    adopt,
  } = checkOptions("options", options, FENCED_OBJECT_OPTIONS, "required");
  checkKeyText("key", checkNonEmptyString("key", key));
  // That of the locks was checked with them: where they are in a store of the caller's own, it need not be a name that S3 has.
  if (bucket !== places.bucketName) checkBucketName("bucket", bucket);
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) throw invalidArgument("key", key, `it has ${bytes} bytes, and S3 allows ${MAX_KEY_BYTES}`);
  // Under the lock of a result, that result is what `runOnce` itself opens.
  const isOwn = lockName === `once/${nameOfKey(places.oncePrefix, key)}`;
  const taken = bucket === places.bucketName && !isOwn ? whyTaken(key, places) : undefined;
  if (taken !== undefined) throw invalidArgument("key", key, `${taken}; use another`);
  if (adopt !== undefined && adopt !== "json" && adopt !== "text") {
    throw invalidArgument("adopt", adopt, 'use "json" or "text", or leave it out');
  }
  return { key, bucket, adopt };
}

/** Says why a key is taken: an object of ours that became a fenced object would be a lock that cannot be had, or a result that is lost. */
function whyTaken(key: string, { keyPrefix, oncePrefix, semaphorePrefix }: OwnPlaces): string | undefined {
  const ours = { locks: keyPrefix, semaphores: semaphorePrefix, "results of once": oncePrefix };
  for (const [whose, prefix] of Object.entries(ours)) {
    if (prefix !== "" && key.startsWith(prefix)) {
      return `keys that start with ${JSON.stringify(prefix)} are those of ${whose}`;
    }
    // Without a prefix only the form of a key says whose it may be.
    if (prefix === "" && (nameOfKey("", key) !== undefined || key.startsWith(EXAMINED))) {
      return `without a prefix, it may be one of those of ${whose}`;
    }
  }
  return undefined;
}

/** Where stores are examined. */
const EXAMINED = ".s3-mutex/";

class HeldFencedObject<Content> implements FencedObject<Content> {
  static {
    showAs<HeldFencedObject<unknown>>(HeldFencedObject, "FencedObject", ({ bucket, key }) => ({ bucket, key }));
  }

  readonly bucket: string;
  readonly key: string;
  readonly #hold: Hold;
  readonly #adopt: Adoption;
  readonly #channel: FencedChannel;
  readonly cannotBeCloned = STAYS.fencedObject;

  constructor(hold: Hold, object: { bucket: string; key: string; adopt: Adoption }, channel: FencedChannel) {
    this.bucket = object.bucket;
    this.key = object.key;
    this.#hold = hold;
    this.#adopt = object.adopt;
    this.#channel = channel;
  }

  async read(): Promise<Content | undefined> {
    this.#hold.assertUsable();
    return valueIn(await this.#channel.read(this.#adopt)) as Content | undefined;
  }

  async write(content: Content): Promise<void> {
    this.#hold.assertUsable();
    const stored = contentOf("content", content, CONTENTS);
    await this.#channel.change(this.#adopt, () => stored);
  }

  async update(fn: (content: Content | undefined) => Content | Promise<Content>): Promise<Content> {
    if (typeof fn !== "function")
      throw invalidArgument("fn", fn, "pass a function from the content to the new content");
    this.#hold.assertUsable();
    let stored = {};
    await this.#channel.change(this.#adopt, async (content) => {
      stored = contentOf("what fn returned", await fn(valueIn(content) as Content | undefined), CONTENTS);
      // The handle may have been released while `fn` ran.
      this.#hold.assertUsable();
      return stored;
    });
    return valueIn(stored) as Content;
  }

  async delete(): Promise<boolean> {
    this.#hold.assertUsable();
    let hadContent = false;
    await this.#channel.change(this.#adopt, (content) => {
      hadContent = "content" in content || content.base64 !== undefined;
      return {};
    });
    return hadContent;
  }
}
