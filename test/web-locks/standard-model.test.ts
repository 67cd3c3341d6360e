import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { createLockManager, type LockManager } from "../../src/web-locks/index.js";

/** Random requests of one client, step by step, beside the algorithm of the standard in a few lines. */

type Mode = "exclusive" | "shared";
interface Asked {
  readonly id: number;
  readonly mode: Mode;
}

/** The standard: a request is granted when it is the first in its queue and fits the holders. */
class Model {
  held: Asked[] = [];
  queue: Asked[] = [];

  request(asked: Asked, kind: "wait" | "ifAvailable" | "steal"): "refused" | undefined {
    if (kind === "steal") {
      this.held = [asked];
      return undefined;
    }
    const fits = this.queue.length === 0 && this.#fits(asked);
    if (kind === "ifAvailable" && !fits) return "refused";
    this.queue.push(asked);
    this.#grant();
    return undefined;
  }

  end(id: number): void {
    this.held = this.held.filter((asked) => asked.id !== id);
    this.queue = this.queue.filter((asked) => asked.id !== id);
    this.#grant();
  }

  #grant(): void {
    for (let first = this.queue[0]; first !== undefined && this.#fits(first); first = this.queue[0]) {
      this.queue.shift();
      this.held.push(first);
    }
  }

  #fits(asked: Asked): boolean {
    return this.held.length === 0 || [...this.held, asked].every(({ mode }) => mode === "shared");
  }
}

type Step =
  | { readonly kind: "wait" | "ifAvailable" | "steal"; readonly name: string; readonly mode: Mode }
  | { readonly kind: "release" | "abort"; readonly name: string; readonly pick: number };

const name = fc.constantFrom("a", "b");
const asking: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom("wait" as const, "wait" as const, "wait" as const, "ifAvailable" as const, "steal" as const),
    name,
    mode: fc.constantFrom<Mode>("exclusive", "shared", "shared"),
  })
  .map((step) => (step.kind === "steal" ? { ...step, mode: "exclusive" } : step));
const ending: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("release" as const, "release" as const, "abort" as const),
  name,
  pick: fc.nat(9),
});

/** One run of steps against a manager, in a world of names of its own. */
class Run {
  readonly #locks: LockManager;
  readonly #prefix: string;
  readonly #models = new Map<string, Model>();
  readonly #running = new Map<number, { release: () => void; stop: AbortController; over: Promise<unknown> }>();
  /** Who was called back, and with null. */
  readonly #called = new Set<number>();
  readonly #refused = new Set<number>();
  #ids = 0;

  constructor(locks: LockManager, prefix: string) {
    this.#locks = locks;
    this.#prefix = prefix;
  }

  async play(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) {
        const refused = "pick" in step ? await this.#end(step) : this.#ask(step);
        await this.#compare(JSON.stringify(step));
        if (refused !== undefined) expect(this.#refused).toContain(refused);
      }
    } finally {
      for (const { release, stop } of this.#running.values()) {
        release();
        stop.abort();
      }
      await Promise.all([...this.#running.values()].map(({ over }) => over));
    }
  }

  #modelOf(lockName: string): Model {
    const model = this.#models.get(lockName) ?? new Model();
    this.#models.set(lockName, model);
    return model;
  }

  #ask({ kind, name: short, mode }: Extract<Step, { mode: Mode }>): number | undefined {
    this.#ids += 1;
    const id = this.#ids;
    const stop = new AbortController();
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const options = {
      wait: { mode, signal: stop.signal },
      ifAvailable: { mode, ifAvailable: true },
      steal: { steal: true },
    }[kind];
    const over = this.#locks
      .request(this.#prefix + short, options, (lock) => {
        if (lock === null) this.#refused.add(id);
        else this.#called.add(id);
        return lock === null ? undefined : until;
      })
      .catch(() => {});
    this.#running.set(id, { release, stop, over });
    return this.#modelOf(short).request({ id, mode }, kind) === "refused" ? id : undefined;
  }

  async #end({ kind, name: short, pick }: Extract<Step, { pick: number }>): Promise<undefined> {
    const model = this.#modelOf(short);
    const among = kind === "release" ? model.held : model.queue;
    const chosen = among[pick % Math.max(among.length, 1)];
    if (chosen === undefined) return undefined;
    const running = this.#running.get(chosen.id);
    if (kind === "release") running?.release();
    else running?.stop.abort();
    await running?.over;
    model.end(chosen.id);
    return undefined;
  }

  async #compare(step: string): Promise<void> {
    const { held, pending } = await this.#locks.query();
    for (const [short, model] of this.#models) {
      const modesIn = (infos: typeof held) =>
        infos.filter((info) => info.name === this.#prefix + short).map(({ mode }) => mode);
      expect(modesIn(held).toSorted(), `held ${short} after ${step}`).toEqual(
        model.held.map(({ mode }) => mode).toSorted(),
      );
      expect(modesIn(pending), `pending ${short} after ${step}`).toEqual(model.queue.map(({ mode }) => mode));
      for (const { id } of model.held) expect(this.#called, `${id} after ${step}`).toContain(id);
      for (const { id } of model.queue) expect(this.#called, `${id} after ${step}`).not.toContain(id);
    }
  }
}

let server: S3Server;
let locks: LockManager;
beforeAll(async () => {
  server = await startS3Server({ buckets: ["web-locks"] });
  // Reading is quicker than being granted: a request that does not wait for what is under way is seen not to.
  server.setLatency(({ operation }) => (operation === "PutObject" ? 25 : 0));
  locks = createLockManager({ s3ClientConfig: server.clientConfig(), bucketName: "web-locks" });
});
afterAll(async () => {
  await locks.close();
  await server.close();
});

test("after every step, who holds and who waits is what the standard says", { timeout: 120_000 }, async () => {
  let runs = 0;
  const property = fc.asyncProperty(
    fc.array(fc.oneof({ arbitrary: asking, weight: 3 }, { arbitrary: ending, weight: 2 }), {
      minLength: 3,
      maxLength: 14,
    }),
    async (steps) => {
      runs += 1;
      await new Run(locks, `run-${runs}-`).play(steps);
      // Old records would only make the listings of later runs longer.
      for (const { key } of server.objects("web-locks")) server.deleteObject("web-locks", key);
    },
  );
  await fc.assert(property, { numRuns: 15, seed: 1, endOnFailure: true });
});
