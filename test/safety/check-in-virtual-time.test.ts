import { describe, expect, it } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import type { ObjectStore, ReadOutcome, WriteOutcome } from "../../src/store/object-store.js";
import { type ClientOptions, KEY, NAME, Scene } from "../../testkit/scene.js";

const MARKER = "locks/.s3-mutex/checked.json";

function checked(scene: Scene, options: ClientOptions = {}) {
  const client = scene.client({ verify: "auto", ...options });
  const events: StoreCheckedEvent[] = [];
  client.mutex.on("checked", (event) => events.push(event));
  return { ...client, events };
}

/** Gives the store writes of its own. */
function writing(write: (store: ObjectStore, ...args: Parameters<ObjectStore["write"]>) => Promise<WriteOutcome>) {
  return (store: ObjectStore): ObjectStore => ({
    read: (...args) => store.read(...args),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
    write: (...args) => write(store, ...args),
  });
}

/** Makes a store that writes whatever the condition says, as long as `ignores` says so. */
function careless(scene: Scene, ignores: () => boolean) {
  return writing(async (store, key, body, condition, options) => {
    if (!ignores()) return store.write(key, body, condition, options);
    for (;;) {
      const etag = scene.bucket.objects.get(key)?.etag;
      const any = etag === undefined ? { kind: "if-absent" as const } : { kind: "if-match" as const, etag };
      const outcome = await store.write(key, body, any, options);
      if (outcome.kind !== "conflict" && outcome.kind !== "absent") return outcome;
    }
  });
}

