import { describe, expect, it } from "vitest";
import { answering, CONFLICT, done, REFUSED, THROTTLED, UNKNOWN } from "../../../../test/store/probes.js";
import { stateOf } from "../client/client-state.js";
import { KeyLengths } from "./key-length.js";

const LONG = `locks/team/${"n".repeat(130)}.json`;
const OTHER = `locks/team/${"n".repeat(131)}.json`;
/** A long key fails and a short one is written: once around. */
const ROUND = [UNKNOWN, done(), done()];
const PROOF = [...ROUND, ...ROUND, ...ROUND];
const TOO_LONG = { kind: "refused", error: { code: "invalid-argument" } };

function judging(...answers: readonly object[]) {
  const store = answering(...answers);
  const state = stateOf({} as never, 1).bucket(`locks ${Math.random()}`).keyLength;
  const subject = new KeyLengths(state, store.deps);
  const judge = (key = LONG, outcome: object = UNKNOWN) =>
    subject.judge(key, outcome as typeof UNKNOWN, store.options) as Promise<object>;
  return { ...store, judge };
}

describe("a long key that fails", () => {
  it("is too long where each one alike fails and each short one is written, three times in turn", async () => {
    const { judge, log, keys, bodies, isSpent } = judging(...PROOF);
    expect(await judge()).toMatchObject(TOO_LONG);
    expect(log).toEqual(Array.from({ length: 3 }, () => ["create *", "create *", "delete anyway"]).flat());
    expect(isSpent()).toBe(true);
    expect(new Set(bodies)).toEqual(new Set(["{}"]));
    const long = [...keys].filter((key) => key.length > 100);
    expect(long).toHaveLength(3);
    for (const key of long) expect(key).toMatch(/^locks\/xxxx\/\.s3-mutex-id\d-x+$/);
    expect(new Set(long.map((key) => key.length))).toEqual(new Set([LONG.length]));
    for (const key of keys) if (key.length < 100) expect(key).toMatch(/^locks\/\.s3-mutex\/probe-id\d$/);
  });

  it("is tried as a key with parts of the same lengths, however short, the first of the longest marked as ours", async () => {
    const many = `locks/${"ab/".repeat(60)}${"abcdefgh/".repeat(30)}z`;
    const { judge, keys } = judging(...PROOF);
    expect(await judge(many)).toMatchObject(TOO_LONG);
    const [key = ""] = keys;
    const lengths = (one: string) => one.split("/").map((part) => part.length);
    expect(lengths(key)).toEqual(lengths(many));
    expect(key.split("/").indexOf(".s3-mute")).toBe(61);
    expect(new Set(key.slice("locks/".length).replace(".s3-mute", "").replaceAll("/", ""))).toEqual(new Set(["x"]));
  });

  it("is marked as ours also where none of its parts is as long as the prefix", async () => {
    const { judge, keys } = judging(...PROOF);
    expect(await judge(`locks/${"ab/".repeat(140)}z`)).toMatchObject(TOO_LONG);
    expect([...keys][0]).toMatch(/^locks\/\.s\/xx\//);
  });

  it("is asked about once by all that fail at the same time, and anew afterwards", async () => {
    const { judge, log } = judging(...PROOF, ...PROOF);
    const both = await Promise.all([judge(), judge()]);
    expect(both).toMatchObject([TOO_LONG, TOO_LONG]);
    expect(log).toHaveLength(9);
    expect(await judge(OTHER)).toMatchObject(TOO_LONG);
    expect(log).toHaveLength(18);
  });
});

describe("a key that fails is not said to be too long", () => {
  it.each<[string, object[]]>([
    ["another long one is written", [done(), done()]],
    ["another long one is refused", [REFUSED]],
    ["another long one is not sent", [{ ...UNKNOWN, sent: false }]],
    ["the store wants fewer requests", [THROTTLED, THROTTLED]],
    ["a short one fails as well", [UNKNOWN, UNKNOWN]],
    ["a short one is refused", [UNKNOWN, CONFLICT]],
    ["a long one is written the third time", [...ROUND, ...ROUND, done(), done()]],
  ])("where %s", async (_, answers) => {
    const { judge, log } = judging(...answers, ...PROOF);
    expect(await judge()).toBe(UNKNOWN);
    const asked = log.length;
    expect(asked).toBeLessThanOrEqual(answers.length);
  });

  it.each<[string, object]>([
    ["was not sent", { ...UNKNOWN, sent: false }],
    ["was sent too soon", THROTTLED],
    ["is not the store's", { ...UNKNOWN, isForeign: true }],
    ["is a refusal", REFUSED],
    ["is a conflict", CONFLICT],
    ["is a success", done()],
  ])("and is not asked about where its answer %s", async (_, outcome) => {
    const { judge, log } = judging();
    expect(await judge(LONG, outcome)).toBe(outcome);
    expect(log).toEqual([]);
  });

  it("and is not asked about where it is short, or one of its shape was written before", async () => {
    const { judge, log } = judging(...PROOF);
    expect(await judge("locks/a.json")).toBe(UNKNOWN);
    await judge(LONG, done());
    expect(await judge(LONG.replace("team", "crew"))).toBe(UNKNOWN);
    expect(log).toEqual([]);
    expect(await judge(OTHER)).toMatchObject(TOO_LONG);
  });

  it.each([
    [`locks/a/${"n".repeat(131)}`, `locks/${"n".repeat(131)}/a`],
    [`locks/${"a".repeat(11)}/${"n".repeat(121)}`, `locks/a/${"n".repeat(1121)}`],
  ])("only where one with parts of the very same lengths was written", async (written, key) => {
    const { judge } = judging(...PROOF);
    await judge(written, done());
    expect(await judge(key)).toMatchObject(TOO_LONG);
  });

  it("nor again for ten seconds where that came to nothing", async () => {
    const { judge, log, clockwork } = judging(REFUSED, ...PROOF);
    expect(await judge()).toBe(UNKNOWN);
    await clockwork.pass(9999);
    expect(await judge()).toBe(UNKNOWN);
    expect(await judge(OTHER)).toBe(UNKNOWN);
    expect(log).toHaveLength(1);
    await clockwork.pass(1);
    expect(await judge()).toMatchObject(TOO_LONG);
  });
});
