import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { StreamViewer } from "../../src/cli/ui/stream-viewer.js";
import type { Delta, Status } from "../../src/cli/ui/wire.js";

const status: Status = { nowMs: 1, requestsPerSecond: 0, viewers: 1, tookMs: 1, isRead: true };
const gone = (name: string): Delta => ({ changed: [], removed: [name], status });

/** Takes one piece, and the next when it is told to. */
class Slow extends Writable {
  readonly taken: string[] = [];
  takeMore = () => {};

  constructor() {
    super({ highWaterMark: 1, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    this.takeMore = done;
  }
}

test("events are written as they are told", () => {
  const stream = new Slow();
  new StreamViewer(stream, () => {}).tell("delta", gone("a\nb"));
  expect(stream.taken).toEqual([`event: delta\ndata: ${JSON.stringify(gone("a\nb"))}\n\n`]);
});

test("who reads slowly misses changes and is told everything when it has caught up, once", async () => {
  const stream = new Slow();
  let caughtUp = 0;
  const viewer = new StreamViewer(stream, () => {
    caughtUp += 1;
  });
  for (const name of ["a", "b", "c"]) viewer.tell("delta", gone(name));
  expect(stream.taken).toHaveLength(1);
  expect(stream.writableLength).toBeLessThan(200);
  const drained = new Promise((resolve) => stream.once("drain", resolve));
  stream.takeMore();
  await drained;
  expect(caughtUp).toBe(1);

  viewer.tell("delta", gone("d"));
  const drainedAgain = new Promise((resolve) => stream.once("drain", resolve));
  stream.takeMore();
  await drainedAgain;
  expect(caughtUp).toBe(1);
  expect(stream.taken.at(-1)).toContain('"removed":["d"]');
});