/** Puts something between that changes answers. */
function changing(
  read: (outcome: ReadOutcome, key: string) => ReadOutcome,
  written: (outcome: WriteOutcome, key: string) => WriteOutcome = (outcome) => outcome,
) {
  return (store: ObjectStore): ObjectStore => ({
    read: async (key, options) => read(await store.read(key, options), key),
    write: async (key, ...rest) => written(await store.write(key, ...rest), key),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
  });
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

it("a store that refuses all writes for a second (409) is not taken for one that does not know its own ETags", async () => {
  const scene = new Scene();
  let until = Number.NEGATIVE_INFINITY;
  const refusing = writing(async (store, key, body, condition, options) => {
    const outcome = await store.write(key, body, scene.world.nowMs < until ? NEVER : condition, options);
    if (outcome.kind === "ok" && key === MARKER && until < 0) until = scene.world.nowMs + 1000;
    return outcome;
  });
  const { mutex, events } = checked(scene, { through: refusing });
  await scene.until(mutex.acquire(NAME));
  await scene.until(scene.world.sleep(10_000));
  expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
});

const FINE = { kind: "fine" } as const;
/** A condition that no version fulfils. */
const NEVER = { kind: "if-match", etag: '"of no version"' } as const;

describe("a store that ignores conditions", () => {
  it("gives the lock to none: two that come at once are both refused, round after round", async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const scene = new Scene({ seed });
      const clients = [1, 2, 3, 4].map(() => checked(scene, { through: careless(scene, () => true) }));
      const outcomes = clients.map(async ({ mutex }, index) => {
        await scene.world.sleep(index * seed);
        return rejection(mutex.acquire(NAME));
      });
      for (const error of await scene.until(Promise.all(outcomes)))
        expect(error).toMatchObject({ code: "store-unsafe" });
      for (const { events } of clients) expect(events).toMatchObject([{ verdict: "refused", by: "requests" }]);
    }
  });

  it("is not written to after that, and is asked again after a minute, before anything is written", async () => {
    const scene = new Scene();
    let ignores = true;
    const { mutex, process, events } = checked(scene, { through: careless(scene, () => ignores) });
    expect(await scene.until(rejection(mutex.acquire(NAME)))).toMatchObject({ code: "store-unsafe" });
    await scene.pass(5000);
    const writes = () => scene.requestsOf(process).filter(({ operation }) => operation !== "read");
    const before = writes().length;
    for (const call of [
      () => mutex.acquire(NAME),
      () => mutex.tryAcquire("other"),
      () => mutex.withLock(NAME, () => {}),
      () => mutex.semaphore("s", { permits: 2 }).acquire(),
      () => mutex.runOnce("job", () => 1),
      () => mutex.deleteLock(NAME, true),
    ])
      expect(await scene.until(rejection(call()))).toMatchObject({ code: "store-unsafe" });
    expect(writes()).toHaveLength(before);
    await scene.pass(60_000);
    expect(await scene.until(rejection(mutex.acquire(NAME)))).toMatchObject({ code: "store-unsafe" });
    const more = writes().slice(before);
    expect(more.length).toBeGreaterThan(0);
    expect(new Set(more.map(({ key }) => key))).toEqual(new Set([MARKER]));
    ignores = false;
    await scene.pass(60_000);
    await scene.until((await scene.until(mutex.acquire(NAME))).release());
    expect(events.map(({ verdict }) => verdict)).toEqual(["refused", "refused", "passed"]);
  });

  it("rule 74: what was written before the verdict ends by itself within a minute, whatever lease was asked for", async () => {
    const scene = new Scene();
    const { mutex } = checked(scene, { through: careless(scene, () => true) });
    const options = { leaseMs: 3_600_000 };
    expect(await scene.until(rejection(mutex.acquire(NAME, options)))).toMatchObject({ code: "store-unsafe" });
    expect(scene.record()?.holders).toHaveLength(1);
    expect((scene.record()?.holders[0]?.expiresAtMs ?? 0) - scene.nowMs).toBeLessThanOrEqual(60_000);
  });

  it("is refused where it ignores the condition of creations alone, and the marker is there", async () => {
    const scene = new Scene();
    scene.bucket.put(MARKER, JSON.stringify({ writeId: "w", touchedAtMs: 0, proofs: [] }));
    const creates = writing(async (store, key, body, condition, options) => {
      const outcome = await store.write(key, body, condition, options);
      const isOver = condition.kind === "if-absent" && outcome.kind === "conflict";
      return isOver ? { ...outcome, kind: "ok", etag: scene.bucket.put(key, body) } : outcome;
    });
    const { mutex } = checked(scene, { through: creates });
    expect(await scene.until(rejection(mutex.acquire(NAME)))).toMatchObject({
      code: "store-unsafe",
      message: expect.stringContaining("wrote over an object that exists"),
    });
  });

  describe("is refused where If-Match asks only whether there is an object", () => {
    const wayOf = (scene: Scene, { missing, slowMs }: { missing: "absent" | "conflict"; slowMs: number }) =>
      writing(async (store, key, body, condition, options) => {
        if (condition.kind === "if-absent") {
          await scene.world.sleep(slowMs);
          return store.write(key, body, condition, options);
        }
        const etag = scene.bucket.objects.get(key)?.etag;
        const outcome = await store.write(key, body, { kind: "if-match", etag: etag ?? "none" }, options);
        return outcome.kind === "absent" ? { ...outcome, kind: missing } : outcome;
      });
    const refusal = { code: "store-unsafe", message: expect.stringContaining("an ETag that the object never had") };

    it.each([
      { missing: "absent", slowMs: 0 },
      { missing: "absent", slowMs: 150 },
      { missing: "conflict", slowMs: 0 },
      { missing: "conflict", slowMs: 30 },
    ] as const)("and creations take a while: %j", async (how) => {
      const scene = new Scene();
      const { mutex } = checked(scene, { through: wayOf(scene, how) });
      expect(await scene.until(rejection(mutex.acquire(NAME)))).toMatchObject(refusal);
    });

    it.each([429, 503, 409] as const)("and some of the questions are answered %i", async (status) => {
      for (const first of [0, 1, 2]) {
        const scene = new Scene();
        const way = wayOf(scene, { missing: "absent", slowMs: 0 });
        const { mutex, process } = checked(scene, { through: way });
        let writes = 0;
        scene.fate = (request) => {
          if (request.process !== process || request.key !== MARKER || request.operation !== "write") return FINE;
          writes += 1;
          const isHit = writes > first && writes <= first + 2;
          return isHit ? { kind: "error", status, applied: false } : FINE;
        };
        expect(await scene.until(rejection(mutex.acquire(NAME)))).toMatchObject(refusal);
      }
    });
  });

  it("hands nothing over either", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 30_000 }));
    const text = await scene.until(lock.serialize());
    const other = checked(scene, { through: careless(scene, () => true) });
    expect(await scene.until(rejection(other.mutex.restore(text)))).toMatchObject({ code: "store-unsafe" });
  });
});

