import { describe, expect, it } from "vitest";
import { ABSENT, answering, CONFLICT, done, REFUSED, shows, UNKNOWN } from "../../../../test/store/probes.js";
import type { RequestOptions, WriteOutcome } from "../../object-store.js";
import type { EtagFormState } from "../client/client-state.js";
import { EtagForms } from "./etag-form.js";

function forms(...answers: readonly object[]) {
  const state: EtagFormState = { form: "as-returned", settled: false, suspects: new Map(), shapes: new Map() };
  const store = answering(...answers);
  return { state, subject: new EtagForms(state, store.deps), ...store };
}

/** A write in the form that counts then is done, or is answered with a conflict. */
const won = (subject: EtagForms, meanwhile = () => {}) =>
  subject.writing({ key: "a", etag: '"1"' }, async () => {
    meanwhile();
    return done();
  });
const lost = (subject: EtagForms, key: string, etag: string) => subject.writing({ key, etag }, async () => CONFLICT);
const shown = (subject: EtagForms, key: string, etag: string, options: RequestOptions) =>
  subject.shown(key, { kind: "ok", body: "", etag, timing: { sentAtMs: 0, receivedAtMs: 0 } }, options);

describe("the form that a store compares is found out by a probe", () => {
  it.each<[string, object[], string]>([
    ["as returned", [done(), done(), done()], "as-returned"],
    ["without quotes", [done(), CONFLICT, done(), CONFLICT, done()], "unquoted"],
    ["as returned, after a conflict by chance", [done(), CONFLICT, CONFLICT, done(), done()], "as-returned"],
  ])("%s", async (_, answers, form) => {
    const { subject, state, options, isSpent, log } = forms(...answers);
    expect(await subject.settle(options)).toBeUndefined();
    expect(state).toMatchObject({ form, settled: true, probe: undefined });
    expect(subject.known()).toBe(form === "unquoted" ? "unquoted" : undefined);
    expect(isSpent()).toBe(true);
    expect(log.at(-1)).toBe("delete anyway");
    expect(await subject.settle(options)).toBeUndefined();
    expect(subject.inCondition('"7"')).toBe(form === "unquoted" ? "7" : '"7"');
  });

  it("in conditions with quotes, without, and with them again", async () => {
    const { subject, options, log } = forms(done(), CONFLICT, CONFLICT, CONFLICT, done());
    expect(await subject.settle(options)).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
    expect(log).toEqual(["create *", 'replace "1"', "replace 1", 'replace "1"', "delete anyway"]);
  });

  it("unless a write has shown it meanwhile, whatever the probe came to", async () => {
    const { subject, options } = forms(UNKNOWN, done());
    const settling = subject.settle(options);
    await won(subject);
    expect(await settling).toBeUndefined();
  });

  it("one for all who want to know at the same time", async () => {
    const { subject, options, isSpent } = forms(done(), done(), done());
    expect(await Promise.all([subject.settle(options), subject.settle(options)])).toEqual([undefined, undefined]);
    expect(isSpent()).toBe(true);
  });

  it.each<[string, object[], object]>([
    ["a create that was refused", [REFUSED, done()], REFUSED],
    ["a create without an answer", [UNKNOWN, done()], UNKNOWN],
    ["a replacement that was refused", [done(), REFUSED, done()], REFUSED],
    ["a replacement without an answer", [done(), UNKNOWN, done()], UNKNOWN],
    ["an unquoted one without an answer", [done(), CONFLICT, UNKNOWN, done()], UNKNOWN],
    ["a stale one without an answer", [done(), CONFLICT, done(), UNKNOWN, done()], UNKNOWN],
    ["the last one without an answer", [done(), CONFLICT, CONFLICT, UNKNOWN, done()], UNKNOWN],
  ])("%s says why there is no answer, and the next one asks again", async (_, answers, expected) => {
    const { subject, state, options } = forms(...answers, done(), done(), done());
    expect(await subject.settle(options)).toBe(expected);
    expect(state).toMatchObject({ settled: false, probe: undefined });
    expect(await subject.settle(options)).toBeUndefined();
  });

  it.each<[string, object[], string]>([
    ["create", [ABSENT, done()], 'create was "absent"'],
    ["replacement", [done(), ABSENT, done()], ': If-Match was "absent"'],
    ["unquoted one", [done(), CONFLICT, ABSENT, done()], 'unquoted If-Match was "absent"'],
    ["stale one", [done(), CONFLICT, done(), ABSENT, done()], 'stale If-Match was "absent"'],
    ["last one", [done(), CONFLICT, CONFLICT, ABSENT, done()], ': If-Match was "absent"'],
    [
      "stale one that wins",
      [done(), CONFLICT, done(), done(), done()],
      "it accepts an If-Match with an ETag that is no",
    ],
    [
      "last one that loses",
      [done(), CONFLICT, CONFLICT, CONFLICT, done()],
      "it refuses an If-Match with the object's own ETag",
    ],
  ])("a %s is told of in words", async (_, answers, words) => {
    const { subject, options } = forms(...answers);
    expect((await subject.settle(options))?.error.message).toContain(words);
  });
});

