import { expect, it } from "vitest";
import { settled } from "../../../../test/protocol/clockwork.js";
import {
  ABSENT,
  answering,
  CONFLICT,
  done,
  landed,
  REFUSED,
  shows,
  THROTTLED,
  TIMING,
  thenShown,
  UNKNOWN,
} from "../../../../test/store/probes.js";
import { inconclusive, ProbeObject } from "./probe-object.js";

it("is created where nothing is, replaced, read and removed under one key that no lock has", async () => {
  const { deps, options, log, keys, bodies } = answering(done(), done(), done(), CONFLICT, done());
  const object = new ProbeObject(deps, options);
  expect(object.body).toBe("");
  await object.create(3);
  await object.replace('"1"');
  await object.read();
  expect(await object.delete('"2"')).toBe(CONFLICT);
  await object.cleanUp();
  expect(log).toEqual(["create *", 'replace "1"', "read", 'delete "2"', "delete anyway"]);
  expect([...keys]).toEqual(["locks/.s3-mutex/probe-id1"]);
  expect(bodies).toEqual(['{"probe":"id2   "}', '{"probe":"id3"}']);
  expect(object.body).toBe(bodies[1]);
});

it("waits a second, once, where the store wants fewer requests", async () => {
  const { deps, options, log, clockwork } = answering(THROTTLED, THROTTLED);
  const creating = new ProbeObject(deps, options).create();
  await settled();
  expect(clockwork.pendingMs).toEqual([1100]);
  expect(clockwork.keepsProcess).toBe(true);
  await clockwork.pass(1100);
  expect(await creating).toBe(THROTTLED);
  expect(log).toEqual(["create *", "create *"]);
});

it.each([UNKNOWN, CONFLICT, REFUSED, done()])("does not ask again after any other answer: $kind", async (answer) => {
  const { deps, options, log } = answering(answer);
  expect(await new ProbeObject(deps, options).create()).toBe(answer);
  expect(log).toHaveLength(1);
});

it("has done what was answered with a conflict where a read shows it: it was sent twice on the way", async () => {
  const { deps, options } = answering(landed('"7"'));
  expect(await new ProbeObject(deps, options).create()).toMatchObject({ kind: "ok", etag: '"7"' });
});

it.each([
  ["another body", () => ({ kind: "ok", etag: '"7"', body: "another", timing: TIMING })],
  ["it without an ETag to go on with", (body: string | undefined) => ({ kind: "no-etag", body, outcome: UNKNOWN })],
])("has not done what was answered with a conflict where a read shows %s", async (_, afterwards) => {
  const { deps, options } = answering(thenShown(afterwards));
  expect(await new ProbeObject(deps, options).create()).toMatchObject({ kind: "conflict" });
});

it("looks for what was answered by an answer that does not say who gave it", async () => {
  const doubted = { ...UNKNOWN, timing: TIMING };
  const stored = answering(doubted, shows('"7"'));
  expect(await new ProbeObject(stored.deps, stored.options).create()).toMatchObject({ kind: "ok", etag: '"7"' });
  const lost = answering(doubted, ABSENT);
  expect(await new ProbeObject(lost.deps, lost.options).create()).toBe(doubted);
});

it("what says nothing is unknown, and tells at which step", () => {
  expect(inconclusive("create", UNKNOWN)).toBe(UNKNOWN);
  const outcome = inconclusive("create", CONFLICT);
  expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: true });
  expect(outcome.error.message).toBe(`A probe of the store's conditions did not come to an end: create was "conflict"`);
});