describe("a store that creates where If-Match has nothing to compare with", () => {
  const creating = (scene: Scene, { slow }: { slow: "if-absent" | "if-match" }) =>
    writing(async (store, key, body, condition, options) => {
      if (condition.kind === slow) await scene.world.sleep(30);
      const outcome = await store.write(key, body, condition, options);
      if (outcome.kind !== "absent") return outcome;
      const created = await store.write(key, body, { kind: "if-absent" }, options);
      return created.kind === "conflict" ? await store.write(key, body, condition, options) : created;
    });

  it.each(["if-absent", "if-match"] as const)("passes, and whichever comes first: %s comes late", async (slow) => {
    const scene = new Scene();
    const { mutex, events } = checked(scene, { through: creating(scene, { slow }) });
    await scene.until(mutex.withLock(NAME, () => {}));
    await scene.pass(5000);
    await scene.until(mutex.withLock(NAME, () => {}));
    expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
    expect(scene.bucket.objects.get(MARKER)?.body).toContain('"atMs"');
  });
});

describe("a store that is safe", () => {
  it("the first lock of all takes one round trip more, a new one of a new process none", async () => {
    const took = async (scene: Scene, options: ClientOptions) => {
      const { mutex } = scene.client(options);
      const startedAtMs = scene.nowMs;
      const lock = await scene.until(mutex.acquire(`n${startedAtMs}`));
      const tookMs = scene.nowMs - startedAtMs;
      await scene.until(lock.release());
      await scene.pass(1000);
      return tookMs;
    };
    const scene = new Scene({ roundTripMs: () => 20 });
    expect(await took(scene, { verify: "auto" })).toBe(60);
    expect(await took(scene, { verify: "auto" })).toBe(40);
    expect(await took(scene, { verify: "never" })).toBe(40);
  });

  it("a lease of an hour is one when it is handed out", async () => {
    const scene = new Scene();
    const { mutex } = checked(scene);
    const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 3_600_000 }));
    expect(lock.remainingMs).toBeGreaterThan(3_500_000);
    expect(scene.record()?.holders[0]?.leaseMs).toBe(3_600_000);
    expect(scene.requestsOf().filter(({ key }) => key === KEY)).toHaveLength(3);
  });

  it("without Date is checked all the same, and proves nothing to others", async () => {
    const scene = new Scene({ hasDate: false });
    for (const index of [0, 1]) {
      const { mutex, events } = checked(scene);
      await scene.until((await scene.until(mutex.acquire(`${NAME}${index}`, { leaseMs: 1000 }))).release());
      await scene.pass(1000);
      expect(events).toEqual([{ verdict: "passed", by: "requests" }]);
    }
    expect(scene.bucket.objects.get(MARKER)?.body).toContain('"proofs":[]');
  });

  it("is checked again after a day, in a process that goes on", async () => {
    const scene = new Scene();
    const { mutex, events } = checked(scene);
    const turn = async () => scene.until((await scene.until(mutex.acquire(NAME))).release());
    for (const hours of [0, 23, 2]) {
      await scene.pass(hours * 3_600_000);
      await turn();
    }
    expect(events.map(({ by }) => by)).toEqual(["requests", "requests"]);
  });
});

