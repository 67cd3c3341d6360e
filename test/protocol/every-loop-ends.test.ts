import { expect, it } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { AnswerTiming, ObjectStore } from "../../src/store/object-store.js";
import { KEY, NAME, Scene } from "../../testkit/scene.js";

/** Says how a call ended, and after how many milliseconds of virtual time. */
async function endOf(scene: Scene, call: Promise<unknown>) {
  const startedAtMs = scene.nowMs;
  const { code, message, value } = await scene.until(
    call.then(
      (result) => ({ code: "resolved", message: "", value: result }),
      (error: unknown) =>
        S3MutexError.is(error)
          ? { code: error.code as string, message: error.message, value: undefined }
          : { code: "unexpected", message: String(error), value: undefined },
    ),
    120_000,
  );
  return { code, message, value, tookMs: scene.nowMs - startedAtMs };
}

/** Makes a store that, once told to, answers every write and every removal with a conflict, and changes nothing. */
function refusingWrites(scene: Scene) {
  let isRefusing = false;
  const through = (store: ObjectStore): ObjectStore => {
    const conflict = async (key: string, options: { readonly timeoutMs: number }) => {
      const { timing } = (await store.read(key, options)) as unknown as { timing: AnswerTiming };
      return { kind: "conflict" as const, timing };
    };
    return {
      ...storeAs(store),
      write: (key, body, condition, options) =>
        isRefusing ? conflict(key, options) : store.write(key, body, condition, options),
      remove: (key, etag, options) => (isRefusing ? conflict(key, options) : store.remove(key, etag, options)),
    };
  };
  const { mutex } = scene.client({ through });
  return { mutex, refuse: () => (isRefusing = true) };
}

function storeAs(store: ObjectStore): ObjectStore {
  return {
    read: (key, options) => store.read(key, options),
    write: (key, body, condition, options) => store.write(key, body, condition, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
  };
}

/** Makes a store whose requests never end before they leave, as where credentials do not come. */
function hanging(store: ObjectStore, isHanging: () => boolean): ObjectStore {
  const unless = <T>(ask: () => Promise<T>): Promise<T> => (isHanging() ? new Promise<T>(() => {}) : ask());
  return {
    read: (key, options) => unless(() => store.read(key, options)),
    write: (key, body, condition, options) => unless(() => store.write(key, body, condition, options)),
    remove: (key, etag, options) => unless(() => store.remove(key, etag, options)),
    list: (prefix, options) => unless(() => store.list(prefix, options)),
  };
}

it.each([
  ["acquire", {}, "store-unsafe", 5000],
  ["acquire", { timeoutMs: 1000 }, "store-unavailable", 1000],
] as const)(
  "S1: a creation that is refused although there is no object ends: %s %o",
  async (_, options, code, withinMs) => {
    const scene = new Scene();
    const { mutex, refuse } = refusingWrites(scene);
    refuse();
    const end = await endOf(scene, mutex.acquire(NAME, options));
    expect(end.code).toBe(code);
    expect(end.message).toMatch(/contradicts itself/);
    expect(end.message).toMatch(/delete marker/);
    expect(end.tookMs).toBeLessThanOrEqual(withinMs + 5);
    // Neither is it asked as often as it can answer.
    expect(scene.sent.length).toBeLessThan(40);
  },
);

it("S1: a conflict after which the object is unchanged ends every call about it, and is named", async () => {
  const scene = new Scene();
  const { mutex, refuse } = refusingWrites(scene);
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.until(mutex.acquireLock("named"));
  refuse();
  const calls: [string, () => Promise<unknown>][] = [
    ["renew", () => lock.renew()],
    ["downgrade", () => lock.downgrade()],
    ["refreshLock", () => mutex.refreshLock("named")],
    ["releaseLock", () => mutex.releaseLock("named")],
    ["releaseLock, forced", () => mutex.releaseLock(NAME, true)],
    ["deleteLock", () => mutex.deleteLock("named", true)],
    ["release", () => lock.release()],
  ];
  for (const [name, call] of calls) {
    const end = await endOf(scene, call());
    expect([name, end.code]).toEqual([name, "store-unsafe"]);
    expect(end.message).toMatch(/If-Match/);
    expect(end.tookMs).toBeGreaterThanOrEqual(2000);
    expect(end.tookMs).toBeLessThan(10_000);
  }
});

it("S1: a free lock whose writes are all refused is never called taken, however the pauses fall", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const scene = new Scene({ seed, roundTripMs: () => 300 });
    await scene.until(
      scene
        .client()
        .mutex.acquire(NAME)
        .then((lock) => lock.release()),
    );
    scene.fate = ({ operation }) =>
      operation === "write" ? { kind: "error", status: 409, applied: false } : { kind: "fine" };
    for (const timeoutMs of [1500, 2400]) {
      const end = await endOf(
        scene,
        scene.client().mutex.withLock(NAME, () => "ran", { timeoutMs }),
      );
      expect([seed, timeoutMs, end.code]).toEqual([seed, timeoutMs, "store-unavailable"]);
    }
  }
});

