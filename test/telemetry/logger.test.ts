import { Console } from "node:console";
import { Writable } from "node:stream";
import { expect, vi } from "vitest";
import { type Lock, type Logger, S3MutexError } from "../../src/index.js";
import { BUCKET, it, listeningLogger, until, type World } from "../api/fixture.js";
import { unheardOf } from "./unheard.js";

it("without a logger says nothing, except what the user would not learn of otherwise", async ({ world }) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const written = [vi.spyOn(process.stdout, "write"), vi.spyOn(console, "warn"), vi.spyOn(console, "log")];
  try {
    const mutex = world.mutex();
    world.server.faults.add({ fault: "drop-before", times: 2 });
    await (await mutex.acquire("lock")).release();
    mutex.on("acquired", () => {
      throw new Error("a bad listener");
    });
    await (await mutex.acquire("lock")).release();
    await until(() => warnings.length > 0);
    expect(warnings.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'S3MutexWarning: s3-mutex: a listener of "acquired" threw: a bad listener',
    ]);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
  } finally {
    process.off("warning", onWarning);
    for (const spy of written) spy.mockRestore();
  }
});

it("takes a logger with some of the four, and one whose functions are methods, as those of pino are", async ({
  world,
}) => {
  class Lines {
    readonly lines: string[] = [];
    warn(message: string): void {
      this.lines.push(message);
    }
  }
  const logger = new Lines();
  const mutex = world.mutex({ logger, lockTimeoutMs: 600 });
  const lock = await mutex.acquire("lock");
  world.server.faults.add({ fault: "drop-before" });
  await lock[Symbol.asyncDispose]();
  expect(logger.lines).toEqual([expect.stringContaining('releasing "lock" failed')]);
  world.server.faults.clear();
  world.leaves("lock");
  const { logger: whole, lines } = listeningLogger();
  const other = world.mutex({ logger: whole });
  other.on("acquired", () => {
    throw new Error("a bad listener");
  });
  await (await other.acquire("other")).release();
  expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining('a listener of "acquired" threw') }]);
});

/** Makes the lock `name` be lost with a reason, by whatever leads to that. */
const LOSSES: Readonly<Record<string, (world: World, lock: Lock) => Promise<unknown>>> = {
  "force-released": async (world, lock) => {
    await world.mutex().releaseLock(lock.name, true);
    await lock.renew();
  },
  deleted: async (world, lock) => {
    world.server.deleteObject(BUCKET, world.key(lock.name));
    await lock.renew();
  },
  "store-unavailable": async (world, lock) => {
    world.server.faults.add({ fault: "status", status: 403 });
    await until(() => !lock.held);
    world.server.faults.clear();
    await world.mutex().releaseLock(lock.name, true);
  },
};

it.for(Object.entries(LOSSES))("P14: a loss is logged with its reason: %s", async ([reason, lose], { world }) => {
  const { logger, lines } = listeningLogger();
  const lock = await world.mutex({ logger, lockTimeoutMs: 600 }).acquire("nightly");
  await lose(world, lock);
  await until(() => lines.some(({ message }) => message.includes("a lock was lost")));
  const told = lines.filter(({ message }) => message.includes("a lock was lost"));
  expect(told).toEqual([
    {
      level: "warn",
      message: expect.stringMatching(
        new RegExp(`^s3-mutex: a lock was lost: The lock "nightly" is not held any more: .*\\(lost, .*${reason}\\)$`),
      ),
      details: [expect.objectContaining({ lockName: "nightly", reason, fencingToken: lock.fencingToken })],
    },
  ]);
  const [{ err } = { err: undefined }] = (told[0]?.details ?? []) as { readonly err: unknown }[];
  expect(err).toBe(lock.signal.reason);
  if (reason === "store-unavailable") {
    const renewals = lines.filter(({ message }) => message.includes("renewing"));
    expect(renewals[0]?.message).toMatch(/renewing "nightly" failed and is tried again: .*\(access-denied\)$/);
  }
});

async function loseOne(world: World, logger: Logger): Promise<void> {
  const lock = await world.mutex({ logger }).acquire("nightly");
  await world.mutex().releaseLock("nightly", true);
  await lock.renew();
}

const TEXT =
  's3-mutex: a lock was lost: The lock "nightly" is not held any more: it was released by force. (lost, force-released)';

it("P14: console gets the text first, then the error with its stack", async ({ world }) => {
  const printed: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      printed.push(String(chunk));
      done();
    },
  });
  await loseOne(world, new Console(stream));
  expect(printed.join("")).toMatch(
    /^s3-mutex: a lock was lost: .*\(lost, force-released\) \{\n {2}err: S3MutexError: /,
  );
});

it("P14: bunyan and its like get the fields first, by what their loggers have", async ({ world }) => {
  const calls: unknown[][] = [];
  class Bunyan {
    child(): Bunyan {
      return this;
    }
    addSerializers(): void {}
    warn(...values: unknown[]): void {
      calls.push(values);
    }
  }
  await loseOne(world, new Bunyan() as Logger);
  expect(calls).toEqual([[expect.objectContaining({ err: expect.any(S3MutexError) }), TEXT]]);
});

it("P14: what a listener throws is in the text, whatever it is; it forges no second line", async ({ world }) => {
  const { logger, lines } = listeningLogger();
  const mutex = world.mutex({ logger });
  const thrown: unknown[] = [new TypeError("bad"), "a text\nERROR forged", undefined, Object.create(null), { code: 5 }];
  mutex.on("acquired", () => {
    throw thrown[lines.length];
  });
  for (const _ of thrown) await (await mutex.acquire("x")).release();
  expect(lines.map(({ message }) => message.replace('s3-mutex: a listener of "acquired" threw: ', ""))).toEqual([
    "bad",
    "a text\\x0aERROR forged",
    "undefined",
    "object",
    "[object Object]",
  ]);
});

it("a logger whose methods reject ends no process that holds locks", async ({ world }) => {
  const calls: string[] = [];
  const away = async (message: string) => {
    calls.push(message);
    throw new Error("the log service is away");
  };
  const logger: Logger = { debug: away, info: away, warn: away, error: away };
  const unheard = await unheardOf(async () => {
    const lock = await world.mutex({ logger }).acquire("nightly");
    await world.mutex().releaseLock("nightly", true);
    await lock.renew();
  });
  expect(calls).toContain(TEXT);
  expect(unheard).toEqual([]);
});

it("what is told of a listing's progress may reject: it is logged, and the listing goes on", async ({ world }) => {
  world.leaves("a");
  await (await world.mutex().acquire("a")).release();
  const { logger, lines } = listeningLogger();
  const mutex = world.mutex({ logger });
  const onProgress = async () => {
    throw new Error("the screen is away");
  };
  const unheard = await unheardOf(async () => {
    const names: string[] = [];
    for await (const { lockName } of mutex.list({ onProgress })) names.push(lockName);
    expect(names).toEqual(["a"]);
    expect(await mutex.cleanupStaleLocks({ onProgress, dryRun: true })).toMatchObject({ total: 1 });
  });
  expect(unheard).toEqual([]);
  const error = { level: "error", message: "s3-mutex: onProgress rejected: the screen is away" };
  expect(lines).toEqual(lines.map(() => expect.objectContaining(error)));
  expect(lines.length).toBeGreaterThan(3);
});
