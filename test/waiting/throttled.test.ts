import { expect, it } from "vitest";
import { NAME, nth, Scene, writesOf } from "../../testkit/scene.js";
import { untilQueued } from "./place.js";

const THROTTLED = { kind: "error", status: 429, applied: false } as const;

it("leaves a store that asked for fewer requests alone for a second for each who waits", async () => {
  const scene = new Scene();
  const holder = await scene.until(scene.client().mutex.acquire(NAME));
  for (let index = 0; index < 4; index += 1)
    scene
      .client()
      .mutex.acquire(NAME)
      .catch(() => {});
  await untilQueued(scene, 4);
  const newcomer = scene.client();
  scene.fate = nth(0, writesOf(newcomer.process), THROTTLED);
  newcomer.mutex.acquire(NAME).catch(() => {});
  await scene.pass(12_000);
  const sent = scene.requestsOf(newcomer.process).map(({ atMs }) => atMs);
  const pauses = sent.slice(1).map((atMs, index) => atMs - (sent[index] as number));
  expect(Math.max(...pauses)).toBeGreaterThan(4000);
  expect(holder.held).toBe(true);
});

it("has a holder try again soon, whatever waits: its lease goes on", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  for (let index = 0; index < 4; index += 1)
    scene
      .client()
      .mutex.acquire(NAME)
      .catch(() => {});
  await untilQueued(scene, 4);
  scene.fate = nth(0, writesOf(process), THROTTLED);
  const startedAtMs = scene.nowMs;
  expect(await scene.until(lock.renew())).toBe(true);
  expect(scene.nowMs - startedAtMs).toBeLessThan(1000);
});
