import { GetObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import type { Lock, S3Mutex, S3MutexBaseOptions } from "../../src/index.js";
import { MAX_FENCED_BYTES } from "../../src/store/object-store.js";
import { BUCKET, codeOf, errorOf, it, type World } from "../api/fixture.js";

const KEY = "accounts/17";

const envelopeIn = (world: World, key = KEY, bucket = BUCKET) => {
  const object = world.server.getObject(bucket, key);
  return object === undefined ? undefined : JSON.parse(object.text);
};

/** Makes a holder that does not know that the lock was taken from it, and the one that has it now. */
async function zombieAndHolder(
  world: World,
  name = "account",
): Promise<{ zombie: Lock; holder: Lock; other: S3Mutex }> {
  const zombie = await world.mutex().acquire(name);
  const other = world.mutex();
  await other.releaseLock(name, true);
  return { zombie, holder: await other.acquire(name), other };
}

describe("an object under a lock", () => {
  it("is read, written, updated and deleted, beginning with none", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const account = await lock.fencedObject<{ balance: number }>({ key: KEY });
    expect(account).toMatchObject({ key: KEY, bucket: BUCKET });
    expect(await account.read()).toBeUndefined();
    expect(await account.update((before) => ({ balance: (before?.balance ?? 0) + 5 }))).toEqual({ balance: 5 });
    expect(await account.update(async (before) => ({ balance: (before?.balance ?? 0) * 3 }))).toEqual({ balance: 15 });
    expect(await account.read()).toEqual({ balance: 15 });
    await account.write({ balance: 1 });
    expect(await account.delete()).toBe(true);
    expect(await account.read()).toBeUndefined();
    expect(await account.delete()).toBe(false);
  });

  it("can be used without waiting for its opening", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const opening = lock.fencedObject<number>({ key: KEY });
    expect(opening).toMatchObject({ key: KEY, bucket: BUCKET });
    await opening.write(1);
    expect(await opening.update((before = 0) => before + 1)).toBe(2);
    expect(await opening.read()).toBe(2);
    expect(await opening.delete()).toBe(true);
    // Opened once for all of them: the GET and the stamp, three writes, and a look.
    const requests = world.server.recentRequests.filter(({ key }) => key === KEY);
    const expected = ["GetObject", "PutObject", "PutObject", "PutObject", "GetObject", "PutObject"];
    expect(requests.map(({ operation }) => operation)).toEqual(expected);
  });

  it.for<[string, unknown]>([
    ["text", "Zoë 🔒 \ud83d"],
    ["an empty text", ""],
    ["bytes", new Uint8Array([0, 255, 128, 10])],
    ["no bytes", new Uint8Array()],
    ["null", null],
    ["JSON", { list: [1, "two", { three: [null, false] }], content: 1, base64: "x", fenced: 1 }],
  ])("keeps %s as it is", async ([, content], { world }) => {
    await using lock = await world.mutex().acquire("account");
    await lock.fencedObject({ key: KEY }).write(content);
    await lock.release();
    await using next = await world.mutex().acquire("account");
    expect(await next.fencedObject({ key: KEY }).read()).toEqual(content);
  });

  it("is not changed by what is done to a value that was written or read", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject<number[]>({ key: KEY });
    const mine = [1];
    await object.write(mine);
    mine.push(2);
    (await object.read())?.push(3);
    expect(await object.read()).toEqual([1]);
    await expect(
      object.update((list = []) => {
        list.push(4);
        throw new RangeError("changed its mind");
      }),
    ).rejects.toThrow(RangeError);
    expect(await object.update((list = []) => list)).toEqual([1]);
  });

  it("says in its envelope to which lock it belongs and who has written", async ({ world }) => {
    await using lock = await world.mutex().acquire("my account");
    const object = await lock.fencedObject({ key: KEY });
    const stamped = envelopeIn(world);
    expect(stamped).toEqual({
      fenced: 1,
      lock: `s3://${BUCKET}/locks/my.20account.json`,
      token: lock.fencingToken,
      writeId: expect.any(String),
      changeId: stamped.writeId,
      openings: [{ token: lock.fencingToken, changeId: stamped.writeId }],
    });
    await object.write("text");
    const written = envelopeIn(world);
    expect(written).toMatchObject({ token: lock.fencingToken, content: "text", changeId: expect.any(String) });
    expect(written.writeId).not.toBe(stamped.writeId);
  });

  it("is in another bucket where that is asked for", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    world.leaves("account");
    await lock.fencedObject({ key: "locks/of/another", bucket: "probe-bucket" }).write("there");
    expect(envelopeIn(world, "locks/of/another", "probe-bucket")).toMatchObject({ content: "there" });
    await world.client().send(new GetObjectCommand({ Bucket: "probe-bucket", Key: "locks/of/another" }));
    world.server.deleteObject("probe-bucket", "locks/of/another");
  });

  it("does one thing after the other, in the order of the calls, for all handles on one hold", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.withLock("account", async (lock) => {
      const one = await lock.fencedObject<number>({ key: KEY });
      const other = await lock.fencedObject<number>({ key: KEY });
      const updates = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : other).update((value = 0) => value + 1),
      );
      expect(await Promise.all(updates)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });
  });

  it("tells a function that uses the object that it updates, instead of waiting for itself", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject<number>({ key: KEY });
    expect(await codeOf(object.update(async () => (await object.read()) ?? 0))).toBe("deadlock");
    expect(await object.update(() => 1)).toBe(1);
  });
});

