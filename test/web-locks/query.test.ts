import { describe, expect, it } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { type Client, DENIED, ending, ManagerWorld } from "./manager-world.js";

async function heldByOther() {
  const world = new ManagerWorld();
  const [client, other] = [world.client(), world.client()];
  const { release, over } = await world.hold(other.locks, "x");
  await world.scene.until(client.locks.request("y", () => {}));
  return { world, client, other, release, over };
}

/** Lets reads of one lock by one client come to this. */
function readsOf({ scene }: ManagerWorld, client: Client, fate: Fate): void {
  scene.fate = ({ key, process, operation }) =>
    key === "locks/x.json" && process === client.process && operation === "read" ? fate : { kind: "fine" };
}

describe("query() does not say of a lock that it is not held where that is not known", () => {
  it.each([
    ["the store refuses to say", DENIED, "access-denied"],
    ["the store does not answer for it", { kind: "lost" }, "store-unavailable"],
    ["the store fails for it", { kind: "error", status: 503, applied: false }, "store-unavailable"],
  ] as const)("%s: it rejects, and names the lock", async (_, fate, code) => {
    const { world, client, release, over } = await heldByOther();
    readsOf(world, client, fate);
    const querying = client.locks.query();
    querying.catch(() => {});
    await world.scene.until(ending(querying), 60_000);
    await expect(querying).rejects.toMatchObject({ code, lockName: "x", message: expect.stringContaining('"x"') });
    world.scene.fate = () => ({ kind: "fine" });
    expect((await world.scene.until(client.locks.query())).held).toMatchObject([{ name: "x" }]);
    release();
    await world.scene.until(over);
  });

  it("its object is damaged: it rejects, and says which and what to do", async () => {
    const { world, client } = await heldByOther();
    const object = world.scene.bucket.objects.get("locks/x.json");
    world.scene.bucket.objects.set("locks/x.json", { ...object, body: object?.body.slice(0, 20) } as never);
    const querying = world.scene.until(client.locks.query(), 20_000);
    await expect(querying).rejects.toMatchObject({ code: "corrupt-record", message: /"x".*deleteLock\("x", true\)/ });
  });

  it("but an object that no Web Lock has the name of says nothing about them", async () => {
    const { world, client } = await heldByOther();
    const object = world.scene.bucket.objects.get("locks/x.json");
    world.scene.bucket.objects.set("locks/-other.json", { ...object, body: "no lock" } as never);
    expect((await world.scene.until(client.locks.query())).held).toMatchObject([{ name: "x" }]);
  });
});

it.each([0, 10, 50])(
  "query() that meets a close after %i ms rejects as a request does: AbortError",
  async (afterMs) => {
    const { world, client } = await heldByOther();
    readsOf(world, client, { kind: "lost" });
    const querying = client.locks.query();
    querying.catch(() => {});
    await world.scene.pass(afterMs);
    await world.scene.until(client.locks.close());
    expect(await world.scene.until(ending(querying), 20_000)).toBe("AbortError");
    await expect(querying).rejects.toMatchObject({ message: "The lock manager was closed." });
    expect(await ending(client.locks.query())).toBe("InvalidStateError");
  },
);

it.each([[{ graceMs: "x" }], [{ graceMs: -5 }], [null]])(
  "close(%j) is refused, and closes nothing",
  async (options) => {
    const { world, client } = await heldByOther();
    const closing = client.locks.close(options as never);
    const querying = client.locks.query();
    await expect(closing).rejects.toMatchObject({ code: "invalid-argument" });
    expect((await world.scene.until(querying)).held).toHaveLength(1);
    expect(await world.scene.until(client.locks.request("y", () => "in"))).toBe("in");
  },
);
