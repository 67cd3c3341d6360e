import { describe, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import type { ObjectStore, WriteOutcome } from "../../src/store/object-store.js";
import { FINE, NAME, Scene } from "../../testkit/scene.js";

/** A store that loses races may pass a check, which does not race where the marker is there; what a check has seen is not forgotten. */

const MARKER = "locks/.s3-mutex/checked.json";
const NOTHING = JSON.stringify({ writeId: "w", touchedAtMs: 0, proofs: [] });
const SAID = expect.stringContaining("of one key both succeeded");

/** Keeps what exists, and lets all creations pass that come within a moment. */
function racy(scene: Scene, isRacy = () => true) {
  return (store: ObjectStore): ObjectStore => ({
    read: (...args) => store.read(...args),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
    write: async (key, body, condition, options): Promise<WriteOutcome> => {
      const wasAbsent = condition.kind === "if-absent" && !scene.bucket.objects.has(key) && isRacy();
      if (wasAbsent) await scene.world.sleep(60);
      const outcome = await store.write(key, body, condition, options);
      const isOver = wasAbsent && outcome.kind === "conflict";
      return isOver ? { ...outcome, kind: "ok", etag: scene.bucket.put(key, body) } : outcome;
    },
  });
}

function processIn(scene: Scene, isRacy?: () => boolean) {
  const { mutex, process } = scene.client({ verify: "auto", through: racy(scene, isRacy) });
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  const use = (name = NAME) => mutex.withLock(name, () => "done", { timeoutMs: 5000 }).catch((error) => error);
  return { mutex, process, events, use };
}

const today = (scene: Scene) => Math.floor(scene.nowMs / 86_400_000);
const markerIn = (scene: Scene) => scene.bucket.objects.get(MARKER)?.body ?? "";

describe("a store of which a check has seen that two creations at once were both done", () => {
  it("is refused by every process that comes after it, and by the same one a minute later", async () => {
    const scene = new Scene();
    const first = processIn(scene);
    expect(await scene.until(first.use())).toMatchObject({ code: "store-unsafe", message: SAID });
    for (const name of ["a", "b", "c"]) {
      const later = processIn(scene);
      expect(await scene.until(later.use(name))).toMatchObject({ code: "store-unsafe", message: SAID });
      expect(later.events).toMatchObject([{ verdict: "refused" }]);
    }
    await scene.pass(61_000);
    expect(await scene.until(first.use("d"))).toMatchObject({ code: "store-unsafe", message: SAID });
    // By what it has seen itself, too.
    scene.bucket.put(MARKER, NOTHING);
    await scene.pass(61_000);
    expect(await scene.until(first.use("e"))).toMatchObject({ code: "store-unsafe", message: SAID });
  });

  it("is remembered also where the store was silent for a moment after that", async () => {
    const scene = new Scene();
    const first = processIn(scene);
    let isSilent = true;
    scene.fate = ({ key, operation, index }) => {
      const isLater = key === MARKER && operation === "read" && index > 2;
      if (!isLater || !isSilent) return FINE;
      isSilent = false;
      return { kind: "error", status: 503, applied: false };
    };
    expect(await scene.until(first.use())).toMatchObject({ code: "store-unsafe", message: SAID });
    expect(isSilent).toBe(false);
    expect(await scene.until(processIn(scene).use("a"))).toMatchObject({ code: "store-unsafe", message: SAID });
  });

  it("is refused by one that has begun to ask before that was seen, and none is told by it", async () => {
    for (const afterMs of [85, 100, 130, 150, 170, 190, 210, 230]) {
      const scene = new Scene();
      const first = processIn(scene).use();
      await scene.pass(afterMs);
      const second = processIn(scene);
      await scene.until(second.use("a"));
      expect(await scene.until(first)).toMatchObject({ code: "store-unsafe" });
      await scene.pass(10_000);
      expect(await scene.until(second.use("b"))).toMatchObject({ code: "store-unsafe" });
      expect(markerIn(scene)).not.toContain('"atMs"');
    }
  });

  it("is refused where the objects that an earlier check has raced for are there", async () => {
    const scene = new Scene();
    const of = (suffix: number) => `locks/.s3-mutex/checked-${suffix}.json`;
    for (const day of [0, 1]) scene.bucket.put(of(today(scene) + day), NOTHING);
    for (const name of ["a", "b"]) {
      expect(await scene.until(processIn(scene).use(name))).toMatchObject({ code: "store-unsafe", message: SAID });
      scene.bucket.objects.delete(MARKER);
    }
  });

  it("passes when it has been put right, as soon as it is asked, and others are told again", async () => {
    for (const hasDate of [true, false]) {
      const scene = new Scene({ hasDate });
      let isRacy = true;
      const first = processIn(scene, () => isRacy);
      expect(await scene.until(first.use())).toMatchObject({ code: "store-unsafe" });
      isRacy = false;
      expect(await scene.until(processIn(scene, () => isRacy).use("a"))).toBe("done");
      await scene.pass(5000);
      const objects = scene.bucket.objects.size;
      const later = processIn(scene, () => isRacy);
      expect(await scene.until(later.use("b"))).toBe("done");
      await scene.pass(5000);
      expect(later.events).toMatchObject([{ verdict: "passed", by: hasDate ? "marker" : "requests" }]);
      // The lock, and nothing more that was raced for.
      expect(scene.bucket.objects.size).toBe(objects + 1);
    }
  });
});
