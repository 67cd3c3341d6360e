import { expect, it } from "vitest";
import { Campaign } from "../../src/cli/elect/campaign.js";
import { createLog } from "../../src/cli/process/log.js";
import { heldLock } from "../../src/cli/run/held.js";
import { mayStart } from "../../src/cli/run/while-held.js";
import { type Election, type Lock, S3MutexError } from "../../src/index.js";
import { NAME, Scene } from "../../testkit/scene.js";
import { startOutput } from "./terminal.js";

/** Grants a lock that is not held by the time that a command would be started: this process stood still, or its clock was set. */

async function granted() {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  const { output, said } = startOutput();
  const ask = () => scene.until(mayStart(heldLock(mutex, lock), output), 60_000);
  return { scene, process, ask, said };
}

it("starts what is held, without a word", async () => {
  const { ask, said } = await granted();
  expect(await ask()).toBe(true);
  expect(said.stderr).toBe("");
});

it("does not start a command after this process stood still for longer than the lease, and says so", async () => {
  const { scene, process, ask, said } = await granted();
  process.freeze(100_000, false);
  await scene.pass(90_000);
  expect(await ask()).toBe(false);
  expect(said.stderr).toMatch(/The lock "x" is not held any more: .* The command was not started\.\n$/);
});

it("asks the store first where the wall clock was set", async () => {
  const { process, ask, said } = await granted();
  process.stepWall(3_600_000);
  expect(await ask()).toBe(true);
  expect(said.stderr).toBe("");
});

it("elect: a lead that was lost in the moment in which it was won is campaigned for again", async () => {
  const lock = {} as Lock;
  let attempts = 0;
  const election = {
    async campaign() {
      attempts += 1;
      if (attempts === 1) throw new S3MutexError("lost", "It was lost.", { reason: "expired" });
      return lock;
    },
  } as unknown as Election;
  const { output } = startOutput();
  const campaign = new Campaign(election, output, createLog(false, output));
  expect(await campaign.won(new AbortController().signal)).toBe(lock);
});
