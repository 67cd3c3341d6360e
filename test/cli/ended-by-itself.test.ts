import { setImmediate as immediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Output } from "../../src/cli/base/output.js";
import type { DeadlinePlan } from "../../src/cli/run/deadline.js";
import type { Held } from "../../src/cli/run/held.js";
import { startWhileHeld } from "../../src/cli/run/while-held.js";

/** A command that has ended is not ended by `run`: also where `run` stood still and learns of that end and of its lease's at once. */

const LEASE_MS = 1500;
const STILL_MS = 1000;

interface Case {
  readonly script: string;
  readonly deadline: DeadlinePlan;
}

/** Runs a shell script under a lock that nothing renews, and stands still while it runs. */
async function runStandingStill({ script, deadline }: Case) {
  const startedAtMs = performance.now();
  const held: Held = {
    title: 'the lock "x"',
    environment: {},
    signal: new AbortController().signal,
    get remainingMs() {
      return Math.max(0, LEASE_MS - (performance.now() - startedAtMs));
    },
    renew: () => new Promise(() => {}),
    confirm: async () => {},
    release: async () => true,
    rest: () => ({ title: 'the lock "x"', isSeveral: false }),
  };
  const notes: string[] = [];
  const output = { note: (message: string) => void notes.push(message) } as unknown as Output;
  const line = { command: "sh", args: ["-c", script], environment: process.env };
  const running = startWhileHeld(held, line, { deadline, groupGraceMs: undefined }, output);
  // Its timers come next then, as they do where a signal stops and continues a process that waits for events.
  await immediate();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STILL_MS);
  return { ...(await running.result), notes };
}

const PLANS: Readonly<Record<string, DeadlinePlan>> = {
  "is about to be over": { terminateAtMs: 1000, killAtMs: 100 },
  "is over": { terminateAtMs: 1200, killAtMs: 1000 },
};

for (const [lease, deadline] of Object.entries(PLANS)) {
  it.each([0, 3])(`has its own exit code, %i, where the lease ${lease}`, async (exitCode) => {
    const { notes, ...result } = await runStandingStill({ script: `exit ${exitCode}`, deadline });
    expect(notes).toEqual([]);
    expect(result).toMatchObject({ exitCode, wasEndedByUs: false, isStuck: false });
  });

  it(`is ended where it goes on and the lease ${lease}`, async () => {
    const { notes, ...result } = await runStandingStill({ script: "exec sleep 30", deadline });
    expect(notes).toHaveLength(1);
    expect(result).toMatchObject({ exitCode: 79, wasEndedByUs: true, isStuck: false });
  });
}
