import { expect, it } from "vitest";
import type { AcquireOptions } from "../../src/primitives/call-options.js";
import type { Lock } from "../../src/primitives/lock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { NAME, Scene } from "../../testkit/scene.js";
import { outcomeOf, Rooms } from "./place.js";

/** Which calls may nest in what another call holds, and which wait like all others. */

const REENTRANT: AcquireOptions = { reentrant: true };

/** Makes work that must not overlap with other work of this kind. */
function workIn(scene: Scene, rooms: Rooms, ms = 300) {
  let count = 0;
  return async () => {
    count += 1;
    const who = `w${count}`;
    rooms.enter(who);
    await scene.world.sleep(ms);
    rooms.leave(who);
  };
}

const turn = async (mutex: S3Mutex, work: () => Promise<void>, options: AcquireOptions = REENTRANT) => {
  const lock = await mutex.acquire(NAME, options);
  await work();
  await lock.release();
};

it("P5: lets no two ticks of an interval nest in what the first one acquired", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const rooms = new Rooms(scene);
  const work = workIn(scene, rooms);
  const ticks: Promise<void>[] = [];
  for (let tick = 0; tick < 5; tick += 1) {
    ticks.push(turn(mutex, work));
    await scene.pass(100);
  }
  await scene.until(Promise.all(ticks));
  expect(scene.problems).toEqual([]);
  expect(rooms.served).toHaveLength(5);
});

it.each([false, true])(
  "P5: lets no two requests of a server nest that was started after a lock was taken (held: %s)",
  async (isHeld) => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const rooms = new Rooms(scene);
    const work = workIn(scene, rooms);
    const boot = await scene.until(mutex.acquire("boot"));
    if (!isHeld) await scene.until(boot.release());
    await scene.until(Promise.all([turn(mutex, work), turn(mutex, work), mutex.withLock(NAME, work, REENTRANT)]));
    expect(scene.problems).toEqual([]);
  },
);

it("P5: lets no call nest in what a bare acquire of the same context holds, also not inside of mutex.scope", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const inside = async () => {
    const held = await mutex.acquire(NAME);
    expect(await mutex.withLock(NAME, () => "in", { ...REENTRANT, timeoutMs: 500 })).toBeNull();
    expect(await mutex.tryAcquire(NAME, REENTRANT)).toBeNull();
    expect(await mutex.acquireLock(NAME, 0)).toBe(false);
    await held.release();
  };
  await scene.until(inside());
  await scene.until(mutex.scope(inside));
});

it("has calls that nest side by side in one holder exclude each other, by priority and arrival", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const rooms = new Rooms(scene);
  const nested = (who: string, priority = 0) =>
    mutex.withLock(
      NAME,
      async () => {
        rooms.enter(who);
        await scene.world.sleep(100);
        rooms.leave(who);
      },
      { ...REENTRANT, priority },
    );
  await scene.until(
    mutex.withLock(NAME, async () => {
      const sent = scene.requestsOf(process).length;
      await Promise.all([nested("a"), nested("b"), nested("c", 1), nested("d")]);
      expect(scene.requestsOf(process).length).toBe(sent);
    }),
  );
  expect(rooms.served).toEqual(["a", "c", "b", "d"]);
  expect(scene.problems).toEqual([]);
});

it("has nested sharers inside together, and a nested writer after them", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const story: string[] = [];
  const nested = (who: string, mode: "shared" | "exclusive") =>
    mutex.withLock(
      NAME,
      async () => {
        story.push(`${who} in`);
        await scene.world.sleep(100);
        story.push(`${who} out`);
      },
      { ...REENTRANT, mode },
    );
  await scene.until(
    mutex.withLock(NAME, () => Promise.all([nested("a", "shared"), nested("b", "shared"), nested("c", "exclusive")])),
  );
  expect(story).toEqual(["a in", "b in", "a out", "b out", "c in", "c out"]);
});

