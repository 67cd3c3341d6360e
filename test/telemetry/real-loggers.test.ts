import { Writable } from "node:stream";
import { expect } from "vitest";
import type { Logger } from "../../src/index.js";
import { it, until, type World } from "../api/fixture.js";

interface Pino extends Logger {
  child(fields: object): Pino;
}

interface Winston {
  createLogger(options: object): Logger;
  readonly format: { json(): object };
  readonly transports: { readonly Stream: new (options: { readonly stream: Writable }) => object };
}

/** Loads a logger. Both are development dependencies; where they are not installed yet these tests are skipped, except in CI. */
async function installed<Module>(name: string): Promise<Module | undefined> {
  try {
    return (await import(name)).default;
  } catch (error) {
    if (process.env["CI"]) throw error;
    return undefined;
  }
}

const pino = await installed<(options: object, stream: Writable) => Pino>("pino");
const winston = await installed<Winston>("winston");

/** Parses the lines of a stream that a logger writes JSON to. */
function jsonLines(): { readonly stream: Writable; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split("\n")) lines.push(JSON.parse(line));
      done();
    },
  });
  return { stream, lines };
}

async function loseOne(world: World, logger: Logger): Promise<void> {
  const lock = await world.mutex({ logger }).acquire("nightly");
  await world.mutex().releaseLock("nightly", true);
  await lock.renew();
}

const TEXT =
  's3-mutex: a lock was lost: The lock "nightly" is not held any more: it was released by force. (lost, force-released)';

it.skipIf(pino === undefined)(
  "P14: pino gets the error as `err`, with its stack, and all of the text",
  async ({ world }) => {
    const { stream, lines } = jsonLines();
    const parent = pino?.({}, stream);
    for (const logger of [parent, parent?.child({ part: "locks" })] as Logger[]) await loseOne(world, logger);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatchObject({
        level: 40,
        msg: TEXT,
        lockName: "nightly",
        err: {
          type: "S3MutexError",
          code: "lost",
          reason: "force-released",
          stack: expect.stringContaining("S3MutexError"),
        },
      });
    }
  },
);

it.skipIf(winston === undefined)("P14: winston gets the text, and the error as `err`", async ({ world }) => {
  const { stream, lines } = jsonLines();
  const { createLogger, format, transports } = winston as Winston;
  const logger = createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] });
  await loseOne(world, logger);
  await until(() => lines.length > 0);
  const err = {
    name: "S3MutexError",
    code: "lost",
    reason: "force-released",
    message: expect.stringContaining("nightly"),
  };
  expect(lines).toMatchObject([{ level: "warn", message: TEXT, lockName: "nightly", err }]);
});