it("S1: a few conflicts without a change in between are ridden out", async () => {
  const scene = new Scene();
  let refusals = 0;
  scene.fate = ({ operation }) => {
    if (operation !== "write" || refusals === 4) return { kind: "fine" };
    refusals += 1;
    return { kind: "error", status: 409, applied: false };
  };
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).not.toBeNull();
  expect(refusals).toBe(4);
});

it("S1: reads that are out of date for a second only delay a holder", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client({
    through: (store) => ({
      ...storeAs(store),
      // What a cache that is behind shows.
      read: async (key, options) => {
        const shown = stale?.untilMs !== undefined && scene.nowMs < stale.untilMs ? stale : undefined;
        const read = await store.read(key, options);
        return shown === undefined || read.kind !== "ok" ? read : { ...read, etag: shown.etag, body: shown.body };
      },
    }),
  });
  let stale: { readonly untilMs: number; readonly etag: string; readonly body: string } | undefined;
  const lock = await scene.until(mutex.acquire(NAME));
  scene.believe(lock, process);
  const before = scene.bucket.objects.get(KEY) as { etag: string; body: string };
  stale = { untilMs: scene.nowMs + 1000, etag: before.etag, body: before.body };
  const waiting = scene.client().mutex.acquire(NAME);
  await scene.pass(300);
  expect(await scene.until(lock.renew())).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
  await scene.until(waiting);
  expect(scene.problems).toEqual([]);
});

it.each([
  ["acquire", 2000, 2000],
  ["acquire", 1200, 1200],
  ["acquire", 1, 1000],
  ["tryAcquire", 0, 10_000],
] as const)(
  "S6: a request that never leaves does not outlast the time-out: %s %i",
  async (method, timeoutMs, boundMs) => {
    const scene = new Scene();
    const { mutex } = scene.client({ through: (store) => hanging(store, () => true) });
    const call = method === "acquire" ? mutex.acquire(NAME, { timeoutMs }) : mutex.tryAcquire(NAME);
    const end = await endOf(scene, call);
    expect(end.code).toBe("store-unavailable");
    expect(end.tookMs).toBeGreaterThan(boundMs - 50);
    expect(end.tookMs).toBeLessThanOrEqual(boundMs + 5);
  },
);

it("S6: no call outlasts its lease or its bound when requests never leave", async () => {
  const scene = new Scene();
  let isHanging = false;
  const { mutex } = scene.client({ lockTimeoutMs: 6000, through: (store) => hanging(store, () => isHanging) });
  const lock = await scene.until(mutex.acquire(NAME));
  const other = await scene.until(mutex.acquire("other"));
  await scene.until(mutex.acquireLock("named"));
  isHanging = true;
  const bounds: [string, Promise<unknown>, number][] = [
    ["renew", lock.renew(), 6000],
    ["release", other.release(), 6000],
    ["refreshLock", mutex.refreshLock("named"), 6000],
    ["isLocked", mutex.isLocked(NAME), 10_000],
    ["inspect", mutex.inspect(NAME), 10_000],
    ["deleteLock", mutex.deleteLock(NAME, true), 20_000],
    ["releaseLock", mutex.releaseLock(NAME, true), 10_000],
    ["leader", mutex.election("e").leader(), 10_000],
    ["resize", mutex.semaphore("s", { permits: 1 }).resize(2), 10_000],
    ["fencedObject", lock.fencedObject({ key: "k" }).read(), 6000],
    ["health", mutex.health(), 2000],
  ];
  const startedAtMs = scene.nowMs;
  const took = (call: Promise<unknown>) => call.catch(() => {}).then(() => scene.nowMs - startedAtMs);
  const tookMs = await scene.until(Promise.all(bounds.map(([, call]) => took(call))));
  const late = bounds.flatMap(([name, , boundMs], at) =>
    (tookMs[at] ?? 0) > boundMs + 5 ? [`${name}: ${tookMs[at]}`] : [],
  );
  expect(late).toEqual([]);
});