it("ends the wait of a nested call with its time, its signal, its attempt, and when the mutex closes", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const stop = new AbortController();
  const outcomes = await scene.until(
    mutex.withLock(NAME, async (lock) => {
      const first = await mutex.acquire(NAME, { within: lock });
      const startedAtMs = scene.nowMs;
      const waits = [
        mutex.acquire(NAME, { ...REENTRANT, timeoutMs: 200 }),
        mutex.withLock(NAME, () => "in", { ...REENTRANT, timeoutMs: 300 }),
        mutex.acquire(NAME, { within: lock, signal: stop.signal }),
        mutex.tryAcquire(NAME, REENTRANT),
      ].map((wait) => outcomeOf<unknown>(scene, wait));
      scene.world.after(400, () => stop.abort());
      const settled = await Promise.all(waits);
      const later = outcomeOf(scene, mutex.acquire(NAME, REENTRANT));
      await first.release();
      const last = await later;
      await (last.value as Lock).release();
      return settled.map(({ code, value, atMs }) => [code ?? value, Math.round(atMs - startedAtMs)]);
    }),
  );
  expect(outcomes).toEqual([
    ["timed-out", 200],
    [null, 300],
    ["aborted", 400],
    [null, 0],
  ]);
});

it("gives the lock back only when the last function that nests in it has ended", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const other = scene.client();
  const rooms = new Rooms(scene);
  let inner: Promise<unknown> = Promise.resolve();
  const outer = mutex.withLock(NAME, async () => {
    inner = mutex.withLock(
      NAME,
      async () => {
        rooms.enter("inner");
        await scene.world.sleep(3000);
        rooms.leave("inner");
      },
      REENTRANT,
    );
    await scene.world.sleep(500);
  });
  const stranger = other.mutex.withLock(
    NAME,
    async () => {
      rooms.enter("stranger");
      rooms.leave("stranger");
    },
    { timeoutMs: 30_000 },
  );
  await scene.until(outer);
  await scene.until(inner);
  await scene.until(stranger);
  expect(rooms.served).toEqual(["inner", "stranger"]);
  expect(scene.problems).toEqual([]);
});

it("does not let work nest that outlives the function it was started in", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  let late: Promise<unknown> = Promise.resolve();
  await scene.until(
    mutex.withLock(NAME, async () => {
      late = (async () => {
        await scene.world.sleep(1000);
        return mutex.tryAcquire(NAME, REENTRANT);
      })();
    }),
  );
  const other = await scene.until(scene.client().mutex.acquire(NAME));
  expect(await scene.until(late)).toBeNull();
  await scene.until(other.release());
});

it("has it wait like all others where another one that nests keeps the lock beyond that function", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const after = async <T>(ms: number, call: () => Promise<T>) => {
    await scene.world.sleep(ms);
    return call();
  };
  const started: Promise<unknown>[] = [];
  await scene.until(
    mutex.withLock(NAME, async () => {
      started.push(mutex.withLock(NAME, () => scene.world.sleep(2000), REENTRANT));
      started.push(after(1000, () => mutex.tryAcquire(NAME, REENTRANT)));
      started.push(after(1000, () => mutex.withLock(NAME, () => "in", { ...REENTRANT, timeoutMs: 10_000 })));
      await scene.world.sleep(500);
    }),
  );
  expect((await scene.until(Promise.all(started))).slice(1)).toEqual([null, "in"]);
});

it("within: nests in a handle by name; the inner's release never ends the outer, the outer's end ends the inner", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const outer = await scene.until(mutex.acquire(NAME));
  const sent = scene.requestsOf(process).length;
  const inner = await scene.until(mutex.acquire(NAME, { within: outer }));
  expect(inner).toMatchObject({ fencingToken: outer.fencingToken, held: true, mode: "exclusive" });
  expect([await inner.release(), await inner.release()]).toEqual([true, true]);
  expect([inner.held, outer.held]).toEqual([false, true]);
  expect(() => inner.assertHeld()).toThrow(expect.objectContaining({ reason: "released" }));
  const second = await scene.until(mutex.acquire(NAME, { within: outer }));
  const innermost = await scene.until(mutex.acquire(NAME, { within: second }));
  expect(scene.requestsOf(process).length).toBe(sent);
  expect(await scene.until(outer.release())).toBe(true);
  for (const handle of [second, innermost]) {
    expect(handle.held).toBe(false);
    expect(handle.signal.reason).toMatchObject({ code: "lost", reason: "outer-released", lockName: NAME });
    expect(() => handle.assertHeld()).toThrow("what it nested in was released");
    expect(await handle.release()).toBe(false);
  }
  expect(outer.signal.aborted).toBe(false);
});