describe("a conflict under an ETag that a read shows again", () => {
  it("makes the form suspect, once", async () => {
    const { subject, options, log } = forms(done(), CONFLICT, CONFLICT, CONFLICT, done());
    await lost(subject, "a", '"1"');
    expect(await shown(subject, "b", '"1"', options)).toMatchObject({ kind: "ok" });
    expect(await shown(subject, "a", '"2"', options)).toMatchObject({ kind: "ok" });
    expect(log).toEqual([]);
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "refused" });
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "ok" });
  });

  it("does not keep a caller from reading where the form was right", async () => {
    const { subject, options } = forms(done(), done(), done());
    await lost(subject, "a", '"1"');
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "ok" });
  });

  it("does not keep a caller from reading where the probe has no result", async () => {
    const { subject, options } = forms(UNKNOWN, done());
    await lost(subject, "a", '"1"');
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "ok" });
  });

  it("is forgotten when a write in that form wins, and suspects nothing afterwards", async () => {
    const { subject, state, options, log } = forms();
    await lost(subject, "a", '"1"');
    // Sent before the form was another one, it says nothing about that.
    state.form = "unquoted";
    await won(subject, () => {
      state.form = "as-returned";
    });
    expect(state.settled).toBe(false);
    await won(subject);
    expect(state.settled).toBe(true);
    await lost(subject, "a", '"1"');
    expect(state.suspects.size).toBe(0);
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "ok" });
    expect(log).toEqual([]);
  });

  it("is remembered for a thousand keys, the latest of them", async () => {
    const { subject, state } = forms();
    await lost(subject, "first", '"1"');
    await lost(subject, "again", '"1"');
    for (let index = 0; index < 998; index += 1) await lost(subject, `k${index}`, '"1"');
    await lost(subject, "first", '"2"');
    expect(state.suspects.size).toBe(1000);
    await lost(subject, "one more", '"1"');
    expect(state.suspects.size).toBe(1000);
    expect(state.suspects.has("again")).toBe(false);
    expect(state.suspects.get("first")).toBe('"2"');
  });
});

/** Sends a write and says in which forms it went out. */
const sent = async (subject: EtagForms, ...answers: WriteOutcome[]) => {
  const forms: string[] = [];
  const outcome = await subject.writing({ key: "a", etag: '"1"' }, async (ifMatch) => {
    forms.push(ifMatch);
    return answers.shift() ?? done();
  });
  return { forms, outcome };
};

describe("a form that another process has found out", () => {
  it("is begun with, and stays once a write in it is done", async () => {
    const { subject, state } = forms();
    subject.believe("unquoted");
    expect(subject.known()).toBe("unquoted");
    expect(state.settled).toBe(false);
    expect(await sent(subject)).toEqual({ forms: ["1"], outcome: done() });
    expect(state.settled).toBe(true);
    expect(await sent(subject, REFUSED)).toEqual({ forms: ["1"], outcome: REFUSED });
    expect(await sent(subject, UNKNOWN)).toEqual({ forms: ["1"], outcome: UNKNOWN });
    expect(subject.known()).toBe("unquoted");
  });

  it("is dropped by a refusal, and the same is sent again in the usual form, once", async () => {
    const { subject } = forms();
    subject.believe("unquoted");
    expect(await sent(subject, REFUSED, done())).toEqual({ forms: ["1", '"1"'], outcome: done() });
    expect(subject.known()).toBeUndefined();
    const again = forms().subject;
    again.believe("unquoted");
    expect(await sent(again, REFUSED, REFUSED)).toEqual({ forms: ["1", '"1"'], outcome: REFUSED });
  });

  it("is dropped by a write without an answer, which is not sent again", async () => {
    const { subject } = forms();
    subject.believe("unquoted");
    expect(await sent(subject, UNKNOWN)).toEqual({ forms: ["1"], outcome: UNKNOWN });
    expect(subject.known()).toBeUndefined();
  });

  it("counts for less than what was seen here, or is being found out", async () => {
    const seen = forms().subject;
    await won(seen);
    const suspecting = forms().subject;
    await lost(suspecting, "a", '"1"');
    const { subject: asking, options } = forms(done(), done(), done());
    const settling = asking.settle(options);
    for (const subject of [seen, suspecting, asking]) {
      subject.believe("unquoted");
      expect(subject.known()).toBeUndefined();
    }
    await settling;
  });
});

