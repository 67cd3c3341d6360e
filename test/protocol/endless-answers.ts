import { S3MutexError } from "../../src/errors.js";
import type {
  AnswerTiming,
  ListOutcome,
  ObjectStore,
  ReadOutcome,
  RemoveOutcome,
  RequestOptions,
  WriteOutcome,
} from "../../src/store/object-store.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import type { Scene } from "../../testkit/scene.js";

/** What a request meets. */
export type Answer =
  | "truth"
  | "conflict"
  | "absent"
  | "unchanged"
  | "stale"
  | "other version"
  | "weak ETag"
  | "error"
  | "throttled"
  | "silence"
  | "never sent";

const ANSWERS: readonly Answer[] = [
  "truth",
  "conflict",
  "absent",
  "unchanged",
  "stale",
  "other version",
  "weak ETag",
  "error",
  "throttled",
  "silence",
  "never sent",
];

/** Draws a few answers that come again and again, as long as a client asks: one way in which a store, or what is before it, is broken. */
export function drawAnswers(random: Random): () => Answer {
  const kinds = Array.from({ length: random.integer(1, 3) }, () => random.pick(ANSWERS));
  return () => random.pick(kinds);
}

/** A store that gives such answers once it is told to, and never says no for good. */
export class EndlessStore implements ObjectStore {
  readonly #scene: Scene;
  readonly #process: SimProcess;
  readonly #store: ObjectStore;
  readonly #seen = new Map<string, { readonly etag: string; readonly body: string }>();
  #versions = 0;
  next: (() => Answer) | undefined;
  requests = 0;

  constructor(scene: Scene, process: SimProcess, store: ObjectStore) {
    this.#scene = scene;
    this.#process = process;
    this.#store = store;
  }

  async read(key: string, options: RequestOptions & { readonly ifNoneMatch?: string }): Promise<ReadOutcome> {
    const [answer, timing] = await this.#answer(options);
    if (timing === undefined) return this.#nothing(answer);
    const { body, etag } = this.#seen.get(key) ?? { body: undefined, etag: "" };
    if (answer === "unchanged") return { kind: "unchanged", timing };
    if (answer === "absent" || (answer !== "truth" && body === undefined)) return { kind: "absent", timing };
    if (answer === "stale") return { kind: "ok", etag, body: body as string, timing };
    if (answer === "other version") return { kind: "ok", etag: this.#newEtag(), body: body as string, timing };
    const outcome = await this.#store.read(key, options);
    if (outcome.kind !== "ok") return outcome;
    if (this.next === undefined) this.#seen.set(key, outcome);
    return answer === "weak ETag" ? { ...outcome, etag: `W/${outcome.etag}` } : outcome;
  }

  async write(...args: Parameters<ObjectStore["write"]>): Promise<WriteOutcome> {
    const [answer, timing] = await this.#answer(args[3]);
    if (timing === undefined) return this.#nothing(answer);
    if (answer === "conflict" || answer === "stale" || answer === "other version") return { kind: "conflict", timing };
    if (answer === "absent" && args[2].kind === "if-match") return { kind: "absent", timing };
    return this.#store.write(...args);
  }

  async remove(...args: Parameters<ObjectStore["remove"]>): Promise<RemoveOutcome> {
    const [answer, timing] = await this.#answer(args[2]);
    if (timing === undefined) return this.#nothing(answer);
    if (answer === "conflict" || answer === "stale" || answer === "other version") return { kind: "conflict", timing };
    if (answer === "absent") return { kind: "absent", timing };
    return this.#store.remove(...args);
  }

  async list(...args: Parameters<ObjectStore["list"]>): Promise<ListOutcome> {
    const [answer, timing] = await this.#answer(args[1]);
    if (timing === undefined) return this.#nothing(answer);
    const page = await this.#store.list(...args);
    return answer === "stale" && page.kind === "ok" ? { ...page, continuation: "again" } : page;
  }

  /** Gives the next answer, after a round trip; without timing there was none. */
  async #answer({ timeoutMs }: RequestOptions): Promise<[Answer, AnswerTiming | undefined]> {
    this.requests += 1;
    const answer = this.next?.() ?? "truth";
    const sentAtMs = this.#process.effects.monotonicMs();
    if (answer === "never sent") await new Promise(() => {});
    await this.#pause(answer === "silence" ? timeoutMs : 20);
    if (answer === "silence" || answer === "error" || answer === "throttled") return [answer, undefined];
    const dateMs = Math.floor(this.#scene.nowMs / 1000) * 1000;
    return [answer, { sentAtMs, receivedAtMs: this.#process.effects.monotonicMs(), dateMs }];
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#process.effects.setTimer(ms, resolve, { keepAlive: true }));
  }

  #nothing(answer: Answer) {
    const error = new S3MutexError("store-unavailable", answer);
    return { kind: "unknown", error, throttled: answer === "throttled", sent: true } as const;
  }

  #newEtag(): string {
    this.#versions += 1;
    return `"other-${this.#versions}"`;
  }
}
