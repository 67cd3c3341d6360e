import type {
  AnswerTiming,
  ListOutcome,
  ObjectStore,
  ReadOutcome,
  RemoveOutcome,
  RequestOptions,
  WriteCondition,
  WriteOutcome,
} from "../../store/object-store.js";
import { type Answer, type Fate, outcomeOf, unknown } from "./fate.js";
import type { SimProcess } from "./process.js";
import type { Timeline } from "./timeline.js";

export type Operation = "read" | "write" | "remove" | "list";

/** An answer of the store, when it is heard; true times. */
export interface Heard<Step extends string = string> {
  readonly process: SimProcess;
  readonly step: Step;
  readonly sentAtMs: number;
  readonly writtenAtMs: number;
  /** By how much the clock of the front end that has written it is off. */
  readonly offsetMs: number;
  /** The store says what it has done; an error may come from something on the way, with any clock. */
  readonly isStores: boolean;
}

/** What an answer says about the time. */
export type Told = Pick<AnswerTiming, "dateMs" | "aged">;

/** Whole seconds, as the `Date` header has them. */
export const dateOf = (atMs: number) => Math.floor(atMs / 1000) * 1000;

/** How the bucket of a world behaves; a step is what an observer calls a request. */
export interface SimStoreOptions<Step extends string = string> {
  readonly roundTripMs: () => number;
  /** Which step a request is, where its sender does not say so by itself; the operation, where nothing is given. */
  readonly stepOf?: (operation: Operation, body: string | undefined) => Step;
  readonly fate?: (
    operation: Operation,
    key: string,
    process: SimProcess,
    body: string | undefined,
    step: Step,
  ) => Fate;
  /** How far the front end's clock that answers this request is off, in milliseconds. */
  readonly dateOffsetMs?: () => number;
  /** Whether reads may come out of a cache. */
  readonly isCached?: boolean;
  /** Whether conditional deletes are honoured. */
  readonly removes?: boolean;
  readonly hasDate?: boolean;
  /** What an answer says about the time, where that is not simply its front end's; asked when it is heard. */
  readonly tell?: ((answer: Heard<Step>, fate: Fate) => Told) | undefined;
  /** Called for each request that the store sees. */
  readonly onRequest?: (operation: Operation, key: string, atMs: number) => void;
  /** Called for each request when its sender sends it. */
  readonly onSend?: (operation: Operation, process: SimProcess) => void;
  /** A body in a trace. */
  readonly describe?: (body: string) => string;
}

interface Stored {
  readonly body: string;
  readonly etag: string;
  /** By the store's own clock. */
  readonly lastModifiedMs: number;
}

/** The one bucket of a world: atomic, and as unkind on the way to it and back as the options say. */
export class SimBucket<Step extends string = string> {
  readonly world: Timeline;
  readonly options: SimStoreOptions<Step>;
  readonly objects = new Map<string, Stored>();
  /** Every version of every object, in the order in which they landed. */
  onChange: (key: string, body: string | undefined, by: Writer<Step> | undefined) => void = () => {};
  requests = 0;
  readonly #past = new Map<string, { readonly atMs: number; readonly stored: Stored | undefined }[]>();
  readonly #etags = new Map<string, string>();
  readonly #inFlight = new Map<SimProcess, Step[]>();

  constructor(world: Timeline, options: SimStoreOptions<Step>) {
    this.world = world;
    this.options = options;
  }

  /** Gives the store as one process reaches it. */
  storeFor(process: SimProcess, step?: Step): ObjectStore {
    return new SimStore(this, { process, step });
  }

  /** Lists what of a process is on its way to the store and back. */
  inFlight(process: SimProcess): Step[] {
    const steps = this.#inFlight.get(process) ?? [];
    this.#inFlight.set(process, steps);
    return steps;
  }

  put(key: string, body: string, by?: Writer<Step>): string {
    const etag = this.#etagOf(body);
    this.objects.set(key, { body, etag, lastModifiedMs: dateOf(this.world.nowMs) });
    this.#remember(key);
    this.world.trace(() => `    ${key} = ${(this.options.describe ?? String)(body)}`);
    this.onChange(key, body, by);
    return etag;
  }

  delete(key: string, by?: Writer<Step>): void {
    if (!this.objects.delete(key)) return;
    this.#remember(key);
    this.onChange(key, undefined, by);
  }

  /** Finds what was there so long ago. */
  past(key: string, byMs: number): Stored | undefined {
    const atMs = this.world.nowMs - byMs;
    return this.#past.get(key)?.findLast((version) => version.atMs <= atMs)?.stored;
  }

  #remember(key: string): void {
    if (!this.options.isCached) return;
    const versions = this.#past.get(key) ?? [];
    this.#past.set(key, versions);
    versions.push({ atMs: this.world.nowMs, stored: this.objects.get(key) });
  }

  /** Makes an ETag as a hash does: the same body has the same ETag, whichever client writes it and whenever. */
  #etagOf(body: string): string {
    const etag = this.#etags.get(body) ?? `"etag-${this.#etags.size + 1}"`;
    this.#etags.set(body, etag);
    return etag;
  }
}

/** Whose request changed an object. */
export interface Writer<Step extends string = string> {
  readonly process: SimProcess;
  readonly step: Step | undefined;
}

