import { describe, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import type { ObjectStore, ReadOutcome, WriteOutcome } from "../../src/store/object-store.js";
import { FINE, NAME, Scene } from "../../testkit/scene.js";

const MARKER = "locks/.s3-mutex/checked.json";
/** What a check leaves that was not ended: it proves nothing. */
const NOTHING = JSON.stringify({ writeId: "w", touchedAtMs: 0, proofs: [] });
const SAID = { code: "store-unsafe", message: expect.stringContaining("answered as refused was done all the same") };

interface Between {
  /** Whether a write that the store refuses is done all the same. */
  readonly does?: (condition: "if-absent" | "if-match") => boolean;
  /** Also of locks, and not of the marker alone. */
  readonly anywhere?: boolean;
  /** Of each read of the marker but the first. */
  readonly delayMs?: number;
  /** Before each request for the marker, counted by kind from 1. */
  readonly before?: (kind: "read" | "write", nth: number, body: string | undefined) => void;
}

/** Makes a process whose requests for the marker can be met on their way. */
function processIn(scene: Scene, { does = () => false, anywhere = false, delayMs = 0, before = () => {} }: Between) {
  const seen = { read: 0, write: 0 };
  const meet = (kind: "read" | "write", key: string, body?: string) => {
    if (key !== MARKER) return;
    seen[kind] += 1;
    before(kind, seen[kind], body);
  };
  const through = (store: ObjectStore): ObjectStore => ({
    read: async (key, ...rest): Promise<ReadOutcome> => {
      meet("read", key);
      if (key === MARKER && seen.read > 1) await scene.world.sleep(delayMs);
      return await store.read(key, ...rest);
    },
    write: async (key, body, condition, options): Promise<WriteOutcome> => {
      meet("write", key, body);
      const outcome = await store.write(key, body, condition, options);
      if (outcome.kind === "conflict" && (anywhere || key === MARKER) && does(condition.kind))
        scene.bucket.put(key, body);
      return outcome;
    },
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
  });
  const { mutex } = scene.client({ verify: "auto", through });
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  const use = async (name = NAME) => {
    const error = await scene.until(
      mutex
        .withLock(name, () => {})
        .then(
          () => undefined,
          (reason: unknown) => reason,
        ),
    );
    await scene.until(scene.world.sleep(5000));
    return error;
  };
  return { mutex, events, use };
}

const markerIn = (scene: Scene) => scene.bucket.objects.get(MARKER)?.body;

describe("a store that does what it has refused", () => {
  it.each<[string, string | undefined, "if-absent" | "if-match" | undefined]>([
    ["the first lock of all", undefined, undefined],
    ["where the marker was there before", NOTHING, undefined],
    ["where that holds for creations only", NOTHING, "if-absent"],
    ["where that holds for replacements only", NOTHING, "if-match"],
  ])("is found out by the check, and leaves no proof: %s", async (_, marker, only) => {
    const scene = new Scene();
    if (marker !== undefined) scene.bucket.put(MARKER, marker);
    const does = (condition: string) => only === undefined || condition === only;
    for (const name of ["a", "b"]) {
      const { use, events } = processIn(scene, { does });
      await use(name);
      expect(await use("c")).toMatchObject(SAID);
      expect(events.at(-1)).toMatchObject({ verdict: "refused" });
      expect(markerIn(scene)).toContain('"proofs":[]');
    }
  });

  it.each([undefined, NOTHING])("lets no two in that come at once (marker before: %s)", async (marker) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const scene = new Scene({ seed, roundTripMs: () => 20 });
      if (marker !== undefined) scene.bucket.put(MARKER, marker);
      let inside = 0;
      let most = 0;
      const turns = [0, 1, 2].map(async (index) => {
        const { mutex } = processIn(scene, { does: () => true, anywhere: true, delayMs: 500 });
        await scene.world.sleep(index * seed);
        const work = async () => {
          most = Math.max(most, ++inside);
          await scene.world.sleep(2000);
          inside -= 1;
        };
        await mutex.withLock(NAME, work, { timeoutMs: 5000 }).catch(() => {});
      });
      await scene.until(Promise.all(turns));
      expect(most).toBeLessThan(2);
    }
  });

  it("is found out where the refused write of another process is what is there", async () => {
    const scene = new Scene();
    const another = (kind: string, nth: number) => {
      if (kind === "read" && nth === 2) scene.bucket.put(MARKER, NOTHING);
    };
    const { use } = processIn(scene, { does: () => true, before: another });
    await use();
    expect(await use()).toMatchObject(SAID);
    expect(markerIn(scene)).toContain('"proofs":[]');
  });

  it("is found out by the write of the proof, which is taken back", async () => {
    const scene = new Scene();
    let isRefused = false;
    const another = (_: string, __: number, body: string | undefined) => {
      if (isRefused || body === undefined || body.includes('"proofs":[]')) return;
      isRefused = true;
      scene.bucket.put(MARKER, NOTHING);
    };
    const { use } = processIn(scene, { does: () => isRefused, before: another });
    await use();
    expect(isRefused).toBe(true);
    expect(await use()).toMatchObject(SAID);
    expect(markerIn(scene)).toContain('"proofs":[]');
  });

  it("is not believed by one that has refused it, whatever one that saw nothing has left there", async () => {
    const scene = new Scene();
    const { use, events } = processIn(scene, { does: () => true });
    await use();
    expect(await use()).toMatchObject(SAID);
    const other = processIn(scene, {});
    scene.bucket.objects.delete(MARKER);
    await other.use("b");
    expect(markerIn(scene)).toContain('"atMs"');
    await scene.until(scene.world.sleep(60_000));
    await use();
    expect(await use()).toMatchObject(SAID);
    expect(events.map(({ by }) => by)).not.toContain("marker");
  });
});

