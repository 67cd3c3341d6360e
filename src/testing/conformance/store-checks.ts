import assert from "node:assert/strict";
import { MAX_BODY_BYTES, type ObjectStore } from "../../store/object-store.js";
import type { Checks } from "./check.js";
import { bodyOf, IF_ABSENT, ifMatch, patiently, REQUEST, reasonOf, replaced, written } from "./subject.js";

/** What every adapter of the port has to do, one request after the other. */
export const storeChecks: Checks = {
  async "an object that was never written is absent"({ subject }) {
    const store = await subject.store();
    for (const options of [REQUEST, { ...REQUEST, ifNoneMatch: '"x"' }]) {
      assert.equal((await store.read(subject.key("absent"), options)).kind, "absent");
    }
  },

  async "what was written is read back, whatever is in key and body"({ subject }) {
    const store = await subject.store();
    const key = subject.key("a/ü 1+2%25.json");
    const body = '{"text":"ü \u{1F512}"}';
    const etag = await written(store, key, body, IF_ABSENT);
    const outcome = await store.read(key, REQUEST);
    assert.ok(outcome.kind === "ok", outcome.kind + reasonOf(outcome));
    assert.deepEqual([outcome.body, outcome.etag], [body, etag]);
  },

  async "If-None-Match: * does not replace what exists"({ subject }) {
    const store = await subject.store();
    const key = subject.key("once");
    await written(store, key, "first", IF_ABSENT);
    const second = await patiently(() => store.write(key, "second", IF_ABSENT, REQUEST));
    assert.equal(second.kind, "conflict", `the second create was "${second.kind}"${reasonOf(second)}`);
    assert.equal(await bodyOf(store, key), "first");
  },

  async "If-Match replaces the version that it names, and no other"({ subject }) {
    const store = await subject.store();
    const key = subject.key("versions");
    const first = await written(store, key, "first", IF_ABSENT);
    await replaced(store, key, "second", first);
    const stale = await patiently(() => store.write(key, "third", ifMatch(first), REQUEST));
    assert.equal(stale.kind, "conflict", `a write over a version that is gone was "${stale.kind}"${reasonOf(stale)}`);
    assert.equal(await bodyOf(store, key), "second");
  },

  async "If-Match creates nothing"({ subject }) {
    const store = await subject.store();
    const other = await written(store, subject.key("other"), "x", IF_ABSENT);
    const outcome = await store.write(subject.key("absent"), "x", ifMatch(other), REQUEST);
    // Some stores have one answer for a missing object and for another version.
    const isTold = outcome.kind === "absent" || outcome.kind === "conflict";
    assert.ok(isTold, `a write over an object that did not exist was "${outcome.kind}"${reasonOf(outcome)}`);
    assert.equal(await bodyOf(store, subject.key("absent")), undefined);
  },

  async "a read says that nothing has changed, until something has"({ subject }) {
    const store = await subject.store();
    const key = subject.key("watched");
    const etag = await written(store, key, "first", IF_ABSENT);
    assert.equal((await store.read(key, { ...REQUEST, ifNoneMatch: etag })).kind, "unchanged");
    await replaced(store, key, "second", etag);
    const outcome = await store.read(key, { ...REQUEST, ifNoneMatch: etag });
    assert.equal(outcome.kind === "ok" && outcome.body, "second");
  },

  async "what one client has written, all others read at once"({ subject, rounds }) {
    const [writer, ...readers] = await subject.stores(4);
    assert.ok(writer);
    for (let round = 0; round < rounds; round += 1) {
      const key = subject.key(`fresh-${round}`);
      await written(writer, key, "first", IF_ABSENT);
      for (const body of await Promise.all(readers.map((reader) => bodyOf(reader, key)))) assert.equal(body, "first");
    }
  },

  async "a conditional delete removes the version that it names and no other, or is refused"({ subject }) {
    const store = await subject.store();
    const key = subject.key("removed");
    const first = await written(store, key, "first", IF_ABSENT);
    const unsupported = (await store.remove(subject.key("absent"), first, REQUEST)).kind === "unsupported";
    const second = await replaced(store, key, "second", first);
    const stale = await store.remove(key, first, REQUEST);
    assert.equal(stale.kind, unsupported ? "unsupported" : "conflict", `a stale delete was "${stale.kind}"`);
    assert.equal(await bodyOf(store, key), "second");
    const current = await store.remove(key, second, REQUEST);
    assert.equal(current.kind, unsupported ? "unsupported" : "ok", `a delete was "${current.kind}"`);
    assert.equal(await bodyOf(store, key), unsupported ? "second" : undefined);
  },

  async "a body that is too long for a record is not read"({ subject }) {
    const store = await subject.store();
    await written(store, subject.key("fits"), "x".repeat(MAX_BODY_BYTES), IF_ABSENT);
    await written(store, subject.key("too-long"), "x".repeat(MAX_BODY_BYTES + 1), IF_ABSENT);
    assert.equal((await store.read(subject.key("fits"), REQUEST)).kind, "ok");
    const tooLong = await store.read(subject.key("too-long"), REQUEST);
    assert.ok(tooLong.kind === "oversized", tooLong.kind + reasonOf(tooLong));
    assert.notEqual(tooLong.etag, "", "what is too long has no ETag by which it could be replaced");
  },

  async "a longer body is read where that is asked for"({ subject }) {
    const store = await subject.store();
    const body = "x".repeat(MAX_BODY_BYTES + 1);
    await written(store, subject.key("long"), body, IF_ABSENT);
    const outcome = await store.read(subject.key("long"), { ...REQUEST, maxBodyBytes: 2 * MAX_BODY_BYTES });
    assert.equal(outcome.kind === "ok" && outcome.body.length, body.length);
  },

  async "answers say when their request left and when they came"({ subject }) {
    const store = await subject.store();
    const before = performance.now();
    const outcomes = [
      await store.write(subject.key("timed"), "x", IF_ABSENT, REQUEST),
      await store.read(subject.key("timed"), REQUEST),
      await store.read(subject.key("absent"), REQUEST),
    ];
    const after = performance.now();
    for (const { kind, ...told } of outcomes) {
      const timing = "timing" in told ? told.timing : undefined;
      assert.ok(timing !== undefined, `an answer that was "${kind}" has no timing`);
      const { sentAtMs, receivedAtMs, dateMs } = timing;
      const isInOrder = before <= sentAtMs && sentAtMs <= receivedAtMs && receivedAtMs <= after;
      assert.ok(isInOrder, "sentAtMs and receivedAtMs are not those of performance.now(), in this order");
      assert.ok(dateMs === undefined || dateMs % 1000 === 0, "dateMs is not in whole seconds, as a Date header is");
    }
  },

  async "a listing has the keys with the prefix"({ subject }) {
    const store = await subject.store();
    const names = ["a", "b/c", "d e", "f+g", "ü%20&<>", ...Array.from({ length: 4 }, (_, n) => `n${n}`)];
    const keys = names.map((name) => subject.key(`list/${name}`));
    for (const key of [...keys, subject.key("other")]) await written(store, key, "x", IF_ABSENT);
    const { keys: listed, etags } = await allPages(store, subject.key("list/"));
    assert.deepEqual(listed.toSorted(), keys.toSorted());
    const unknown = [...etags.keys()].filter((key) => !keys.includes(key));
    assert.deepEqual(unknown, [], "ETags of keys that are not in the listing");
  },

  async "a listing of nothing has an end"({ subject }) {
    const { keys, etags } = await allPages(await subject.store(), subject.key("nothing/"));
    assert.deepEqual([keys, etags.size], [[], 0]);
  },
};

async function allPages(store: ObjectStore, prefix: string) {
  const keys: string[] = [];
  const etags = new Map<string, string>();
  let continuation: string | undefined;
  do {
    const page = await store.list(prefix, continuation === undefined ? REQUEST : { ...REQUEST, continuation });
    assert.ok(page.kind === "ok", page.kind + reasonOf(page));
    keys.push(...page.keys);
    for (const [key, etag] of page.etags) etags.set(key, etag);
    assert.ok(page.continuation === undefined || page.continuation !== continuation, "a page leads to itself");
    continuation = page.continuation;
  } while (continuation !== undefined);
  return { keys, etags };
}