class SimStore<Step extends string> implements ObjectStore {
  readonly #bucket: SimBucket<Step>;
  readonly #by: Writer<Step>;

  constructor(bucket: SimBucket<Step>, by: Writer<Step>) {
    this.#bucket = bucket;
    this.#by = by;
  }

  async read(key: string, options: RequestOptions & { readonly ifNoneMatch?: string }): Promise<ReadOutcome> {
    return (await this.#request("read", key, options, (byMs) => {
      const stored = byMs === undefined ? this.#bucket.objects.get(key) : this.#bucket.past(key, byMs);
      if (stored === undefined) return { kind: "absent" };
      if (stored.etag === options.ifNoneMatch) return { kind: "unchanged" };
      return { kind: "ok", ...stored };
    })) as ReadOutcome;
  }

  async write(key: string, body: string, condition: WriteCondition, options: RequestOptions): Promise<WriteOutcome> {
    const apply = (): Answer => {
      const stored = this.#bucket.objects.get(key);
      if (condition.kind === "if-absent" && stored !== undefined) return { kind: "conflict" };
      if (condition.kind === "if-match" && stored === undefined) return { kind: "absent" };
      if (condition.kind === "if-match" && stored?.etag !== condition.etag) return { kind: "conflict" };
      return { kind: "ok", etag: this.#bucket.put(key, body, this.#by) };
    };
    return (await this.#request("write", key, options, apply, body)) as WriteOutcome;
  }

  async remove(key: string, etag: string, options: RequestOptions): Promise<RemoveOutcome> {
    if (this.#bucket.options.removes === false) return { kind: "unsupported" };
    return (await this.#request("remove", key, options, () => {
      const stored = this.#bucket.objects.get(key);
      if (stored === undefined) return { kind: "absent" };
      if (stored.etag !== etag) return { kind: "conflict" };
      this.#bucket.delete(key, this.#by);
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
    apply: (staleByMs?: number) => Answer,
    body?: string,
  ): Promise<unknown> {
    const { world, options } = this.#bucket;
    const { process } = this.#by;
    const step = this.#by.step ?? options.stepOf?.(operation, body) ?? (operation as string as Step);
    const sentAtMs = process.effects.monotonicMs();
    options.onSend?.(operation, process);
    const fate = options.fate?.(operation, key, process, body, step) ?? { kind: "fine" };
    const halfMs = options.roundTripMs() / 2;
    const end = takeOff(this.#bucket.inFlight(process), step);
    world.trace(() => `${process.name} sends ${step} ${key}${fate.kind === "fine" ? "" : `: ${JSON.stringify(fate)}`}`);
    return new Promise((resolve) => {
      let isAnswered = false;
      const settle = (outcome: object) => {
        isAnswered = true;
        end();
        resolve(outcome);
      };
      const leftAtMs = world.nowMs;
      const answer = (outcome: object, written: Pick<Heard, "writtenAtMs" | "offsetMs">) => {
        process.deliver(() => {
          if (isAnswered) return;
          cancelTimeout();
          const receivedAtMs = process.effects.monotonicMs();
          const isStores = (outcome as Answer).kind !== "unknown";
          const heard = { process, step, sentAtMs: leftAtMs, ...written, isStores };
          const told = fate.kind === "stale" ? { aged: true as const } : this.#tell(heard, fate);
          settle({ ...outcome, timing: { sentAtMs, receivedAtMs, ...told } satisfies AnswerTiming });
        });
      };
      const cancelTimeout = process.effects.setTimer(timeoutMs, () => settle(unknown("timed out", false)), {
        keepAlive: true,
      });
      const reach = () => {
        this.#bucket.requests += 1;
        options.onRequest?.(operation, key, world.nowMs);
        const written = { writtenAtMs: world.nowMs, offsetMs: options.dateOffsetMs?.() ?? 0 };
        const { outcome, isHeard } = outcomeOf(fate, apply);
        world.trace(() => `  ${step} of ${process.name} reaches ${key}: ${(outcome as Answer).kind ?? "nothing"}`);
        if (isHeard) world.after(halfMs + (fate.backMs ?? 0), () => answer(outcome, written));
        if (fate.kind === "copied") world.silentlyAfter(fate.afterMs, apply);
        if (fate.kind === "answered" && fate.landsAfterMs !== undefined) world.silentlyAfter(fate.landsAfterMs, apply);
      };
      const extraMs = fate.kind === "late" ? fate.byMs : (fate.thereMs ?? 0);
      if (fate.kind !== "lost") world.silentlyAfter(halfMs + extraMs, reach);
    });
  }

  /** Dates an answer that is not from a cache: one that is says itself how old it is, so that its time does not count. */
  #tell(answer: Heard<Step>, fate: Fate): Told {
    const { hasDate, tell } = this.#bucket.options;
    if (hasDate === false) return {};
    return tell?.(answer, fate) ?? { dateMs: dateOf(answer.writtenAtMs + answer.offsetMs) };
  }
}

/** Notes what a process has under way; the function returned, that it has come to an end. */
function takeOff(inFlight: string[], step: string): () => void {
  inFlight.push(step);
  return () => {
    const at = inFlight.indexOf(step);
    if (at !== -1) inFlight.splice(at, 1);
  };
}
