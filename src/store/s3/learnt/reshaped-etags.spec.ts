import { describe, expect, it } from "vitest";
import {
  ABSENT,
  answering,
  CONFLICT,
  done,
  REFUSED,
  SHOWN_BARE,
  shows,
  UNKNOWN,
} from "../../../../test/store/probes.js";
import { ProbeObject } from "./probe-object.js";
import { explain, notReproduced } from "./reshaped-etags.js";

async function explained(etag: string, ...answers: readonly object[]) {
  const store = answering(...answers);
  const explanation = await explain(etag, new ProbeObject(store.deps, store.options));
  return { explanation, ...store };
}

const WEAK = 'W/"x"';

describe("what an odd ETag stands for", () => {
  it("is the strong one under it, where only that is recognised; the body is long enough for servers that compress", async () => {
    const { explanation, log, bodies } = await explained(
      WEAK,
      done('"1"'),
      shows('W/"1"'),
      CONFLICT,
      done('"2"'),
      CONFLICT,
      done(),
    );
    expect(explanation).toEqual({ kind: "explained", form: "as-returned", shapes: new Map([["weak", "strong"]]) });
    expect(log).toEqual(["create *", "read", 'replace W/"1"', 'replace "1"', 'replace "1"', "delete anyway"]);
    expect(bodies[0]?.length).toBeGreaterThan(4096);
  });

  it("is itself, where that is recognised and everything is shown like that", async () => {
    const { explanation, isSpent } = await explained(
      WEAK,
      done('W/"1"'),
      shows('W/"1"'),
      done('W/"2"'),
      CONFLICT,
      done(),
    );
    expect(explanation).toEqual({ kind: "explained", shapes: new Map([["weak", "literal"]]) });
    expect(isSpent()).toBe(true);
  });

  it("is the strong one where both are recognised, but shown in two ways", async () => {
    const { explanation, log } = await explained(
      WEAK,
      done('"1"'),
      shows('W/"1"'),
      done('"2"'),
      CONFLICT,
      done('"3"'),
      CONFLICT,
      done(),
    );
    expect(explanation).toEqual({ kind: "explained", form: "as-returned", shapes: new Map([["weak", "strong"]]) });
    expect(log[4]).toBe('replace "2"');
  });
});

describe("what an odd ETag stands for that is shown in one way only", () => {
  it("is the strong one also where only writes are answered with it", async () => {
    const answers = [done('W/"1"'), shows('"1"'), done('"2"'), CONFLICT, done('"3"'), CONFLICT, done()];
    const { explanation } = await explained(WEAK, ...answers);
    expect(explanation).toEqual({ kind: "explained", form: "as-returned", shapes: new Map([["weak", "strong"]]) });
  });

  it("is not known where reads have none at all, which no lock can be held by", async () => {
    const { explanation } = await explained(WEAK, done(), SHOWN_BARE, done());
    expect(explanation).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
  });

  it("may be one without quotes", async () => {
    const { explanation, log } = await explained(
      WEAK,
      done('W/"1"'),
      shows('W/"1"'),
      CONFLICT,
      CONFLICT,
      done(),
      CONFLICT,
      done(),
    );
    expect(explanation).toEqual({ kind: "explained", form: "unquoted", shapes: new Map([["weak", "strong"]]) });
    expect(log.slice(2, 6)).toEqual(['replace W/"1"', 'replace "1"', "replace 1", "replace 1"]);
  });

  it("one conflict can be chance", async () => {
    const { explanation } = await explained(
      WEAK,
      done('W/"1"'),
      shows('W/"1"'),
      CONFLICT,
      CONFLICT,
      CONFLICT,
      done(),
      CONFLICT,
      done(),
    );
    expect(explanation).toMatchObject({ kind: "explained", form: "as-returned" });
  });
});

describe("a store cannot hold locks", () => {
  it("that recognises nothing", async () => {
    const { explanation } = await explained(
      WEAK,
      done('W/"1"'),
      shows('W/"1"'),
      CONFLICT,
      CONFLICT,
      CONFLICT,
      CONFLICT,
      done(),
    );
    expect(explanation).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
    expect((explanation as typeof REFUSED).error.message).toContain(
      'reads show ETags as W/"1", and it refuses an If-Match with that or with the strong ETag under it',
    );
  });

  it("that shows another version than was written", async () => {
    const { explanation, isSpent } = await explained(WEAK, done('"1"'), shows('W/"2"'), done());
    expect(explanation).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
    expect((explanation as typeof REFUSED).error.message).toContain(
      'a read shows the ETag W/"2" for what a write was answered "1"',
    );
    expect(isSpent()).toBe(true);
  });

  it("that takes a condition which is stale", async () => {
    const { explanation } = await explained(WEAK, done('W/"1"'), shows('W/"1"'), done(), done(), done());
    expect((explanation as typeof REFUSED).error.message).toContain(
      "it accepts an If-Match with an ETag that is no longer the object's",
    );
  });
});

it("nothing is known where the probe is shown otherwise", async () => {
  const { explanation, isSpent } = await explained(WEAK, done('"1"'), shows('"1"'), done());
  expect(explanation).toEqual(notReproduced(WEAK));
  expect(explanation).toMatchObject({ kind: "unknown", throttled: false, sent: true });
  expect((explanation as typeof UNKNOWN).error.message).toContain(
    `The store showed the ETag ${WEAK}, which conditions may not recognise, and no such one for a probe`,
  );
  expect(isSpent()).toBe(true);
});

describe("what does not come to an end says so", () => {
  const BEGUN = [done('W/"1"'), shows('W/"1"')];
  it.each<[string, object[], object]>([
    ["a create that was refused", [REFUSED], REFUSED],
    ["a create without an answer", [UNKNOWN], UNKNOWN],
    ["a read that was refused", [done(), REFUSED, done()], REFUSED],
    ["a read without an answer", [done(), UNKNOWN, done()], UNKNOWN],
    ["a replacement that was refused", [...BEGUN, REFUSED, done()], REFUSED],
    ["a replacement without an answer", [...BEGUN, UNKNOWN, done()], UNKNOWN],
    ["a stale one that was refused", [...BEGUN, done(), REFUSED, done()], REFUSED],
    ["a stale one without an answer", [...BEGUN, done(), UNKNOWN, done()], UNKNOWN],
    ["a later one that was refused", [...BEGUN, CONFLICT, REFUSED, done()], REFUSED],
    ["a later one without an answer", [...BEGUN, CONFLICT, CONFLICT, UNKNOWN, done()], UNKNOWN],
  ])("%s", async (_, answers, expected) => {
    const { explanation, isSpent } = await explained(WEAK, ...answers);
    expect(explanation).toBe(expected);
    expect(isSpent()).toBe(true);
  });

  it.each<[string, object[], string]>([
    ["a create", [CONFLICT], 'create was "conflict"'],
    ["a read", [done(), ABSENT, done()], 'read was "absent"'],
    ["a replacement", [...BEGUN, ABSENT, done()], 'If-Match was "absent"'],
    ["a stale one", [...BEGUN, done(), ABSENT, done()], 'stale If-Match was "absent"'],
  ])("%s that is answered in no way that was expected", async (_, answers, words) => {
    const { explanation } = await explained(WEAK, ...answers);
    expect(explanation.kind).toBe("unknown");
    expect((explanation as typeof UNKNOWN).error.message).toContain(words);
  });
});