it("within: a loss of the outer is one of the inner, with its reason", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const outer = await scene.until(mutex.acquire(NAME));
  const inner = await scene.until(mutex.acquire(NAME, { within: outer }));
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  await scene.pass(30_000);
  expect(inner.held).toBe(false);
  expect(inner.signal.reason).toMatchObject({ code: "lost", reason: "force-released" });
  expect(await scene.until(outcomeOf(scene, mutex.acquire(NAME, { within: outer })))).toMatchObject({ code: "lost" });
});

it("within: refuses what is not a held handle of this mutex, and all of a lock within a share", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const another = scene.mutex(process);
  const foreign = await scene.until(another.acquire("foreign"));
  const released = await scene.until(mutex.acquire(NAME));
  await scene.until(released.release());
  const ask = async (within: unknown, options: AcquireOptions = {}) =>
    (await scene.until(outcomeOf(scene, mutex.acquire(NAME, { ...options, within: within as Lock })))).error;
  for (const wrong of [foreign, {}, "x", 7, null])
    expect(await ask(wrong)).toMatchObject({ code: "invalid-argument", message: expect.stringMatching(/^within is /) });
  expect(await ask(released)).toMatchObject({ code: "lost" });
  const share = await scene.until(mutex.acquire(NAME, { mode: "shared" }));
  expect(await ask(share)).toMatchObject({
    code: "deadlock",
    message: expect.stringMatching(/release the share first/),
  });
  expect(await ask(share, { timeoutMs: 0 })).toMatchObject({ code: "deadlock" });
  const inner = await scene.until(mutex.acquire(NAME, { within: share, mode: "shared" }));
  expect(inner.mode).toBe("shared");
  await scene.until(share.release());
  const all = await scene.until(mutex.acquire(NAME));
  expect((await scene.until(mutex.acquire(NAME, { within: all, mode: "shared" }))).mode).toBe("shared");
});

it("within: a set of locks nests by its members, and the members of a set in one", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const set = await scene.until(mutex.acquireAll(["a", "b"]));
  const inner = await scene.until(mutex.acquire("b", { within: set }));
  expect(inner.fencingToken).toBe(set.get("b")?.fencingToken);
  const more = await scene.until(outcomeOf(scene, mutex.acquireAll(["b", "c"], { within: set, timeoutMs: 100 })));
  expect(more.code).toBe("timed-out");
  await scene.until(inner.release());
  const both = await scene.until(mutex.acquireAll(["b", "c"], { within: set }));
  expect(both.get("b")?.fencingToken).toBe(set.get("b")?.fencingToken);
  await scene.until(both.release());
  expect(set.held).toBe(true);
});

it("within: withLock keeps what it nests in until its function has ended, and its siblings out", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const rooms = new Rooms(scene);
  const outer = await scene.until(mutex.acquire(NAME));
  const inside = mutex.withLock(NAME, workIn(scene, rooms, 2000), { within: outer });
  await scene.pass(100);
  expect(await scene.until(outer.release())).toBe(true);
  expect(outer.held).toBe(false);
  const other = scene.client().mutex.withLock(NAME, async () => rooms.enter("other"), { timeoutMs: 30_000 });
  await scene.until(Promise.all([inside, other]));
  expect(scene.problems).toEqual([]);
  expect(rooms.served).toEqual(["w1", "other"]);
});

