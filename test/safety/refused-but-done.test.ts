import { describe, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import type { ObjectStore, ReadOutcome, WriteOutcome } from "../../src/store/object-store.js";
import { NAME, Scene } from "../protocol/scene.js";

const MARKER = "locks/.s3-mutex/checked";
/** What a check leaves that was not ended: it proves nothing. */
const NOTHING = JSON.stringify({ writeId: "w", touchedAtMs: 0, proofs: [] });
const SAID = { code: "store-unsafe", message: expect.stringContaining("answered as refused was done all the same") };

interface Between {
  /** Whether a write that the store refuses is done all the same. */
  readonly does?: (condition: "if-absent" | "if-match") => boolean;
  /** Before each request for the marker, counted by kind from 1. */
  readonly before?: (kind: "read" | "write", nth: number, body: string | undefined) => void;
}

/** A process whose requests for the marker can be met on their way. */
function processIn(scene: Scene, { does = () => false, before = () => {} }: Between) {
  const seen = { read: 0, write: 0 };
  const meet = (kind: "read" | "write", key: string, body?: string) => {
    if (key !== MARKER) return;
    seen[kind] += 1;
    before(kind, seen[kind], body);
  };
  const through = (store: ObjectStore): ObjectStore => ({
    read: (key, ...rest): Promise<ReadOutcome> => {
      meet("read", key);
      return store.read(key, ...rest);
    },
    write: async (key, body, condition, options): Promise<WriteOutcome> => {
      meet("write", key, body);
      const outcome = await store.write(key, body, condition, options);
      if (outcome.kind === "conflict" && key === MARKER && does(condition.kind)) scene.bucket.put(key, body);
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
  return { events, use };
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

describe("a store that is safe is not refused", () => {
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
