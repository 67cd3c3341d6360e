import { expect, it } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { FINE, NAME, Scene, type Sent } from "../../testkit/scene.js";
import { outcomeOf } from "./place.js";

/** That another caller has the lock is said of a time in which one had it: a store that does not let it be taken is an error. */

const REFUSED: Fate = { kind: "error", status: 503, applied: false };
const CONFLICT: Fate = { kind: "error", status: 409, applied: false };
const SILENT: Fate = { kind: "lost" };
const FREE = expect.stringContaining(
  '"x" was free when it was last read, or its lease over, and the store did not let it be taken',
);

const writes =
  (fate: Fate) =>
  ({ operation }: Sent) =>
    operation === "write" ? fate : FINE;

it.each([
  ["refuses writes", REFUSED, 1600, { code: "store-unavailable", error: { message: FREE } }],
  ["answers no write", SILENT, 3500, { code: "store-unavailable", error: { message: FREE } }],
  ["calls every write second", CONFLICT, 20_000, { code: "store-unsafe" }],
])("where the store %s from the release of the lock on, its waiters are told so", async (_, fate, timeoutMs, told) => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const { mutex } = scene.client();
  const ask = (ms: number) =>
    outcomeOf(
      scene,
      mutex.withLock(NAME, () => "ran", { timeoutMs: ms }),
    );
  const waiting = ask(timeoutMs);
  await scene.pass(500);
  // It leaves the asking to the first until its own time is nearly up.
  const behind = fate === SILENT ? waiting : ask(timeoutMs - 500);
  await scene.pass(500);
  expect(await scene.until(lock.release())).toBe(true);
  scene.fate = writes(fate);
  for (const caller of [waiting, behind]) {
    expect(await scene.until(caller)).toMatchObject(told);
  }
});

it("a lock whose holder has died, and that the store does not let be taken over, is told as that", async () => {
  const scene = new Scene();
  const dead = scene.client();
  await scene.until(dead.mutex.acquire(NAME, { leaseMs: 2000 }));
  dead.process.kill();
  scene.fate = writes(REFUSED);
  const { mutex } = scene.client();
  await expect(scene.until(mutex.withLock(NAME, () => "ran", { timeoutMs: 6000 }))).rejects.toMatchObject({
    code: "store-unavailable",
  });
});

it("a caller of another process that takes it meanwhile has it, whatever the store refused before", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const [waiter, other] = [scene.client(), scene.client()];
  const waiting = outcomeOf(
    scene,
    waiter.mutex.withLock(NAME, () => "ran", { timeoutMs: 20_000 }),
  );
  await scene.pass(1000);
  await scene.until(lock.release());
  scene.fate = (request) => (request.process === waiter.process ? writes(REFUSED)(request) : FINE);
  await scene.until(other.mutex.acquire(NAME));
  expect(await scene.until(waiting)).toMatchObject({ value: null });
});

it("a caller that lets the last holder return learns nothing of another one by that", async () => {
  const scene = new Scene();
  const clients = [scene.client(), scene.client()];
  const [one, two] = clients.map(({ mutex }) => mutex) as [(typeof clients)[0]["mutex"], (typeof clients)[0]["mutex"]];
  // Each of the two joins the queue again while the other one has its turn.
  let held = await scene.until(one.acquire(NAME));
  for (const next of [two, one, two, one]) {
    const waiting = next.acquire(NAME);
    await scene.pass(300);
    await scene.until(held.release());
    held = await scene.until(waiting);
  }
  void outcomeOf(scene, two.acquire(NAME));
  await scene.pass(300);
  clients[1]?.process.kill();
  await scene.until(held.release());
  scene.fate = writes(REFUSED);
  const { mutex } = scene.client();
  for (const timeoutMs of [300, 5000]) {
    const first = outcomeOf(
      scene,
      mutex.withLock(NAME, () => "ran", { priority: 1, timeoutMs }),
    );
    expect((await scene.until(first)).code).toBe("store-unavailable");
  }
});
