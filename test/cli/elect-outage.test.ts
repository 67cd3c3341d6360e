import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Output } from "../../src/cli/base/output.js";
import { Campaign } from "../../src/cli/elect/campaign.js";
import { createLog, type Log } from "../../src/cli/process/log.js";
import { type Election, type Lock, S3MutexError } from "../../src/index.js";

/** Tests P10 for `elect`: the store is away for an hour, and each campaign gives up after a minute. */

beforeEach(() => vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ATTEMPTS = 60;

function outage(isDebugging: boolean) {
  const said: string[] = [];
  const log: Log = createLog(isDebugging, { note: (message: string) => void said.push(message) } as Output);
  const lock = {} as Lock;
  let attempts = 0;
  const warn = (message: string) => log.logger.warn?.(`s3-mutex: ${message}`, {});
  const election = {
    async campaign({ signal }: { signal: AbortSignal }) {
      attempts += 1;
      if (signal.aborted) throw new S3MutexError("aborted", "Stopped.");
      if (attempts > ATTEMPTS) return lock;
      warn("the store does not answer");
      setTimeout(() => warn("could not clean up"), 500);
      throw new S3MutexError("store-unavailable", "The store did not answer");
    },
  } as unknown as Election;
  return { said, log, lock, campaign: new Campaign(election, { note: (text) => void said.push(text) }, log), warn };
}

it("P10: a candidate says once that the store is away, however long that is, and is heard again after it", async () => {
  const { said, lock, campaign, warn } = outage(false);
  const won = campaign.won(new AbortController().signal);
  await vi.advanceTimersByTimeAsync(ATTEMPTS * 1000);
  expect(await won).toBe(lock);
  expect(said).toEqual(["the store does not answer", "The store did not answer. The store is asked again and again."]);
  warn("a renewal failed");
  expect(said).toHaveLength(3);
});

it("P10: a candidate hears everything with --debug", async () => {
  const { said, campaign } = outage(true);
  const won = campaign.won(new AbortController().signal);
  await vi.advanceTimersByTimeAsync(ATTEMPTS * 1000);
  await won;
  expect(said).toHaveLength(2 * ATTEMPTS + 1);
});

it("what two calls of one command find out at the same time is said once", async () => {
  const { said, warn } = outage(false);
  for (let calls = 0; calls < 2; calls += 1) warn("the store does not answer");
  await vi.advanceTimersByTimeAsync(2000);
  warn("the store does not answer");
  const { said: all, warn: warnOf } = outage(true);
  for (let calls = 0; calls < 2; calls += 1) warnOf("the store does not answer");
  expect([said.length, all.length]).toEqual([2, 2]);
});
