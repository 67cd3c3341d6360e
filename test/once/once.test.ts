import { once } from "node:events";
import { describe, expect, it as inVirtualTime } from "vitest";
import { Scene } from "../../testkit/scene.js";
import { BUCKET, codeOf, errorOf, it, type World } from "../api/fixture.js";
import { outcomeOf, pause } from "../waiting/place.js";

const KEY = "once/locks/migrate-42.json";

const memory = (world: World, key = KEY) => {
  const object = world.server.getObject(BUCKET, key);
  return object === undefined ? undefined : JSON.parse(object.text);
};

/** The fixture takes every `.json` for a lock. */
const forgetAll = (world: World) => {
  for (const { key } of world.server.objects(BUCKET)) {
    if (!key.startsWith("locks/")) world.server.deleteObject(BUCKET, key);
  }
};

describe("what is done once", () => {
  it("is refused in words where its lock would have the key of its result, before anything is sent", async ({
    world,
  }) => {
    const mutex = world.mutex({ keyPrefix: "" });
    const before = world.server.recentRequests.length;
    for (const call of [mutex.runOnce("migrate-42", () => 1), mutex.forget("migrate-42")]) {
      await expect(call).rejects.toMatchObject({
        code: "invalid-argument",
        message: expect.stringMatching(
          /oncePrefix is "once\/".* under the keyPrefix ""; set another oncePrefix, such as "results\/"/,
        ),
      });
    }
    expect(world.server.recentRequests.length).toBe(before);
    const apart = world.mutex({ keyPrefix: "", oncePrefix: "results/" });
    expect(await apart.runOnce("migrate-42", () => 1)).toEqual({ ran: true, result: 1 });
    forgetAll(world);
  });

  it("is run by one of many, and all get its result", async ({ world }) => {
    let runs = 0;
    const migrate = async () => {
      runs += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { tables: 3 };
    };
    const calls = Array.from({ length: 5 }, () => world.mutex().runOnce("migrate-42", migrate));
    const results = await Promise.all(calls);
    expect(runs).toBe(1);
    expect(results.map(({ result }) => result)).toEqual(calls.map(() => ({ tables: 3 })));
    expect(results.filter(({ ran }) => ran)).toHaveLength(1);
    forgetAll(world);
  });

  it("costs one request when it was done long ago", async ({ world }) => {
    await world.mutex().runOnce("migrate-42", () => "done");
    const late = world.mutex();
    world.server.resetRequests();
    expect(await late.runOnce("migrate-42", () => "again")).toEqual({ ran: false, result: "done" });
    expect(world.server.recentRequests.map(({ operation, key }) => [operation, key])).toEqual([["GetObject", KEY]]);
    forgetAll(world);
  });

  it("is remembered outside of the locks, with who did it and when", async ({ world }) => {
    const mutex = world.mutex({ ownerId: "deployer" });
    const before = Date.now();
    await mutex.runOnce("migrate-42", () => ["a", 1]);
    const { content, lock } = memory(world);
    expect(content).toEqual({ result: ["a", 1], owner: "deployer", doneAtMs: expect.any(Number) });
    expect(Math.abs(content.doneAtMs - before)).toBeLessThan(3000);
    expect(lock).toBe(`s3://${BUCKET}/locks/once/migrate-42.json`);
    const other = world.mutex({ keyPrefix: "app/", oncePrefix: "results/" });
    await other.runOnce("a b", () => 1);
    expect(memory(world, "results/a.20b.json").content.result).toBe(1);
    forgetAll(world);
  });

  it("is given a signal and a token, and may return nothing", async ({ world }) => {
    const mutex = world.mutex();
    const given = await mutex.runOnce("given", ({ signal, fencingToken }) => [signal.aborted, typeof fencingToken]);
    expect(given.result).toEqual([false, "number"]);
    expect(await mutex.runOnce("nothing", () => {})).toEqual({ ran: true, result: undefined });
    expect(await mutex.runOnce("nothing", () => 1 as never)).toEqual({ ran: false, result: undefined });
    expect(await mutex.runOnce("null", () => null)).toEqual({ ran: true, result: null });
    expect(await mutex.runOnce("null", () => null)).toEqual({ ran: false, result: null });
    forgetAll(world);
  });

  it("gives the first caller the result as JSON has it, like all others", async ({ world }) => {
    const mutex = world.mutex();
    const date = new Date(0);
    const first = await mutex.runOnce<unknown>("date", () => ({ date, left: undefined }));
    expect(first.result).toEqual({ date: "1970-01-01T00:00:00.000Z" });
    expect((await mutex.runOnce<unknown>("date", () => 0)).result).toEqual(first.result);
    forgetAll(world);
  });

  it("is run again after a failure, whose error comes out unchanged", async ({ world }) => {
    const mutex = world.mutex();
    const failure = new RangeError("no space");
    await expect(mutex.runOnce("migrate-42", () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await mutex.isLocked("once/migrate-42")).toBe(false);
    expect(await mutex.runOnce("migrate-42", () => "now")).toEqual({ ran: true, result: "now" });
    forgetAll(world);
  });

  it("is run again once it was forgotten", async ({ world }) => {
    const mutex = world.mutex();
    expect(await mutex.forget("migrate-42")).toBe(false);
    await mutex.runOnce("migrate-42", () => 1);
    expect(await world.mutex().forget("migrate-42")).toBe(true);
    expect(await mutex.forget("migrate-42")).toBe(false);
    expect(await mutex.runOnce("migrate-42", () => 2)).toEqual({ ran: true, result: 2 });
    forgetAll(world);
  });

  it("is not run inside of itself", async ({ world }) => {
    const mutex = world.mutex();
    const inside = () => mutex.runOnce("migrate-42", () => 1);
    const { code, message } = await errorOf(mutex.runOnce("migrate-42", inside));
    expect(code).toBe("deadlock");
    expect(message).not.toMatch(/reentrant|within/);
    forgetAll(world);
  });

  inVirtualTime("is not waited for longer than the caller wants", async () => {
    const scene = new Scene();
    const [{ mutex, process }, { mutex: other }] = [scene.client(), scene.client()];
    const running = mutex.runOnce("slow", () => pause(process, 3000));
    await scene.pass(500);
    const outcome = await scene.until(
      outcomeOf(
        scene,
        other.runOnce("slow", () => {}, { timeoutMs: 50 }),
      ),
    );
    // P17: who reads it is told of the time that was given, in whole milliseconds.
    expect(outcome.error).toMatchObject({
      code: "timed-out",
      message: expect.stringMatching(/was not free within 50 ms\. It is held by /),
      holders: [expect.anything()],
    });
    const stop = new AbortController();
    scene.world.after(50, () => stop.abort());
    for (const signal of [stop.signal, AbortSignal.abort()]) {
      const aborted = await scene.until(
        outcomeOf(
          scene,
          other.runOnce("slow", () => {}, { signal }),
        ),
      );
      expect(aborted.code).toBe("aborted");
    }
    expect((await scene.until(running)).ran).toBe(true);
  });
});

describe("a run that loses its lock", () => {
  it("is not remembered when another process has taken over, and cannot overwrite what that one has done", async ({
    world,
  }) => {
    const [zombie, other] = [world.mutex(), world.mutex()];
    const late = zombie.runOnce("migrate-42", async () => {
      await other.releaseLock("once/migrate-42", true);
      expect(await other.runOnce("migrate-42", () => "by the other")).toEqual({ ran: true, result: "by the other" });
      return "by the zombie";
    });
    const error = await errorOf(late);
    expect(error).toMatchObject({ code: "lost", lockName: "once/migrate-42", result: "by the zombie" });
    expect(error.message).toContain("was not remembered");
    expect(error.maybeApplied).toBeUndefined();
    expect((await zombie.runOnce("migrate-42", () => "again")).result).toBe("by the other");
    forgetAll(world);
  });

  it("is remembered when no other process has begun", async ({ world }) => {
    const mutex = world.mutex();
    const { ran } = await mutex.runOnce("migrate-42", () => mutex.releaseLock("once/migrate-42", true));
    expect(ran).toBe(true);
    expect((await world.mutex().runOnce("migrate-42", () => "again")).ran).toBe(false);
    forgetAll(world);
  });

  it("says when it is not known whether it was remembered", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 500 });
    const run = mutex.runOnce("migrate-42", () => {
      world.server.faults.add({ fault: "never-answer", key: KEY });
      return "done";
    });
    const error = await errorOf(run);
    expect(error).toMatchObject({ code: "store-unavailable", result: "done", maybeApplied: true });
    world.server.faults.clear();
    forgetAll(world);
  });
});