describe("a holder of an older token", () => {
  it("is fenced out by the opening alone, and changes nothing", async ({ world }) => {
    const { zombie, holder } = await zombieAndHolder(world);
    const old = await zombie.fencedObject<string>({ key: KEY });
    await old.write("old");
    await holder.fencedObject({ key: KEY });
    const before = envelopeIn(world);
    expect(zombie.held).toBe(true);
    for (const attempt of [() => old.write("late"), () => old.update(() => "late"), () => old.delete()]) {
      const error = await errorOf(attempt());
      expect(error).toMatchObject({ code: "fenced-out", lockName: "account" });
      expect(error.maybeApplied).toBeUndefined();
    }
    expect(await codeOf(old.read())).toBe("fenced-out");
    expect(envelopeIn(world)).toEqual(before);
    expect(await holder.fencedObject({ key: KEY }).read()).toBe("old");
    await holder.release();
  });

  it("cannot open what a newer one has opened, even where there was no object", async ({ world }) => {
    const { zombie, holder } = await zombieAndHolder(world);
    await holder.fencedObject({ key: KEY });
    expect(await codeOf(zombie.fencedObject({ key: KEY }))).toBe("fenced-out");
    expect(await codeOf(zombie.fencedObject({ key: KEY }).write("late"))).toBe("fenced-out");
    await holder.fencedObject({ key: KEY }).delete();
    expect(await codeOf(zombie.fencedObject({ key: KEY }).write("late"))).toBe("fenced-out");
    await holder.release();
  });
});

