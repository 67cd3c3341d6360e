import { describe, expect, it } from "vitest";
import { holderOf, recordOf, turnOf, waiterOf } from "../../../test/protocol/samples.js";
import type { Holder } from "../record.js";
import { followUp, goneBefore, type HoldHappening, type HoldState } from "./hold.js";

const HELD: HoldState = { isOver: false, isLeft: false, isLost: false };
const LEFT: HoldState = { ...HELD, isLeft: true };
const OVER: HoldState = { ...HELD, isOver: true };
const LOST: HoldState = { ...OVER, isLost: true };
const holder = { token: 7 } as Holder;
const reading = { monotonicMs: 1, wallMs: 2 };
const GONE = { kind: "gone", reason: "taken-over" } as const;
const STOP = { do: "stop" };
const GIVE_BACK = { do: "give-back" };
const TELL_END = { do: "tell-end" };
const CLEAR_UP = { do: "clear-up", entry: "possible" };
const told = (reason: string) => ({ do: "tell-loss", reason });
const follows = (state: HoldState, happening: HoldHappening<"late">) => followUp(state, happening);

describe("a renewal", () => {
  it.each<[string, HoldState, typeof reading | undefined, object[]]>([
    ["of what is held is counted on", HELD, reading, [{ do: "count-on", holder, reading }]],
    ["of which it is not known from when it counts is not", HELD, undefined, []],
    ["of what is being given back is not", OVER, reading, []],
    ["of what is lost is not", LOST, reading, []],
  ])("%s", (_, state, from, effects) => {
    const reply = { kind: "renewed", holder } as const;
    expect(follows(state, { kind: "renewal-answered", reply, reading: from })).toEqual(effects);
  });

  it("that finds nothing is the loss of it", () => {
    const effects = follows(HELD, { kind: "renewal-answered", reply: GONE, reading: undefined });
    expect(effects).toEqual([told("taken-over"), STOP, CLEAR_UP, TELL_END]);
  });

  it("that finds it released by another client was ended by force", () => {
    const reply = { kind: "gone", reason: "released" } as const;
    expect(follows(HELD, { kind: "renewal-answered", reply, reading: undefined })[0]).toEqual(told("force-released"));
  });
});

describe("an end by its own clocks", () => {
  it("is told, once, before anything is cleared up", () => {
    expect(follows(HELD, { kind: "ended", reason: "late" })).toEqual([told("late"), STOP, CLEAR_UP, TELL_END]);
    expect(follows(LOST, { kind: "ended", reason: "late" })).toEqual([]);
  });

  it("of what was left to run out sends nothing", () => {
    expect(follows(LEFT, { kind: "ended", reason: "late" })).toEqual([told("late"), STOP, TELL_END]);
  });
});

describe("a release", () => {
  it.each<[string, HoldState, "late" | undefined, object[]]>([
    ["stops the renewals before it is sent", HELD, undefined, [STOP, GIVE_BACK]],
    ["of what has run out is sent all the same, and told as lost", HELD, "late", [told("late"), STOP, GIVE_BACK]],
    ["of what is lost sends nothing", LOST, "late", [STOP]],
    ["of what is left to run out sends nothing, and it is lost", LEFT, "late", [told("late"), STOP]],
  ])("%s", (_, state, whyOver, effects) => {
    expect(follows(state, { kind: "releasing", whyOver })).toEqual(effects);
  });

  it("that was made is told, unless its holder knows it as lost", () => {
    expect(follows(OVER, { kind: "given-back" })).toEqual([{ do: "tell-released" }]);
    expect(follows(LOST, { kind: "given-back" })).toEqual([]);
  });

  it.each([
    [false, "none"],
    [true, "possible"],
  ] as const)("that came too late is the loss of it; listed: %s", (isListed, entry) => {
    const gone = { kind: "gone", reason: "deleted", isListed } as const;
    expect(follows(OVER, gone)).toEqual([told("deleted"), { do: "clear-up", entry }]);
    expect(follows(LOST, gone)).toEqual([{ do: "clear-up", entry }]);
  });

  it("without an answer leaves nothing behind", () => {
    expect(follows(OVER, { kind: "release-failed" })).toEqual([CLEAR_UP]);
  });
});

it("what was gone before it was given back: why, and whether the record shows an entry of it", () => {
  const me = holderOf({ id: "me", token: 7 });
  const recent = [turnOf({ id: "me", token: 7, ended: "forced" })];
  expect([
    goneBefore(me, undefined),
    goneBefore(me, recordOf({ recent })),
    goneBefore(me, recordOf({ recent, queue: [waiterOf({ id: "me" })] })),
  ]).toEqual([
    { kind: "gone", reason: "deleted", isListed: false },
    { kind: "gone", reason: "force-released", isListed: false },
    { kind: "gone", reason: "force-released", isListed: true },
  ]);
});
