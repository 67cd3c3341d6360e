import { describe, expect, test } from "vitest";
import type { Envelope, FoundObject } from "../envelope.js";
import { changedEnvelope, type OpenCommand, openFenced, resolveChange } from "./fenced.js";

const LOCK = "s3://bucket/locks/x.json";

const envelope = (changes: Partial<Envelope> = {}): Envelope => ({
  ...{ fenced: 1, lock: LOCK, token: 5, writeId: "w0", changeId: "c0", content: "before" },
  openings: [{ token: 5, changeId: "c9" }],
  ...changes,
});
const found = (changes: Partial<Envelope> = {}): FoundObject => ({ kind: "envelope", envelope: envelope(changes) });
const MINE = [{ token: 7, changeId: "w1" }];
const NEWER_FORMAT = { kind: "newer-schema", schema: 2 };
const fencedOutBy = (token: number) => ({ kind: "fenced-out", token, maybeApplied: false });
const ABSENT: FoundObject = { kind: "absent" };
const foreign = (body: string | undefined): FoundObject => ({ kind: "foreign", body });

describe("opening", () => {
  const command = (changes: Partial<OpenCommand> = {}): OpenCommand => ({
    ...{ lock: LOCK, token: 7, writeId: "w1", attempted: new Set<string>(), isReopening: false, adopt: undefined },
    ...changes,
  });

  test("stamps a new body with the token, and leaves content and change as they are", () => {
    const openings = [
      { token: 7, changeId: "c0" },
      { token: 5, changeId: "c9" },
    ];
    const stamped = envelope({ token: 7, writeId: "w1", openings });
    expect(openFenced(found(), command())).toEqual({ kind: "write", envelope: stamped });
  });

  test("remembers the last four holders who opened it", () => {
    let there = found();
    for (const token of [7, 8, 9, 10, 11]) {
      const decision = openFenced(there, command({ token }));
      if (decision.kind !== "write") throw new Error(decision.kind);
      there = { kind: "envelope", envelope: decision.envelope };
    }
    expect(there).toMatchObject({ envelope: { openings: [11, 10, 9, 8].map((token) => ({ token, changeId: "c0" })) } });
  });

  test("stamps an object without a remembered opening", () => {
    const decision = openFenced(found({ openings: [] }), command());
    expect(decision).toMatchObject({ kind: "write", envelope: { token: 7, openings: [{ token: 7, changeId: "c0" }] } });
  });

  test("stamps again with its own token: a new body keeps from landing what was sent before", () => {
    const mine = { token: 7, openings: [{ token: 7, changeId: "c0" }] };
    const stamped = envelope({ ...mine, writeId: "w1" });
    const there = found({ ...mine, writeId: "w9", changeId: "c0" });
    expect(openFenced(there, command())).toEqual({ kind: "write", envelope: stamped });
  });

  test("knows its own stamp", () => {
    const mine = { token: 7, writeId: "w1" };
    const decision = openFenced(found(mine), command({ writeId: "w2", attempted: new Set(["w1"]) }));
    expect(decision).toEqual({ kind: "opened", envelope: envelope(mine) });
  });

  test("makes an object without content where there is none", () => {
    const created = { fenced: 1, lock: LOCK, token: 7, writeId: "w1", changeId: "w1", openings: MINE };
    expect(openFenced(ABSENT, command())).toEqual({ kind: "write", envelope: created });
  });

  test("takes over what it is told to, the first time", () => {
    const created = { fenced: 1, lock: LOCK, token: 7, writeId: "w1", changeId: "w1", openings: MINE, content: 5 };
    expect(openFenced(foreign("5"), command({ adopt: "json" }))).toEqual({ kind: "write", envelope: created });
  });

  test.each<[string, FoundObject, Partial<OpenCommand>, object]>([
    ["a newer token", found({ token: 8 }), {}, { kind: "fenced-out", token: 8, maybeApplied: false }],
    ["another lock", found({ lock: "s3://b/k" }), {}, { kind: "other-lock", lock: "s3://b/k" }],
    ["another lock with a newer token", found({ lock: "l", token: 9 }), {}, { kind: "other-lock", lock: "l" }],
    ["a newer token, however it adopts what is foreign", found({ token: 8 }), { adopt: "json" }, fencedOutBy(8)],
    ["a newer format, however it adopts", { kind: "newer-schema", schema: 2 }, { adopt: "text" }, NEWER_FORMAT],
    ["a newer format", { kind: "newer-schema", schema: 2 }, {}, { kind: "newer-schema", schema: 2 }],
    ["no envelope", foreign("5"), {}, { kind: "foreign" }],
    ["what is not what it is to be adopted as", foreign("{"), { adopt: "json" }, { kind: "foreign" }],
    ["what is too large to be adopted", foreign(undefined), { adopt: "text" }, { kind: "foreign" }],
    ["a lost envelope", foreign("5"), { adopt: "json", isReopening: true }, { kind: "foreign" }],
    ["a lost object", ABSENT, { isReopening: true }, { kind: "removed" }],
  ])("is refused by %s", (_, there, changes, refusal) => {
    expect(openFenced(there, command(changes))).toEqual({ kind: "refused", refusal });
  });
});

