import { describe, expect, it } from "vitest";
import type { Election } from "../../src/index.js";
import { type Client, Scene } from "../../testkit/scene.js";

/** Until its next renewal, a leader does not hear of an end by other clients: its function may have ended by then. */

const NAME = "scheduler";

const LEASE_MS = 9000;

/** How the lead ends without the knowledge of the leader; another candidate leads then, for a while. */
const ENDS: readonly (readonly [string, (scene: Scene, leader: Client, other: Client) => Promise<unknown>])[] = [
  ["ended by force", (_, __, { mutex }) => mutex.releaseLock(NAME, true)],
  ["deleted", (_, __, { mutex }) => mutex.deleteLock(NAME, true)],
  [
    "over while its process stood still",
    (scene, { process }) => {
      process.freeze(LEASE_MS + 4000, false);
      return scene.world.sleep(LEASE_MS + 2000);
    },
  ],
];

type End = (typeof ENDS)[number][1];

/** Lets a client lead with a function that ends, in its first turn, right after another candidate has come to lead. */
function leadAndLose(how: End, end: (election: Election) => unknown, stop = new AbortController()) {
  const scene = new Scene();
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const logger = { debug() {}, info() {}, warn, error: warn };
  const [leader, other] = [scene.client({ logger }), scene.client()];
  const election = leader.mutex.election(NAME, { leaseMs: LEASE_MS });
  const tokens: number[] = [];
  const running = election.runWhenLeader(
    async (_, token) => {
      tokens.push(token);
      if (tokens.length > 1) return "second";
      await how(scene, leader, other);
      const between = await other.mutex.election(NAME).campaign();
      tokens.push(between.fencingToken);
      void scene.world.sleep(3000).then(() => between.release());
      return end(election);
    },
    { signal: stop.signal },
  );
  return { scene, running, tokens, warnings };
}

describe.each(ENDS)("a lead that is %s, where the leader learns that when its function has ended", (_, how) => {
  it("is campaigned for again, and the function runs again under a higher token", async () => {
    const { scene, running, tokens, warnings } = leadAndLose(how, () => "first");
    expect(await scene.until(running, 60_000)).toBe("second");
    expect(tokens).toHaveLength(3);
    expect(tokens.toSorted((a, b) => a - b)).toEqual(tokens);
    expect(warnings).toEqual([expect.stringMatching(/a lock was lost/)]);
  });

  it("so, too, where the function throws, as when the newer leader has fenced it out: the logger is told", async () => {
    const { scene, running, tokens, warnings } = leadAndLose(how, () => {
      throw new Error("fenced out");
    });
    expect(await scene.until(running, 60_000)).toBe("second");
    expect(tokens).toHaveLength(3);
    expect(warnings).toEqual([
      expect.stringMatching(/a lock was lost/),
      expect.stringMatching(/stepped down: fenced out/),
    ]);
  });

  it("is not campaigned for again by a candidate whose signal was aborted meanwhile", async () => {
    const stop = new AbortController();
    const { scene, running, tokens } = leadAndLose(how, () => stop.abort(), stop);
    expect(await scene.until(running, 60_000)).toBeUndefined();
    expect(tokens).toHaveLength(2);
  });
});

it.each(ENDS.slice(0, 2))(
  "a lead that is %s is not campaigned for again by a candidate that resigns by then",
  async (_, how) => {
    const resigned: Promise<boolean>[] = [];
    const { scene, running, tokens } = leadAndLose(how, (election) => resigned.push(election.resign()));
    expect(await scene.until(running, 60_000)).toBeUndefined();
    expect(tokens).toHaveLength(2);
  },
);

it.each(["an abort", "a resignation"])(
  "what a leader throws is not taken for an answer to %s that comes while it gives the lead back",
  async (what) => {
    const scene = new Scene();
    const stop = new AbortController();
    const election = scene.client().mutex.election(NAME);
    const fail = () => {
      void scene.world.sleep(10).then(async () => (what === "an abort" ? stop.abort() : await election.resign()));
      throw new Error("no disk");
    };
    const running = election.runWhenLeader(fail, { signal: stop.signal });
    await expect(scene.until(running)).rejects.toThrow("no disk");
  },
);
