import { describe, expect, it } from "vitest";
import { type Client, ending, LEASE_MS, ManagerWorld } from "./manager-world.js";

/** Until the next renewal, a client does not hear of an end by another one: its callback may have ended by then. */

/** How a lock ends under a callback without the knowledge of its client; `other` has nothing to do with it. */
const ENDS: readonly (readonly [string, (world: ManagerWorld, client: Client, other: Client) => Promise<unknown>])[] = [
  ["stolen", (_, __, { locks }) => locks.request("x", { steal: true }, () => {})],
  ["ended by force", (_, __, { mutex }) => mutex.releaseLock("x", true)],
  ["deleted", (_, __, { mutex }) => mutex.deleteLock("x", true)],
  [
    "over while its process stood still",
    ({ scene }, { process }) => {
      process.freeze(LEASE_MS + 3000, false);
      return scene.world.sleep(LEASE_MS + 1000);
    },
  ],
];

/** Requests a lock whose callback ends as soon as the lock has ended by other means. */
async function endedUnder(how: (typeof ENDS)[number][1], end: () => unknown, options = {}) {
  const world = new ManagerWorld();
  const [client, other] = [world.client(), world.client()];
  await world.scene.until(other.locks.request("x", () => {}));
  const call = async () => {
    await how(world, client, other);
    return end();
  };
  const request = client.locks.request("x", options, call);
  const over = ending(request);
  await world.scene.until(over, 60_000);
  return { world, client, request };
}

describe.each(ENDS)("a lock that is %s under its callback, where its client learns that at the release", (_, how) => {
  it.each(["exclusive", "shared"])("%s: AbortError, with the loss as its cause; nothing is left", async (mode) => {
    const { world, client, request } = await endedUnder(how, () => "result", { mode });
    await expect(request).rejects.toMatchObject({ name: "AbortError", cause: { code: "lost", lockName: "x" } });
    await world.scene.pass(3000);
    await world.expectFree(client, ["x"]);
  });

  it("passes on what the callback throws", async () => {
    const fail = () => {
      throw new Error("no disk");
    };
    const { request } = await endedUnder(how, fail);
    await expect(request).rejects.toThrow("no disk");
  });
});
