import { type Marker, markerKey, parseMarker, serializeMarker } from "../../core/marker.js";
import { isOriginal, proofOf, withProof } from "../../core/proof.js";
import type { StoreTime } from "../../core/store-time.js";
import {
  type ConflictOutcome,
  type EtagFormHint,
  isComparedAndRefused,
  type ObjectStore,
  type ReadOutcome,
  type RequestOptions,
  THROTTLE_PAUSE_MS,
  type Versioning,
  type WriteCondition,
  type WriteOutcome,
} from "../../store/object-store.js";
import type { Effects } from "../base/effects.js";
import { sleep } from "../base/timing.js";
import { isSameEtag } from "../swap/snapshot.js";
import { Aftermath, type Found } from "./aftermath.js";
import type { ConditionProbe } from "./condition-probe.js";
import type { WayHash } from "./way-hash.js";

/** What a check tells others, and when. */
export interface Told {
  /** When the store was checked. */
  readonly atMs: number;
  readonly versioning: Versioning;
  readonly now: StoreTime;
}

/** What there is to write into the marker, and what is known of it. */
export interface Marking {
  readonly probe: ConditionProbe;
  /** The body that the store has taken; undefined where the marker was there before. */
  readonly created: string | undefined;
  /** Gives undefined where it is not known when that was, or void by now: there is nothing that others could go by. */
  readonly told: () => Told | undefined;
  /** What was read shows nothing against the store: what follows is for others. */
  readonly looked: () => void;
}

export interface MarkerOptions {
  readonly store: ObjectStore;
  readonly effects: Effects;
  readonly keyPrefix: string;
  readonly etagForm?: EtagFormHint | undefined;
}

/** What came of the check's writes; `unknown`: nothing shows against the store, nor that there is nothing. */
export type Outlook = { readonly kind: "fine" | "unknown" } | { readonly kind: "ignored"; readonly seen: string };

/** The object of a prefix that the check tries conditions on, and that tells others of it. */
export class CheckMarker {
  readonly key: string;
  readonly #store: ObjectStore;
  readonly #effects: Effects;
  readonly #ways: WayHash;
  readonly #etagForm: EtagFormHint | undefined;

  constructor(options: MarkerOptions, ways: WayHash) {
    this.key = markerKey(options.keyPrefix);
    this.#store = options.store;
    this.#effects = options.effects;
    this.#ways = ways;
    this.#etagForm = options.etagForm;
  }

  parse({ body }: Found): Marker | undefined {
    return parseMarker(body);
  }