describe("what cannot be fenced is refused, and left as it is", () => {
  it("an object of another lock", async ({ world }) => {
    const mutex = world.mutex();
    await using lock = await mutex.acquire("account");
    await lock.fencedObject({ key: KEY }).write("mine");
    await using other = await mutex.acquire("another");
    const error = await errorOf(other.fencedObject({ key: KEY }));
    expect(error).toMatchObject({ code: "invalid-argument", message: expect.stringContaining("locks/account.json") });
    expect(await lock.fencedObject({ key: KEY }).read()).toBe("mine");
  });

  it("an object without an envelope, unless it is to be adopted", async ({ world }) => {
    const mutex = world.mutex();
    await using lock = await mutex.acquire("account");
    world.server.putObject(BUCKET, KEY, '{"balance":5}');
    const error = await errorOf(lock.fencedObject({ key: KEY }));
    expect(error).toMatchObject({ code: "corrupt-record", message: expect.stringMatching(/accounts\/17.*adopt/) });
    expect(world.server.getObject(BUCKET, KEY)?.text).toBe('{"balance":5}');
    const adopted = await lock.fencedObject<{ balance: number }>({ key: KEY, adopt: "json" });
    expect(await adopted.update((before) => ({ balance: (before?.balance ?? 0) + 1 }))).toEqual({ balance: 6 });
    world.server.putObject(BUCKET, "note", "5");
    expect(await lock.fencedObject({ key: "note", adopt: "text" }).read()).toBe("5");
    for (const body of ["no JSON", new Uint8Array([255])]) {
      world.server.putObject(BUCKET, "odd", body);
      expect(await codeOf(lock.fencedObject({ key: "odd", adopt: "json" }))).toBe("corrupt-record");
    }
  });

  it("an object that another client has overwritten or removed since", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject({ key: KEY, adopt: "text" });
    world.server.putObject(BUCKET, KEY, "overwritten");
    for (const attempt of [() => object.write("x"), () => object.read()])
      expect(await codeOf(attempt())).toBe("corrupt-record");
    expect(world.server.getObject(BUCKET, KEY)?.text).toBe("overwritten");
    world.server.deleteObject(BUCKET, KEY);
    for (const attempt of [() => object.write("x"), () => object.read()])
      expect(await codeOf(attempt())).toBe("fenced-out");
    expect(world.server.getObject(BUCKET, KEY)).toBeUndefined();
  });

  it("an object in a newer format", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    world.server.putObject(BUCKET, KEY, '{"fenced":2}');
    expect(await codeOf(lock.fencedObject({ key: KEY }))).toBe("newer-schema");
  });

  it("bad arguments, before any request", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject({ key: KEY });
    const sent = world.server.requests.total;
    const bad: unknown[] = [
      undefined,
      {},
      { key: "" },
      { key: 5 },
      { key: "k".repeat(1025) },
      { key: KEY, bucket: "" },
    ];
    bad.push({ key: KEY, adopt: true }, { key: "locks/account.json" });
    for (const options of bad) expect(await codeOf(lock.fencedObject(options as never))).toBe("invalid-argument");
    const circular: unknown[] = [];
    circular.push(circular);
    for (const content of [undefined, () => {}, Symbol("no"), 5n, circular])
      expect(await codeOf(object.write(content))).toBe("invalid-argument");
    expect(await codeOf(object.update("no function" as never))).toBe("invalid-argument");
    expect(await codeOf(object.update(() => undefined))).toBe("invalid-argument");
    expect(await codeOf(object.write("x".repeat(MAX_FENCED_BYTES)))).toBe("invalid-argument");
    expect(world.server.requests.total).toBe(sent);
    expect(await object.read()).toBeUndefined();
  });

  it.for([
    ["half a pair", "a/\ud83d", /^key is "a\/\\ud83d": it has half of a surrogate pair, .*; leave that out\.$/],
    ["too long", "x".repeat(1025), /^key is "x+…": it has 1025 bytes, and S3 allows 1024\.$/],
    ["empty", "", /^key is "": /],
  ] as const)("a key that S3 cannot have: %s", async ([_, key, message], { world }) => {
    await using lock = await world.mutex().acquire("other");
    const sent = world.server.requests.total;
    expect(await errorOf(lock.fencedObject({ key }))).toMatchObject({
      code: "invalid-argument",
      message: expect.stringMatching(message),
    });
    expect(world.server.requests.total).toBe(sent);
    await lock.fencedObject({ key: "a/\ud83d\ude80" }).write("a whole pair");
  });

  it.for<{ options: Partial<S3MutexBaseOptions>; taken: string[]; free: string[] }>([
    {
      options: {},
      taken: ["locks/account.json", "locks/x", "semaphores/locks/pool.json", "once/locks/migrate.json"],
      free: ["once/x.json", "account.json"],
    },
    {
      options: { keyPrefix: "" },
      taken: ["account.json", "a/b.json", "a.20b.json", "semaphores/pool", "once/migrate", ".s3-mutex/probe"],
      free: ["account", "account.txt", "a.b.json", "a//b.json"],
    },
    {
      options: { keyPrefix: "l/", oncePrefix: "", semaphorePrefix: "s/" },
      taken: ["migrate.json", "s/pool.json", "l/a"],
      free: ["once/migrate"],
    },
    { options: { keyPrefix: "l/", semaphorePrefix: "" }, taken: ["pool.json"], free: ["pool"] },
  ])("a key of a lock, a semaphore or a result: %j", async ({ options, taken, free }, { world }) => {
    await using lock = await world.mutex(options).acquire("other");
    const sent = world.server.requests.total;
    for (const key of taken) {
      const { message } = await errorOf(lock.fencedObject({ key }));
      expect(message, key).toMatch(/^key is ".*": .*(locks|semaphores|results of once); use another\.$/);
    }
    expect(world.server.requests.total).toBe(sent);
    for (const key of free) {
      await lock.fencedObject({ key });
      world.server.deleteObject(BUCKET, key);
    }
    await lock.fencedObject({ key: taken[0] as string, bucket: "probe-bucket" });
    world.server.deleteObject("probe-bucket", taken[0] as string);
  });

  it("a handle that was released", async ({ world }) => {
    const mutex = world.mutex();
    const lock = await mutex.acquire("account");
    const object = await lock.fencedObject<number>({ key: KEY });
    await object.write(1);
    const late = object.update(async () => {
      await lock.release();
      return 2;
    });
    expect(await codeOf(late)).toBe("lost");
    expect(await codeOf(object.write(3))).toBe("lost");
    expect(await codeOf(lock.fencedObject({ key: KEY }))).toBe("lost");
    expect(envelopeIn(world)).toMatchObject({ content: 1 });
  });
});