describe("the names of events", () => {
  it.for(["released", "lost", "error", "newListener"])("P24: are keys like all others: %s", async (key, { world }) => {
    const mutex = world.mutex();
    expect(await mutex.runOnce(key, () => 1)).toEqual({ ran: true, result: 1 });
    expect(await mutex.runOnce(key, () => 2)).toEqual({ ran: false, result: 1 });
    expect(mutex.eventNames()).toEqual([]);
    forgetAll(world);
  });

  it("P24: once() only listens, as in every EventEmitter", async ({ world }) => {
    const mutex = world.mutex();
    const heard: string[] = [];
    mutex.once("acquired", ({ lockName }) => heard.push(lockName));
    const released = once(mutex, "released");
    await mutex.withLock("a", () => {});
    await mutex.withLock("b", () => {});
    expect(heard).toEqual(["a"]);
    expect((await released)[0]).toMatchObject({ lockName: "a" });
    expect(mutex.once("error", (() => {}) as never)).toBe(mutex);
  });
});

describe("bad input", () => {
  it("is refused before any request", async ({ world }) => {
    const mutex = world.mutex();
    for (const key of ["", undefined, 5, "k".repeat(1100)]) {
      expect(await codeOf(mutex.runOnce(key as never, () => {}))).toBe("invalid-argument");
      expect(await codeOf(mutex.forget(key as never))).toBe("invalid-argument");
    }
    expect(await codeOf(mutex.runOnce<void>("k", "no function" as never))).toBe("invalid-argument");
    expect(await codeOf(mutex.runOnce("k", () => {}, null as never))).toBe("invalid-argument");
    expect(await codeOf(world.mutex({ oncePrefix: "locks/once/" }).runOnce("k", () => {}))).toBe("invalid-argument");
    expect(world.server.requests.total).toBe(0);
  });

  it.for<[string, unknown]>([
    ["a BigInt", 5n],
    ["a function", () => {}],
    ["a symbol", Symbol("done")],
    ["bytes", new Uint8Array(3)],
    ["more than 8 MiB", "x".repeat(8 * 1024 * 1024)],
  ])("D: a result that cannot be remembered says that it has run: %s", async ([, value], { world }) => {
    const mutex = world.mutex();
    const error = await errorOf(mutex.runOnce("migrate-42", () => value));
    expect(error).toMatchObject({ code: "invalid-argument", lockName: "once/migrate-42" });
    expect(error.message).toContain("has run");
    expect(error.result).toBe(value);
    // Nothing of fenced objects, whose content is stored the same way.
    if (["function", "symbol"].includes(typeof value) || value instanceof Uint8Array)
      expect(error.message).toContain("return a JSON value, such as a base64 text, or nothing");
    expect(error.message).not.toMatch(/delete\(\)|several objects|fenced/);
    expect(memory(world).content).toBeUndefined();
    expect(await mutex.runOnce("migrate-42", () => 1)).toEqual({ ran: true, result: 1 });
    forgetAll(world);
  });

  it("results of other instances that share the prefix and not the locks are refused", async ({ world }) => {
    await world.mutex().runOnce("migrate-42", () => 1);
    const other = world.mutex({ keyPrefix: "other/", oncePrefix: "once/locks/" });
    expect(await codeOf(other.runOnce("migrate-42", () => 2))).toBe("invalid-argument");
    world.server.putObject(BUCKET, KEY, "no result");
    expect(await codeOf(world.mutex().runOnce("migrate-42", () => 2))).toBe("corrupt-record");
    forgetAll(world);
  });
});