it("acquireAll ends by its time-out, and gives back what it had when the store is there again", async () => {
  const scene = new Scene();
  let isHanging = false;
  const { mutex } = scene.client({
    lockTimeoutMs: 30_000,
    through: (store) => hanging(store, () => isHanging),
  });
  await scene.until(mutex.acquire("warm"));
  mutex.on("acquired", ({ lockName }) => {
    if (lockName === "a") isHanging = true;
  });
  const end = await endOf(scene, mutex.acquireAll(["a", "b", "c"], { timeoutMs: 3000 }));
  expect(end.code).toBe("store-unavailable");
  expect(end.tookMs).toBeLessThanOrEqual(3505);
  isHanging = false;
  await scene.pass(31_500);
  expect(await scene.until(scene.client().mutex.tryAcquire("a"))).not.toBeNull();
});

it("once ends by its time-out, for the look and the lock together", async () => {
  const scene = new Scene();
  let isHanging = true;
  const { mutex } = scene.client({ through: (store) => hanging(store, () => isHanging) });
  expect(
    await endOf(
      scene,
      mutex.runOnce("k", () => 1, { timeoutMs: 2500 }),
    ),
  ).toMatchObject({ code: "store-unavailable" });
  isHanging = false;
  await scene.until(scene.client().mutex.acquire("once/k"));
  const startedAtMs = scene.nowMs;
  const end = await endOf(
    scene,
    mutex.runOnce("k", () => 1, { timeoutMs: 2500 }),
  );
  expect(end.code).toBe("timed-out");
  expect(scene.nowMs - startedAtMs).toBeLessThan(2600);
});

it("P10: candidates outlast a store that is away for an hour, and say so once", async () => {
  for (const fate of [{ kind: "lost" }, { kind: "error", status: 503, applied: false }] as const) {
    const scene = new Scene();
    const warnings: string[] = [];
    const logger = { warn: (message: string) => warnings.push(message) };
    const led: number[] = [];
    const stop = new AbortController();
    const lead = async (signal: AbortSignal) => {
      led.push(scene.nowMs);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    };
    const candidates = [1, 2].map(() =>
      scene.client({ logger }).mutex.election("svc").runWhenLeader(lead, { signal: stop.signal }),
    );
    await scene.pass(2000);
    expect(led).toHaveLength(1);
    scene.fate = () => fate;
    warnings.length = 0;
    await scene.pass(3_600_000);
    const wereSaid = warnings.length;
    scene.fate = () => ({ kind: "fine" });
    await scene.pass(60_000);
    expect(led).toHaveLength(2);
    stop.abort();
    await scene.until(Promise.all(candidates));
    // Not one for each try.
    expect(wereSaid).toBeLessThan(8);
  }
});

it("P10: so does one whose grant was not confirmed before the outage", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  // The grant is answered by silence, and found when more than half of its lease is over; then nothing comes through.
  let writes = 0;
  let reads = 0;
  scene.fate = ({ operation }) => {
    if (operation === "write") writes += 1;
    else reads += 1;
    if (operation === "write") return { kind: writes === 1 ? "answer-lost" : "lost" };
    return { kind: writes === 0 || reads === 5 ? "fine" : "lost" };
  };
  let hasLed = false;
  const leading = mutex.election("svc").runWhenLeader(() => {
    hasLed = true;
  });
  leading.catch(() => {});
  await scene.pass(600_000);
  expect([process.isDead, hasLed]).toEqual([false, false]);
  scene.fate = () => ({ kind: "fine" });
  await scene.until(leading, 60_000);
  expect(hasLed).toBe(true);
});

it("P10: a refusal ends a candidate", async () => {
  const scene = new Scene();
  const error = new S3MutexError("access-denied", "no");
  const { mutex } = scene.client({
    through: (store) => ({ ...storeAs(store), read: async () => ({ kind: "refused", error }) }),
  });
  expect(
    await endOf(
      scene,
      mutex.election("svc").runWhenLeader(() => {}),
    ),
  ).toMatchObject({ code: "access-denied" });
});

it("who looks on outlasts an outage as well, also one that was there before", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  scene.fate = () => ({ kind: "error", status: 503, applied: false });
  const stop = new AbortController();
  const leaders: (string | null)[] = [];
  const observing = (async () => {
    for await (const leader of mutex.election("svc").observe({ signal: stop.signal }))
      leaders.push(leader?.owner ?? null);
  })();
  const views: (string | undefined)[] = [];
  const watching = (async () => {
    for await (const { error, locks } of mutex.watch({ signal: stop.signal, intervalMs: 60_000 }))
      views.push(error?.code ?? locks.map(({ lockName }) => lockName).join());
  })();
  await scene.pass(3_600_000);
  expect(views.length).toBeGreaterThan(40);
  expect(new Set(views)).toEqual(new Set(["store-unavailable"]));
  scene.fate = () => ({ kind: "fine" });
  await scene.until(scene.client().mutex.election("svc").campaign());
  await scene.pass(120_000);
  expect(views.at(-1)).toBe("svc");
  expect(leaders.length).toBeGreaterThan(0);
  stop.abort();
  await scene.until(Promise.all([observing, watching]));
});