describe("holds of other kinds", () => {
  it("those that others share, and permits, cannot fence: they would fence each other out", async ({ world }) => {
    const mutex = world.mutex();
    await using shared = await mutex.acquire("account", { mode: "shared" });
    expect(await codeOf(shared.fencedObject({ key: KEY }))).toBe("invalid-argument");
    await using permit = await mutex.semaphore("slots", { permits: 2 }).acquire();
    expect(await codeOf(permit.fencedObject({ key: KEY }))).toBe("invalid-argument");
    expect(envelopeIn(world)).toBeUndefined();
  });

  it("a lock that was made a shared one fences no longer", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject({ key: KEY });
    await lock.downgrade();
    expect(await codeOf(object.write("x"))).toBe("invalid-argument");
  });

  it("one that was handed over goes on where it was restored, and nowhere else", async ({ world }) => {
    const lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject<string>({ key: KEY });
    await object.write("before");
    await using restored = await world.mutex().restore(await lock.serialize());
    expect(await codeOf(object.write("late"))).toBe("lost");
    const goesOn = await restored.fencedObject<string>({ key: KEY });
    expect(await goesOn.update((text) => `${text}, after`)).toBe("before, after");
    expect(restored.fencingToken).toBeGreaterThan(lock.fencingToken);
  });
});

describe("a large object", () => {
  it("takes what fits, envelope included", async ({ world }) => {
    await using lock = await world.mutex().acquire("account");
    const object = await lock.fencedObject<string>({ key: KEY });
    const large = "x".repeat(MAX_FENCED_BYTES - 500);
    await object.write(large);
    await lock.fencedObject({ key: "other" });
    expect((await object.read())?.length).toBe(large.length);
    await using next = await world.mutex().acquire("account2");
    expect(await codeOf(next.fencedObject({ key: KEY }))).toBe("invalid-argument");
  });
});
