import { expect, test } from "vitest";
import { isRead, locksAfter, look } from "./http.js";
import { BUCKET, keyOf, putLock } from "./records.js";
import { openScene } from "./scene.js";

test("a viewer is told all locks, then what changes", async () => {
  const scene = await openScene();
  putLock(scene.server, "a", { holders: [{ host: "web-1", pid: 7, label: "import", token: 41 }] });
  putLock(scene.server, "b", { queue: [{ id: "w", holds: [{ name: "a", token: 41 }] }], recent: [{ token: 3 }] });
  const viewer = look(scene);
  await viewer.hears(isRead);
  const locks = locksAfter(viewer.told);
  expect([...locks.keys()]).toEqual(["a", "b"]);
  expect(locks.get("a")?.holders).toMatchObject([{ host: "web-1", pid: 7, label: "import", token: 41 }]);
  expect(locks.get("b")?.queue).toMatchObject([{ id: "w", holds: [{ lockName: "a", token: 41 }] }]);
  expect(locks.get("b")?.turns).toMatchObject([{ token: 3, ended: "released" }]);

  putLock(scene.server, "c", { holders: [{}] });
  scene.server.deleteObject(BUCKET, keyOf("a"));
  const change = await viewer.hears(({ event, data }) => event === "delta" && data.removed.length > 0);
  expect(change.data).toMatchObject({ removed: ["a"], changed: [{ name: "c" }] });
});

test("five viewers cost the store what one costs, and a second look only what has changed", async () => {
  const scene = await openScene();
  for (let index = 0; index < 40; index += 1) putLock(scene.server, `lock-${index}`, { holders: [{}] });
  const viewers = [1, 2, 3, 4, 5].map(() => look(scene));
  for (const viewer of viewers) await viewer.hears((told) => isRead(told) && told.data.status.viewers === 5);
  scene.server.resetRequests();
  putLock(scene.server, "lock-7", { holders: [{ host: "web-9" }] });
  const isNews = ({ event, data }: (typeof viewers)[0]["told"][0]) =>
    event === "delta" && data.changed.some(({ holders }) => holders[0]?.host === "web-9");
  for (const viewer of viewers) await viewer.hears(isNews);
  const { ListObjectsV2: lists = 0, GetObject: gets = 0 } = scene.server.requests.byOperation;
  expect(gets).toBe(1);
  // One look may have been under way.
  expect(lists).toBeLessThanOrEqual(3);
  for (const viewer of viewers) expect(locksAfter(viewer.told).size).toBe(40);
});

test("a beginning of names is all that is read of them", async () => {
  const scene = await openScene({ namePrefix: "team/" });
  for (const name of ["team/a", "teams", "other"]) putLock(scene.server, name);
  const viewer = look(scene);
  await viewer.hears(isRead);
  expect([...locksAfter(viewer.told).keys()]).toEqual(["team/a"]);
  expect(scene.server.requests.byOperation.GetObject).toBe(1);
});

test("who comes later is told at once what is known", async () => {
  const scene = await openScene({ intervalMs: 60_000 });
  putLock(scene.server, "a", { holders: [{}] });
  await look(scene).hears(isRead);
  const [first] = [await look(scene).hears(() => true)];
  expect(first).toMatchObject({ event: "snapshot", data: { locks: [{ name: "a" }], isReadOnly: false } });
});

test("what the store refuses is told, and the end of it too", async () => {
  const scene = await openScene({ isReadOnly: true });
  putLock(scene.server, "a");
  const stop = scene.server.faults.add({ fault: "status", status: 403 });
  const viewer = look(scene);
  const failed = await viewer.hears(({ data }) => data.status.error !== undefined);
  expect(failed.data.status).toMatchObject({ isRead: false, error: expect.stringContaining("403") });
  stop.remove();
  await viewer.hears(isRead);
  expect(viewer.told.at(-1)?.data.status.error).toBeUndefined();
  expect([...locksAfter(viewer.told).keys()]).toEqual(["a"]);
});

test("an object that is not a lock is shown as such", async () => {
  const scene = await openScene();
  scene.server.putObject(BUCKET, keyOf("odd"), "no JSON");
  const viewer = look(scene);
  await viewer.hears(isRead);
  expect(locksAfter(viewer.told).get("odd")?.problem).toEqual(expect.stringContaining("odd"));
});