it("P4: refuses to make a share of, or hand over, what others nest in or what nests itself", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const code = async (call: Promise<unknown>) => (await scene.until(outcomeOf(scene, call))).code;
  const outer = await scene.until(mutex.acquire(NAME));
  const inner = await scene.until(mutex.acquire(NAME, { within: outer }));
  expect(await code(inner.downgrade())).toBe("invalid-argument");
  expect(await code(outer.downgrade())).toBe("invalid-argument");
  expect(await code(inner.serialize())).toBe("invalid-argument");
  expect(await code(outer.serialize())).toBe("invalid-argument");
  expect(outer.mode).toBe("exclusive");
  await scene.until(inner.release());
  expect(await scene.until(outer.downgrade())).toBe(true);
  expect(outer.mode).toBe("shared");
});

it("P4: lets no call nest in a lock while it becomes a share, and then only sharers", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const outer = await scene.until(mutex.acquire(NAME));
  const downgrading = outer.downgrade();
  const exclusive = outcomeOf(scene, mutex.acquire(NAME, { within: outer }));
  const attempt = outcomeOf(scene, mutex.tryAcquire(NAME, { within: outer }));
  const sharing = mutex.acquire(NAME, { within: outer, mode: "shared" });
  expect(await scene.until(downgrading)).toBe(true);
  expect(await scene.until(exclusive)).toMatchObject({
    code: "deadlock",
    error: expect.objectContaining({ message: expect.stringMatching(/a share in it/) }),
  });
  expect(await scene.until(attempt)).toMatchObject({ value: null });
  expect((await scene.until(sharing)).held).toBe(true);
  const other = await scene.until(scene.client().mutex.tryAcquire(NAME, { mode: "shared" }));
  expect(other?.held).toBe(true);
});

it("P4: lets no call nest in a lock while it is handed over", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const outer = await scene.until(mutex.acquire(NAME));
  const renewing = outer.renew();
  const handingOver = outer.serialize();
  let isInside = false;
  const enter = () => {
    isInside = true;
  };
  const nested = [
    mutex.withLock(NAME, enter, { within: outer }),
    mutex.acquire(NAME, { within: outer }).then(enter),
    mutex.withLocks([NAME, "y"], enter, { within: outer }),
    mutex.acquire(NAME, { within: outer, mode: "shared" }).then(enter),
  ].map((call) => outcomeOf(scene, call));
  expect(await scene.until(renewing)).toBe(true);
  const restored = await scene.until(scene.client().mutex.restore(await scene.until(handingOver)));
  expect(restored.held).toBe(true);
  for (const { code, error } of await scene.until(Promise.all(nested), 1000)) {
    expect({ code, message: String(error) }).toEqual({ code: "lost", message: expect.stringMatching(/handed over/) });
  }
  expect(isInside).toBe(false);
});

it("P8: has siblings in one explicit scope wait for each other", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const rooms = new Rooms(scene);
  const work = workIn(scene, rooms);
  for (const options of [{}, REENTRANT]) {
    await scene.until(
      mutex.withLock("singleton", () =>
        Promise.all([turn(mutex, work, options), turn(mutex, work, options), mutex.withLock(NAME, work, options)]),
      ),
    );
  }
  expect(rooms.served).toHaveLength(6);
  expect(scene.problems).toEqual([]);
});

it("P8: runs a function outside of all scopes with mutex.detached", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  expect(mutex.detached(() => 7)).toBe(7);
  await scene.until(
    mutex.withLock(NAME, async () => {
      const waits = outcomeOf(
        scene,
        mutex.detached(() => mutex.acquire(NAME, { ...REENTRANT, timeoutMs: 200 })),
      );
      expect(await waits).toMatchObject({ code: "timed-out" });
    }),
  );
  expect(() => mutex.detached(undefined as never)).toThrow(/fn is/);
});

it("refuses at once in the function of a semaphore what it could only wait for itself for", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 2 });
  await scene.until(
    pool.withPermits(
      async () => {
        expect(await outcomeOf(scene, pool.acquire())).toMatchObject({ code: "deadlock" });
        expect(await pool.tryAcquire()).toBeNull();
      },
      { permits: 2 },
    ),
  );
});
