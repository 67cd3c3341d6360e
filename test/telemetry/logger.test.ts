import { expect, vi } from "vitest";
import { it, listeningLogger, until } from "../api/fixture.js";

it("without a logger says nothing, except what nobody would learn of otherwise", async ({ world }) => {
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