it("a store of whose racing creations several are done is refused, although it keeps what exists", async () => {
  const scene = new Scene();
  const racy = (store: ObjectStore): ObjectStore => ({
    read: (...args) => store.read(...args),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
    write: async (key, body, condition, options) => {
      const wasAbsent = condition.kind === "if-absent" && !scene.bucket.objects.has(key);
      const outcome = await store.write(key, body, condition, options);
      const isOver = wasAbsent && outcome.kind === "conflict";
      return isOver ? { ...outcome, kind: "ok", etag: scene.bucket.put(key, body) } : outcome;
    },
  });
  const { mutex } = scene.client({ verify: "auto", through: racy });
  const error = await scene.until(mutex.acquire(NAME).catch((reason: unknown) => reason));
  expect(error).toMatchObject({ code: "store-unsafe", message: expect.stringContaining("of one key both succeeded") });
});

describe("a store that is safe is not refused", () => {
  it.each([1, 2])("where the marker is deleted between two requests of a check, %i times", async (times) => {
    const scene = new Scene();
    scene.bucket.put(MARKER, NOTHING);
    let left = times;
    const deleting = (kind: string, _: number, body: string | undefined) => {
      if (kind === "write" && left > 0 && body?.includes('"proofs":[]')) scene.bucket.objects.delete(MARKER);
      if (kind === "write") left -= 1;
    };
    const { use, events } = processIn(scene, { before: deleting });
    expect(await use()).toBeUndefined();
    expect(await use("b")).toBeUndefined();
    expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
    expect(markerIn(scene)).toContain('"atMs"');
  });

  it("where the marker is deleted between the two creations that a first check begins with", async () => {
    const scene = new Scene();
    let creations = 0;
    scene.fate = ({ key, operation }) => {
      if (key !== MARKER || operation !== "write" || ++creations !== 2) return FINE;
      scene.world.after(100, () => scene.bucket.objects.delete(MARKER));
      return { kind: "fine", thereMs: 200 };
    };
    const { use, events } = processIn(scene, {});
    expect(await use()).toBeUndefined();
    expect(await use("b")).toBeUndefined();
    expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
    expect(markerIn(scene)).toContain('"atMs"');
    const spare = [...scene.bucket.objects.keys()].filter((key) => /checked-.+\.json$/.test(key));
    expect(spare).toHaveLength(1);
  });

  it("where the bucket was emptied right after a first grant, and another client has made the marker since", async () => {
    const scene = new Scene();
    const emptied = (kind: string, nth: number) => {
      if (kind === "read" && nth === 2) scene.bucket.objects.delete(MARKER);
      if (kind === "write" && nth === 4) scene.bucket.put(MARKER, NOTHING);
    };
    const { use, events } = processIn(scene, { before: emptied });
    expect(await use()).toBeUndefined();
    expect(markerIn(scene)).toBe(NOTHING);
    expect(await use("b")).toBeUndefined();
    expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
  });

  it("where a copy of a refused request came late, over a bucket that was emptied meanwhile", async () => {
    const scene = new Scene();
    scene.bucket.put(MARKER, NOTHING);
    let first: string | undefined;
    const copied = (kind: string, nth: number, body: string | undefined) => {
      if (kind === "write") first ??= body;
      if (kind === "read" && nth === 2) scene.bucket.put(MARKER, first as string);
    };
    const { use, events } = processIn(scene, { before: copied });
    await use();
    expect(await use()).toBeUndefined();
    expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
    expect(markerIn(scene)).toContain('"atMs"');
  });
});