describe("what is read", () => {
  it("rule 73: out of a cache that does not say so is found out by the check's own read", async () => {
    const scene = new Scene();
    const kept = new Map<string, ReadOutcome>();
    const through = changing((outcome, key) => {
      const first = kept.get(key) ?? outcome;
      kept.set(key, first);
      return "timing" in first && "timing" in outcome ? ({ ...first, timing: outcome.timing } as ReadOutcome) : outcome;
    });
    const { mutex, events } = checked(scene, { through });
    await scene.until(mutex.tryAcquire(NAME));
    await scene.pass(1000);
    expect(events.map(({ verdict }) => verdict)).toEqual(["passed", "refused"]);
    expect(events[1]?.error?.message).toContain("a read does not show what was written before it");
  });

  it("rule 73: out of a cache that says so (Age) proves nothing", async () => {
    const scene = new Scene();
    const first = checked(scene);
    await scene.until((await scene.until(first.mutex.acquire(NAME))).release());
    await scene.pass(1000);
    const aged = changing((outcome) => {
      const isProof = outcome.kind === "ok";
      return isProof ? { ...outcome, timing: { ...outcome.timing, aged: true as const } } : outcome;
    });
    const second = checked(scene, { through: aged });
    await scene.until(second.mutex.isLocked("free"));
    await scene.until((await scene.until(second.mutex.acquire(NAME))).release());
    await scene.pass(1000);
    expect(second.events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  });
});

it("rule 73: a cache that says so, and still shows the marker that another client has replaced, makes no store unsafe", async () => {
  const scene = new Scene();
  let kept: ReadOutcome | undefined;
  const cached = (store: ObjectStore): ObjectStore => ({
    ...writing(async (_, key, body, condition, options) => {
      if (key !== MARKER || !body.includes('"atMs"')) return store.write(key, body, condition, options);
      kept ??= await store.read(key, options);
      scene.bucket.put(MARKER, JSON.stringify({ writeId: "another's", touchedAtMs: scene.nowMs, proofs: [] }));
      return store.write(key, body, condition, options);
    })(store),
    read: async (key, options) => {
      const outcome = await store.read(key, options);
      if (key !== MARKER || kept?.kind !== "ok") return outcome;
      return { ...kept, timing: { ...kept.timing, aged: true } };
    },
  });
  const { mutex, events } = checked(scene, { through: cached });
  await scene.until(mutex.withLock(NAME, () => {}));
  await scene.pass(10_000);
  expect(kept).toBeDefined();
  await scene.until(mutex.withLock("another", () => {}));
  expect(events.map(({ verdict }) => verdict)).toEqual(["passed"]);
});

it("rule 71: versioning that was turned on since makes a proof void before the grant, by the write's own answer", async () => {
  const scene = new Scene();
  const first = checked(scene);
  const lock = await scene.until(first.mutex.acquire(NAME));
  await scene.pass(1000);
  await scene.until(lock.release());
  // What was written before has no version id to show; what is written now has one.
  let isOn = false;
  const versioned = changing(
    (outcome, key) => (isOn && key === MARKER && outcome.kind === "ok" ? { ...outcome, versionId: "null" } : outcome),
    (outcome) => (isOn && outcome.kind === "ok" ? { ...outcome, versionId: "v1" } : outcome),
  );
  isOn = true;
  const second = checked(scene, { through: versioned });
  await scene.until((await scene.until(second.mutex.acquire(NAME))).release());
  expect(second.events.map(({ by }) => by)).toEqual(["record", "requests"]);
  const ignoring = checked(scene, {
    through: (store) => versioned(careless(scene, () => true)(store)),
  });
  expect(await scene.until(rejection(ignoring.mutex.acquire(NAME)))).toMatchObject({
    code: "store-unsafe",
    message: expect.stringContaining("versioning (enabled)"),
  });
});

describe("what hangs", () => {
  it("keeps no caller beyond the time-out, and leaves nothing behind", async () => {
    const scene = new Scene();
    scene.fate = ({ key }) => (key === MARKER ? { kind: "lost" } : { kind: "fine" });
    const { mutex, process } = checked(scene);
    const startedAtMs = scene.nowMs;
    const error = await scene.until(rejection(mutex.acquire(NAME, { timeoutMs: 3000 })));
    expect(error).toMatchObject({ code: "store-unavailable" });
    expect(scene.nowMs - startedAtMs).toBeLessThan(3500);
    await scene.pass(20_000);
    expect(scene.record()?.holders).toEqual([]);
    scene.fate = () => ({ kind: "fine" });
    const lock = await scene.until(mutex.acquire(NAME));
    scene.believe(lock, process);
    expect(scene.problems).toEqual([]);
  });

  it("keeps no close, and an abort ends the wait", async () => {
    const scene = new Scene();
    scene.fate = ({ key }) => (key === MARKER ? { kind: "lost" } : { kind: "fine" });
    const aborting = checked(scene);
    const abort = new AbortController();
    const waiting = rejection(aborting.mutex.acquire(NAME, { signal: abort.signal }));
    await scene.pass(200);
    abort.abort();
    expect(await scene.until(waiting)).toMatchObject({ code: "aborted" });
    const closing = checked(scene);
    const asking = rejection(closing.mutex.acquire("b"));
    await scene.pass(200);
    await scene.until(closing.mutex.close(), 20_000);
    expect(await asking).toMatchObject({ code: "closed" });
    const sent = scene.requestsOf(closing.process).length;
    await scene.pass(60_000);
    expect(scene.requestsOf(closing.process)).toHaveLength(sent);
  });
});
