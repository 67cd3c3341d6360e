import { describe, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import type { ObjectStore, WriteOutcome } from "../../src/store/object-store.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { FINE, KEY, NAME, Scene, type Sent } from "../../testkit/scene.js";

/** What a check has seen of a store when it hands out a first grant is not all: others are told when it has seen the rest. */

const MARKER = "locks/.s3-mutex/checked.json";
/** What a check leaves that was not ended: it proves nothing. */
const NOTHING = JSON.stringify({ writeId: "w", touchedAtMs: 0, proofs: [] });

type Writing = (store: ObjectStore, ...args: Parameters<ObjectStore["write"]>) => Promise<WriteOutcome>;

function processIn(scene: Scene, write: Writing = (store, ...args) => store.write(...args)) {
  const through = (store: ObjectStore): ObjectStore => ({
    read: (...args) => store.read(...args),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
    write: (...args) => write(store, ...args),
  });
  const { mutex, process } = scene.client({ verify: "auto", through });
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  const use = (name = NAME) =>
    mutex
      .withLock(name, () => {}, { timeoutMs: 5000 })
      .then(
        () => "done",
        ({ code }) => code,
      );
  return { mutex, process, events, use };
}

const bodyOf = (scene: Scene, key: string) => scene.bucket.objects.get(key)?.body ?? "";

describe("a store that the check refuses after a first grant", () => {
  /** Does what it refuses. */
  const doing = (scene: Scene): Writing => {
    return async (store, key, body, ...rest) => {
      const outcome = await store.write(key, body, ...rest);
      if (outcome.kind === "conflict") scene.bucket.put(key, body);
      return outcome;
    };
  };

  it("lets no later process in by the word of the record that was written meanwhile", async () => {
    for (const marker of [undefined, NOTHING]) {
      const scene = new Scene();
      if (marker !== undefined) scene.bucket.put(MARKER, marker);
      const first = processIn(scene, doing(scene));
      await scene.until(first.use());
      await scene.pass(5000);
      expect(await scene.until(first.use())).toBe("store-unsafe");
      const later = processIn(scene, doing(scene));
      await scene.until(later.use());
      await scene.pass(5000);
      expect(await scene.until(later.use("another"))).toBe("store-unsafe");
      for (const { events } of [first, later]) expect(events.map(({ by }) => by)).not.toContain("record");
    }
  });

  it("is told to none where what the check has written cannot be read back", async () => {
    const isReadBack = ({ key, operation, index }: Sent) => key === MARKER && operation === "read" && index > 2;
    const fates: Fate[] = [{ kind: "lost" }, { kind: "error", status: 503, applied: false }];
    for (const fate of fates) {
      const scene = new Scene();
      scene.fate = (request) => (isReadBack(request) ? fate : FINE);
      const first = processIn(scene, doing(scene));
      for (const _ of [1, 2, 3]) {
        await scene.until(first.use());
        await scene.pass(30_000);
      }
      expect(bodyOf(scene, KEY)).not.toContain('"atMs"');
      expect(bodyOf(scene, MARKER)).not.toContain('"atMs"');
    }
  });
});

describe("what a store does only beside another write of the key", () => {
  /** Refuses to create while another write of the key is under way, and writes over what exists. */
  const beside = (scene: Scene): Writing => {
    const underWay = new Map<string, number>();
    return async (store, key, body, condition, options) => {
      const others = underWay.get(key) ?? 0;
      underWay.set(key, others + 1);
      try {
        await scene.world.sleep(5);
        if (condition.kind === "if-match" || others > 0) return await store.write(key, body, condition, options);
        const etag = scene.bucket.objects.get(key)?.etag;
        const any = etag === undefined ? condition : ({ kind: "if-match", etag } as const);
        return await store.write(key, body, any, options);
      } finally {
        underWay.set(key, (underWay.get(key) ?? 0) - 1);
      }
    };
  };

  /** Compares no ETags, and tells what it has judged before the creation only after it: by jitter. */
  const early = (scene: Scene): Writing => {
    let questions = 0;
    return async (store, key, body, condition, options) => {
      if (condition.kind === "if-absent") return await store.write(key, body, condition, options);
      const etag = scene.bucket.objects.get(key)?.etag;
      if (etag !== undefined) return await store.write(key, body, { kind: "if-match", etag }, options);
      questions += 1;
      await scene.world.sleep(questions === 1 ? 60 : 0);
      return await store.write(key, body, condition, options).then((outcome) => {
        return outcome.kind === "absent" ? { ...outcome, kind: "conflict" } : outcome;
      });
    };
  };

  it.each([
    [
      "creations that are refused only then, in a bucket that was empty",
      beside,
      undefined,
      "over an object that exists",
    ],
    [
      "creations that are refused only then, where a marker was there before",
      beside,
      NOTHING,
      "over an object that exists",
    ],
    ["a stale ETag that is refused for want of an object", early, undefined, "an ETag that the object never had"],
  ] as const)("is seen before others are told: %s", async (_, make, marker, seen) => {
    const scene = new Scene();
    if (marker !== undefined) scene.bucket.put(MARKER, marker);
    const write = make(scene);
    const first = processIn(scene, write);
    await scene.until(first.use());
    await scene.pass(5000);
    expect(await scene.until(first.use())).toBe("store-unsafe");
    expect(first.events.at(-1)?.error?.message).toContain(seen);
    const later = processIn(scene, write);
    await scene.until(later.use());
    await scene.pass(5000);
    expect(await scene.until(later.use("another"))).toBe("store-unsafe");
    expect(later.events.map(({ by }) => by)).not.toContain("record");
    expect(later.events.map(({ by }) => by)).not.toContain("marker");
  });

  it("costs two requests more after a first grant, and no round trip before it", async () => {
    const scene = new Scene();
    const { mutex, process } = processIn(scene);
    const startedAtMs = scene.nowMs;
    const lock = await scene.until(mutex.acquire(NAME));
    expect(scene.nowMs - startedAtMs).toBe(60);
    await scene.pass(1000);
    expect(scene.requestsOf(process).slice(6)).toMatchObject([
      { key: MARKER, operation: "read" },
      { key: MARKER, operation: "write" },
      { key: MARKER, operation: "write" },
      { key: MARKER, operation: "write" },
    ]);
    await scene.until(lock.release());
    expect(bodyOf(scene, KEY)).toContain('"atMs"');
    expect(bodyOf(scene, MARKER)).toContain('"atMs"');
  });
});