it("P10: who looks on says once that the store is away, and of the next outage once more", async () => {
  for (const fate of [{ kind: "lost" }, { kind: "error", status: 503, applied: false }] as const) {
    const scene = new Scene();
    const warnings: string[] = [];
    const { mutex } = scene.client({ logger: { warn: (message: string) => warnings.push(message) } });
    for (const name of ["a", "b", "c"]) await scene.until(scene.client().mutex.acquire(name));
    const stop = new AbortController();
    const watching = (async () => {
      for await (const _ of mutex.watch({ signal: stop.signal, intervalMs: 2000 }));
    })();
    await scene.pass(10_000);
    const said: number[] = [];
    for (let outage = 0; outage < 2; outage += 1) {
      const before = warnings.length;
      scene.fate = () => fate;
      await scene.pass(600_000);
      scene.fate = () => ({ kind: "fine" });
      await scene.pass(60_000);
      said.push(warnings.length - before);
    }
    stop.abort();
    await scene.until(watching);
    expect(said).toEqual([1, 1]);
  }
});

it("a listing that goes in circles is named", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({
    through: (store) => ({
      ...storeAs(store),
      list: async (prefix, options) => ({ ...(await store.list(prefix, options)), continuation: "again" }) as never,
    }),
  });
  const all = async () => {
    for await (const _ of mutex.list());
  };
  expect(await endOf(scene, all())).toMatchObject({ code: "store-unsafe" });
  expect(await endOf(scene, mutex.cleanupStaleLocks())).toMatchObject({ code: "store-unsafe" });
});

it("a cleanup and a listing of many locks end when the store stops answering", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  for (let index = 0; index < 200; index += 1) await scene.until(mutex.isLocked("x"));
  for (let index = 0; index < 200; index += 1) scene.bucket.put(`locks/n${index}.json`, "{}");
  scene.fate = ({ operation }) => (operation === "list" ? { kind: "fine" } : { kind: "lost" });
  const all = async () => {
    for await (const _ of mutex.list());
  };
  for (const call of [() => mutex.cleanupStaleLocks(), all]) {
    const end = await endOf(scene, call());
    expect(end.code).toBe("store-unavailable");
    expect(end.tookMs).toBeLessThanOrEqual(30_000);
  }
});

it("S2: an ETag that reads show in more than one form is one version", async () => {
  const scene = new Scene();
  let reads = 0;
  const { mutex } = scene.client({
    through: (store) => ({
      ...storeAs(store),
      read: async (key, options) => {
        const read = await store.read(key, { timeoutMs: options.timeoutMs });
        reads += 1;
        return read.kind === "ok" && reads % 2 === 0 ? { ...read, etag: `W/${read.etag}` } : read;
      },
      write: async (key, _body, _condition, options) => {
        const { timing } = (await store.read(key, options)) as unknown as { timing: AnswerTiming };
        return { kind: "conflict", timing };
      },
    }),
  });
  await scene.until(scene.client().mutex.acquire(NAME));
  expect(await endOf(scene, mutex.releaseLock(NAME, true))).toMatchObject({ code: "store-unsafe" });
});

it("S1: who is always second ends with the time, and says so", async () => {
  const scene = new Scene();
  let versions = 0;
  const { mutex } = scene.client({
    lockTimeoutMs: 6000,
    through: (store) => ({
      ...storeAs(store),
      write: async (key, body, condition, options) => {
        const stored = scene.bucket.objects.get(key);
        // Another client writes the same record anew, just before.
        if (stored !== undefined && isBusy) {
          versions += 1;
          scene.bucket.put(key, JSON.stringify({ ...JSON.parse(stored.body), writeId: `other-${versions}` }));
        }
        return store.write(key, body, condition, options);
      },
    }),
  });
  let isBusy = false;
  const lock = await scene.until(mutex.acquire(NAME));
  isBusy = true;
  const end = await endOf(scene, lock.release());
  expect(end.code).toBe("store-unavailable");
  expect(end.message).toMatch(/changed by others before (each of the \d+ writes|the one write) of this call/);
  expect(end.tookMs).toBeLessThanOrEqual(6005);
  expect(await endOf(scene, mutex.deleteLock(NAME, true))).toMatchObject({ code: "store-unavailable" });
  isBusy = false;
});