describe("a form that was only heard of", () => {
  it("is asked about anew where the version that it was meant for is there all the same", async () => {
    const { subject, options } = forms(done(), done(), done());
    subject.believe("unquoted");
    expect(await sent(subject, CONFLICT)).toEqual({ forms: ["1"], outcome: CONFLICT });
    expect(subject.known()).toBe("unquoted");
    expect(await shown(subject, "a", '"1"', options)).toMatchObject({ kind: "ok" });
    expect(subject.known()).toBeUndefined();
    expect(subject.inCondition('"1"')).toBe('"1"');
  });

  it("goes by the conditions of reads as well", async () => {
    const { subject } = forms();
    const asked: (string | undefined)[] = [];
    const read = (etag: string | undefined, ...answers: object[]) =>
      subject.reading(etag, async (ifNoneMatch) => {
        asked.push(ifNoneMatch);
        return answers.shift() as { readonly kind: string };
      });
    subject.believe("unquoted");
    expect(await read(undefined, REFUSED)).toBe(REFUSED);
    expect(await read('"1"', CONFLICT)).toBe(CONFLICT);
    expect(subject.known()).toBe("unquoted");
    expect(await read('"1"', REFUSED, ABSENT)).toBe(ABSENT);
    expect(subject.known()).toBeUndefined();
    expect(await read('"1"', REFUSED)).toBe(REFUSED);
    expect(asked).toEqual([undefined, "1", "1", '"1"', '"1"']);
  });
});

describe("an ETag in an odd shape", () => {
  const STRONG = [done('"1"'), shows('W/"1"'), CONFLICT, done(), CONFLICT, done()];

  it("is explained once, for all who are shown one, and goes by what is under it", async () => {
    const { subject, state, options, isSpent } = forms(...STRONG);
    expect(await Promise.all([subject.accept('W/"7"', options), subject.accept('W/"8"', options)])).toEqual([
      '"7"',
      '"8"',
    ]);
    expect(isSpent()).toBe(true);
    expect(state).toMatchObject({ settled: true, form: "as-returned", shapeProbe: undefined });
    expect(await subject.accept('W/"9"', options)).toBe('"9"');
    expect(subject.inCondition('W/"9"')).toBe('"9"');
    expect(subject.normal('"9-gzip"')).toBe('"9-gzip"');
  });

  it("goes by itself where the store recognises it", async () => {
    const { subject, state, options } = forms(done('W/"1"'), shows('W/"1"'), done(), CONFLICT, done());
    expect(await subject.accept('W/"7"', options)).toBe('W/"7"');
    expect(subject.normal('W/"7"')).toBe('W/"7"');
    expect(state.settled).toBe(false);
  });

  it("is not an ETag to go by where it is not explained, or another one is", async () => {
    const { subject, options } = forms(REFUSED, ...STRONG);
    expect(await subject.accept('W/"7"', options)).toBe(REFUSED);
    const [weak, gzip] = await Promise.all([subject.accept('W/"7"', options), subject.accept('"7-gzip"', options)]);
    expect(weak).toBe('"7"');
    expect(gzip).toMatchObject({ kind: "unknown", error: { message: expect.stringContaining('"7-gzip"') } });
  });

  it("a plain one needs no probe", async () => {
    const { subject, options, log } = forms();
    expect(await subject.accept('"7"', options)).toBe('"7"');
    expect(log).toEqual([]);
  });
});
