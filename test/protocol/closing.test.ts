import { expect, it } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { NAME, Scene } from "../../testkit/scene.js";

it("sends nothing after close, though a release by name is still being tried again", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 60_000 });
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  scene.fate = (): Fate => ({ kind: "error", status: 503, applied: false });
  const releasing = mutex.releaseLock(NAME).catch((error: Error) => error);
  await scene.pass(500);
  await scene.until(mutex.close());
  const sent = scene.sent.length;
  expect(await scene.until(releasing)).toMatchObject({ code: "closed" });
  await scene.pass(60_000);
  expect(scene.sent).toHaveLength(sent);
});
