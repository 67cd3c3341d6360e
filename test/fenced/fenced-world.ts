import { S3Mutex } from "../../src/s3-mutex.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { type ClockFaults, SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import { SimBucket } from "../../src/testing/virtual/store.js";
import { World } from "../../src/testing/virtual/world.js";

export const KEY = "ledger";
export const LOCK = "ledger";
export const LEASE_MS = 2000;

/** A world with one bucket, and the real library in as many processes as a test wants. */
export class FencedWorld {
  readonly world: World;
  readonly bucket: SimBucket;
  /** What happens to requests for the fenced object; those for the lock are fine unless it says otherwise. */
  fate: (operation: string, key: string, process: SimProcess) => Fate = () => ({ kind: "fine" });
  readonly sent: { readonly operation: string; readonly key: string }[] = [];

  constructor(seed: number) {
    this.world = new World(seed);
    const random = this.world.random.fork();
    this.bucket = new SimBucket(this.world, {
      roundTripMs: () => random.between(5, 60),
      fate: (operation, key, process) => {
        this.sent.push({ operation, key });
        return this.fate(operation, key, process);
      },
    });
  }

  process(name: string, clocks: Partial<ClockFaults> = {}): SimProcess {
    return new SimProcess(this.world, name, { wallOffsetMs: 0, drift: 0, ...clocks });
  }

  mutex(process: SimProcess): S3Mutex {
    const required = { s3Client: { send() {} } as never, bucketName: "bucket", verify: "never" } as const;
    return new S3Mutex(
      { ...required, lockTimeoutMs: LEASE_MS },
      { store: this.bucket.storeFor(process), effects: process.effects },
    );
  }

  until<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.until(promise, limitMs);
  }

  pause(process: SimProcess, ms: number): Promise<void> {
    return new Promise((resolve) => process.effects.setTimer(ms, resolve, { keepAlive: true }));
  }
}

/** Draws one of all the things that can go wrong on the way to a store and back. */
export function drawnFate(random: Random, operation: string): Fate {
  const fates: Fate[] = [
    { kind: "lost" },
    { kind: "answer-lost" },
    { kind: "late", byMs: random.between(10, 6000) },
    { kind: "twice" },
    { kind: "error", status: 500, applied: true },
    { kind: "error", status: 500, applied: false },
    { kind: "error", status: 503, applied: false },
  ];
  if (operation === "write") fates.push({ kind: "error", status: 409, applied: random.chance(0.5) });
  return random.pick(fates);
}

interface Version {
  readonly token: number;
  readonly entries: readonly string[] | undefined;
}

/**
 * Every version of the fenced object as it landed, read without the library's own code. Changes append their own name to a list,
 * or begin it anew; so a lost update, one that is made twice and one by a zombie can all be seen.
 */
export class Chain {
  readonly problems: string[] = [];
  readonly #versions: Version[] = [];
  readonly #made = new Map<string, number>();
  #stamps = 0;

  /** Judges a version that landed. To be called from `SimBucket.onChange`. */
  landed(key: string, body: string | undefined): void {
    if (key !== KEY) return;
    const { token, content } = JSON.parse(body ?? "{}") as { token: number; content?: readonly string[] };
    const before = this.#versions.at(-1) ?? { token: 0, entries: undefined };
    const version = { token, entries: content };
    this.#versions.push(version);
    if (!(token >= before.token)) this.problems.push(`token ${token} after ${before.token}`);
    const change = changeBetween(before.entries, content);
    if (change === "none") this.#stamps += 1;
    else if (change === "lost") this.problems.push(`${content} after ${before.entries}: an update was lost`);
    else if (change !== "deleted") this.#made.set(change, (this.#made.get(change) ?? 0) + 1);
  }

  get length(): number {
    return this.#versions.length;
  }

  get stamps(): number {
    return this.#stamps;
  }

  /** Counts how often a change was made. */
  made(name: string): number {
    return this.#made.get(name) ?? 0;
  }

  /** Says whether this was the content at some time since that many versions. */
  contained(entries: readonly string[] | undefined, sinceLength: number): boolean {
    const since = this.#versions.slice(Math.max(0, sinceLength - 1));
    const contents =
      sinceLength === 0
        ? [undefined, ...since.map((version) => version.entries)]
        : since.map((version) => version.entries);
    return contents.some((content) => JSON.stringify(content) === JSON.stringify(entries));
  }
}

/** Names the change that leads from one content to the next. */
function changeBetween(before: readonly string[] | undefined, after: readonly string[] | undefined): string {
  if (JSON.stringify(before) === JSON.stringify(after)) return "none";
  if (after === undefined) return "deleted";
  const last = after.at(-1) ?? "";
  const isAppended = JSON.stringify([...(before ?? []), last]) === JSON.stringify(after);
  return isAppended || (after.length === 1 && last.startsWith("write")) ? last : "lost";
}