test("a change replaces the content, of either kind, under the holder's own token", () => {
  const base = { ...envelope({ token: 3 }), later: true } as Envelope;
  const stamp = { token: 7, writeId: "w1", changeId: "c1" };
  const { content: _, ...rest } = { ...base, ...stamp };
  expect(changedEnvelope(base, { base64: "AA==" }, stamp)).toEqual({ ...rest, base64: "AA==" });
  expect(changedEnvelope({ ...rest, base64: "AA==" }, { content: 1 }, stamp)).toEqual({ ...rest, content: 1 });
  expect(changedEnvelope(base, {}, stamp)).toEqual(rest);
});

describe("a change without an answer", () => {
  const base = envelope({ token: 7, writeId: "w1" });
  const change = { lock: LOCK, token: 7, base, changeId: "c1" };
  const fencedOut = (maybeApplied: boolean) => ({ kind: "fenced-out", token: 8, maybeApplied });

  test("was made where its id is there", () => {
    const made = { token: 7, changeId: "c1", content: "after" };
    expect(resolveChange(found(made), change)).toEqual({ kind: "done", envelope: envelope(made) });
  });

  test("was made where a newer holder has stamped it, whose version is not to be built upon", () => {
    const decision = resolveChange(found({ token: 8, changeId: "c1" }), change);
    expect(decision).toEqual({ kind: "done", envelope: undefined });
  });

  test("was made where a newer holder had found it, whatever has been done since", () => {
    const openings = [
      { token: 9, changeId: "c8" },
      { token: 8, changeId: "c1" },
    ];
    const decision = resolveChange(found({ token: 9, changeId: "c9", openings }), change);
    expect(decision).toEqual({ kind: "done", envelope: undefined });
  });

  test("is to be sent again while its base is there, or the same content under another stamp", () => {
    expect(resolveChange({ kind: "envelope", envelope: base }, change)).toEqual({ kind: "again", envelope: base });
    const restamped = envelope({ token: 7, writeId: "w2" });
    expect(resolveChange({ kind: "envelope", envelope: restamped }, change)).toEqual({
      kind: "again",
      envelope: restamped,
    });
  });

  test.each<[string, FoundObject, object]>([
    ["was not made: a newer holder has the content that it was based on", found({ token: 8 }), fencedOut(false)],
    [
      "was not made: a newer holder had found the content that it was based on, and changed it",
      found({ token: 8, changeId: "c9", openings: [{ token: 8, changeId: "c0" }] }),
      fencedOut(false),
    ],
    [
      "may have been made: it is forgotten what the first newer holder had found",
      found({ token: 8, changeId: "c9", openings: [{ token: 8, changeId: "c8" }] }),
      fencedOut(true),
    ],
    [
      "may have been made: what older holders had found says nothing",
      found({ token: 8, changeId: "c9", openings: [{ token: 6, changeId: "c0" }] }),
      fencedOut(true),
    ],
    [
      "may have been made: another version was put back",
      found({ token: 6, changeId: "c9" }),
      { kind: "fenced-out", token: 6, maybeApplied: true },
    ],
    [
      "may have been made: what this holder itself had found says nothing, where another version has been put back",
      found({ token: 7, changeId: "c9", openings: [{ token: 7, changeId: "c0" }] }),
      { kind: "fenced-out", token: 7, maybeApplied: true },
    ],
    ["is not repeated where the object is gone", ABSENT, { kind: "removed" }],
    ["is not repeated where a newer version of this library has it", { kind: "newer-schema", schema: 2 }, NEWER_FORMAT],
    ["is not repeated where it was overwritten", foreign("x"), { kind: "foreign" }],
    ["is not repeated where another lock has it", found({ lock: "l" }), { kind: "other-lock", lock: "l" }],
  ])("%s", (_, there, refusal) => {
    expect(resolveChange(there, change)).toEqual({ kind: "refused", refusal });
  });
});