  /** Gives what the probe works with. */
  tools(keyPrefix: string) {
    const day = Math.floor(this.#effects.wallMs() / DAY_MS);
    return {
      key: this.key,
      spareKey: markerKey(keyPrefix, `-${day}`),
      newRaceKey: () => markerKey(keyPrefix, `-${day}-${this.#effects.newId()}`),
      newBody: this.#newBody,
    };
  }

  /** Makes a marker that says nothing yet. */
  readonly #newBody = () => serializeMarker({ writeId: this.#effects.newId(), touchedAtMs: 0, proofs: [] });

  /** Says whether a check has left there that races are lost. */
  isDoubted(found: ReadOutcome): boolean {
    return found.kind === "ok" && parseMarker(found.body)?.lostRaces === true;
  }

  /** Leaves there that races are lost, as far as that can be written: what is there already says nothing of that to those that come later. */
  async doubt(options: RequestOptions): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const found = await this.#store.read(this.key, options);
      const isAnswered = found.kind !== "unknown";
      if (isAnswered && (found.kind !== "ok" || this.isDoubted(found))) return;
      const body = { writeId: this.#effects.newId(), touchedAtMs: 0, proofs: [], lostRaces: true } as const;
      if (isAnswered) await this.#replaceOnce(serializeMarker(body), found.etag, options);
      else await sleep(this.#effects, PAUSE_MS, { keepAlive: true });
    }
  }

  /** Looks at what came of the writes of a check, and tells others of it where nothing shows against the store. */
  async write({ probe, created, told, looked }: Marking, options: RequestOptions): Promise<Outlook> {
    const aftermath = new Aftermath(this.#store, probe.key, this.#newBody);
    const found = await aftermath.read(created, options);
    // A cache says so itself: its answer is not the store's, and such answers do not count.
    if (found.timing?.aged) return UNKNOWN;
    if (found.kind === "absent" && created !== undefined) {
      return (await aftermath.isStillThere(created, options)) ? ignored(READS_STALE) : UNKNOWN;
    }
    if (found.kind !== "ok") return UNKNOWN;
    if (this.isDoubted(found) && !probe.hasRaced) return ignored(LOSES_RACES);
    const tried = this.#triedOver(found, probe);
    const isDone = tried !== undefined && (await aftermath.isDoneThoughRefused(found, tried, options));
    if (isDone !== false) return isDone === true ? ignored(DOES_REFUSED) : UNKNOWN;
    looked();
    const inTurn = await probe.askInTurn(options);
    if (inTurn.kind === "ignored") return inTurn;
    if (inTurn.kind !== "honoured") return UNKNOWN;
    const body = probe.key === this.key ? await this.#bodyAfter(found, told()) : undefined;
    const seen = body && (await this.#replace(body, found, options));
    // The write that showed it tells others that the store is safe: that is taken back.
    if (seen === ONE_ETAG) await this.#replace(this.#newBody, found, options);
    return seen === undefined ? { kind: "fine" } : ignored(seen);
  }

  /** Gives what makes the body that tells others; undefined where there is nothing to tell them. */
  async #bodyAfter(found: Found, told: Told | undefined): Promise<(() => string) | undefined> {
    if (told === undefined) return this.isDoubted(found) ? this.#newBody : undefined;
    const before = this.#original(found);
    const { atMs, versioning, now } = told;
    const own = { way: await this.#ways.of(this.key), atMs, versions: versioning };
    const written = { writeId: this.#effects.newId(), touchedAtMs: now.latestMs };
    // In which form the store wants ETags may turn out by this very write.
    return () => serializeMarker({ ...written, proofs: withProof(before?.proofs, proofOf(own, this.#etagForm), now) });
  }

  /** Reads what others have told; undefined where it was copied here, or restored: it is not carried along. */
  #original({ body, lastModifiedMs }: Found): Marker | undefined {
    const said = parseMarker(body);
    return said !== undefined && isOriginal({ lastModifiedMs, touchedAtMs: said.touchedAtMs }) ? said : undefined;
  }

  /**
   * Gives the condition to try once more where a refused write seems to have been done: its body is there, or what is there is neither
   * what was before nor tells of a check, as only the refused write of another client does (or a bucket that was emptied).
   */
  #triedOver({ body }: Found, { refused, standing }: ConditionProbe): WriteCondition | undefined {
    const isOdd = standing !== undefined && body !== standing && this.#saysNothing(body);
    return refused.get(body) ?? (isOdd ? [...refused.values()].at(-1) : undefined);
  }

  #saysNothing(body: string): boolean {
    return parseMarker(body)?.proofs.length === 0;
  }

  /**
   * Says what shows against the store by what has taken the place of what was to be replaced: the write that was refused, where trying that once
   * more takes the proof away; or the word of a check that has seen more.
   */
  async #replacedBy(found: Found, text: string, etag: string, options: RequestOptions): Promise<string | undefined> {
    if (this.isDoubted(found)) return LOSES_RACES;
    const isOdd = found.body === text || this.#saysNothing(found.body);
    const aftermath = new Aftermath(this.#store, this.key, this.#newBody);
    const isDone = isOdd && (await aftermath.isDoneThoughRefused(found, { kind: "if-match", etag }, options));
    return isDone === true ? DOES_REFUSED : undefined;
  }

  #replaceOnce(text: string, etag: string, options: RequestOptions): Promise<WriteOutcome> {
    return this.#store.write(this.key, text, { kind: "if-match", etag }, options);
  }

  async #replace(body: () => string, before: Found, options: RequestOptions): Promise<string | undefined> {
    let { etag } = before;
    for (let tries = 1; ; tries += 1) {
      const text = body();
      const written = await this.#replaceOnce(text, etag, options);
      const isThrottled = written.kind === "unknown" && written.throttled && tries < TRIES;
      if (isThrottled) {
        await sleep(this.#effects, THROTTLE_PAUSE_MS, { keepAlive: false });
        continue;
      }
      if (written.kind === "ok" && isSameEtag(written.etag, etag)) return ONE_ETAG;
      if (written.kind !== "conflict") return undefined;
      // The read also finds out whether this store wants the ETag in another form.
      const found = await this.#store.read(this.key, options);
      if (isUnsafe(found)) return REFUSES_RIGHT;
      // What another client has replaced is what a cache goes on to show.
      if (found.kind !== "ok" || found.timing.aged) return undefined;
      // No two bodies of it are the same. An ETag may be another one in each answer.
      if (found.body !== before.body) return await this.#replacedBy(found, text, etag, options);
      if (tries === TRIES) return refusedAs(written, found.etag, etag);
      ({ etag } = found);
      // A store may refuse all writes for a while (409, as while it is busy with one): that says nothing about conditions.
      await sleep(this.#effects, PAUSE_MS * 4 ** (tries - 1), { keepAlive: false });
    }
  }
}

function isUnsafe(found: ReadOutcome): boolean {
  return found.kind === "refused" && found.error.code === "store-unsafe";
}

/** Says what refusals without an end show: nothing where the store says only that it is busy with the key. */
function refusedAs(refusal: ConflictOutcome, shown: string, sent: string): string | undefined {
  if (!isComparedAndRefused(refusal)) return undefined;
  return isSameEtag(shown, sent) ? REFUSES_RIGHT : SHOWS_WRONG;
}

function ignored(seen: string): Outlook {
  return { kind: "ignored", seen };
}

const UNKNOWN: Outlook = { kind: "unknown" };

const DAY_MS = 24 * 60 * 60 * 1000;
/** With the pauses between them, 0.1, 0.4 and 1.6 s, more than the two seconds for which a store may be busy with a key. */
const TRIES = 4;
/** After the first refusal: a few round trips. Each pause is four times as long as the one before. */
const PAUSE_MS = 100;

/** Also seen of the record of a lock. */
export const ONE_ETAG = "two versions of an object have the same ETag, so that If-Match holds for each of them";
const READS_STALE = "a read does not show what was written before it";
const LOSES_RACES = "another client has just seen that two PUTs with If-None-Match: * of one key both succeeded";
const DOES_REFUSED = "a PUT that was answered as refused was done all the same";
const REFUSES_RIGHT = "PUT with If-Match and the object's own ETag is refused";
const SHOWS_WRONG = "each read shows another ETag of the same object, and PUT with If-Match and any of them is refused";
