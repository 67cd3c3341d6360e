import { describe, expect, it } from "vitest";
import type { Holder } from "../record.js";
import { HELD, type HoldHappening, type HoldState, holderLoss, reactHold } from "./hold.js";

const LEFT: HoldState = { ...HELD, isLeft: true };
const LOST: HoldState = { isOver: true, isLeft: false, isLost: true };
const OVER: HoldState = { ...HELD, isOver: true };
const RENEWED = { kind: "renewed", holder: {} as Holder } as const;
const GONE = { kind: "gone", reason: "taken-over" } as const;
const STOP = { do: "stop" };
const TELL_END = { do: "tell-end" };
const CLEAR_UP = { do: "clear-up", entry: "possible" };
const told = (reason: string) => ({ do: "tell-loss", reason });

const follows = (state: HoldState, happening: HoldHappening<"late">) => reactHold(state, happening);

describe("a renewal", () => {
  it.each<[string, HoldState, boolean, object[]]>([
    ["of what is held is counted on", HELD, true, [{ do: "count-on" }]],
    ["of which it is not known from when it counts is not", HELD, false, []],
    ["of what is being given back is not", OVER, true, []],
    ["of what is lost is not", LOST, true, []],
  ])("%s", (_, state, isTimed, effects) => {
    expect(follows(state, { kind: "renewal-answered", reply: RENEWED, isTimed })).toEqual({ state, effects });
  });

  it("that finds nothing is the loss of it", () => {
    const lost = follows(HELD, { kind: "renewal-answered", reply: GONE, isTimed: true });
    expect(lost).toEqual({ state: LOST, effects: [told("taken-over"), STOP, CLEAR_UP, TELL_END] });
  });

  it("that finds it released by another client was ended by force", () => {
    const reply = { kind: "gone", reason: "released" } as const;
    const { effects } = follows(HELD, { kind: "renewal-answered", reply, isTimed: true });
    expect(effects[0]).toEqual(told("force-released"));
    expect(holderLoss("expired")).toBe("expired");
  });
});

describe("an end by its own clocks", () => {
  it("is told, once, before anything is cleared up", () => {
    const lost = follows(HELD, { kind: "ended", reason: "late" });
    expect(lost).toEqual({ state: LOST, effects: [told("late"), STOP, CLEAR_UP, TELL_END] });
    expect(follows(lost.state, { kind: "ended", reason: "late" })).toEqual({ state: LOST, effects: [] });
  });

  it("of what was left to run out sends nothing", () => {
    const { state } = follows(HELD, { kind: "left" });
    expect(state).toEqual(LEFT);
    const lost = follows(state, { kind: "ended", reason: "late" });
    expect(lost).toEqual({ state: { ...LOST, isLeft: true }, effects: [told("late"), STOP, TELL_END] });
  });
});

describe("a release", () => {
  it("stops the renewals before it is sent", () => {
    expect(follows(HELD, { kind: "releasing", whyOver: undefined })).toEqual({
      state: OVER,
      effects: [STOP, { do: "give-back" }],
    });
  });

  it("of what has run out is sent all the same, and told as lost", () => {
    const released = follows(HELD, { kind: "releasing", whyOver: "late" });
    expect(released).toEqual({ state: LOST, effects: [told("late"), STOP, { do: "give-back" }] });
    expect(follows(released.state, { kind: "given-back" })).toEqual({ state: LOST, effects: [] });
  });

  it("of what is lost, or left to run out, sends nothing", () => {
    expect(follows(LOST, { kind: "releasing", whyOver: "late" })).toEqual({ state: LOST, effects: [STOP] });
    expect(follows(LEFT, { kind: "releasing", whyOver: "late" })).toEqual({
      state: { ...LOST, isLeft: true },
      effects: [told("late"), STOP],
    });
  });

  it("that was made is told", () => {
    expect(follows(OVER, { kind: "given-back" })).toEqual({ state: OVER, effects: [{ do: "tell-released" }] });
  });

  it.each([
    [false, "none"],
    [true, "possible"],
  ] as const)("that came too late is the loss of it; listed: %s", (isListed, entry) => {
    const gone = { kind: "gone", reason: "deleted", isListed } as const;
    const effects = [told("deleted"), { do: "clear-up", entry }];
    expect(follows(OVER, gone)).toEqual({ state: LOST, effects });
    expect(follows(LOST, gone)).toEqual({ state: LOST, effects: [{ do: "clear-up", entry }] });
  });

  it("without an answer leaves nothing behind", () => {
    expect(follows(OVER, { kind: "release-failed" })).toEqual({ state: OVER, effects: [CLEAR_UP] });
  });
});

it("what goes on elsewhere is over here, without a loss", () => {
  expect(follows(HELD, { kind: "handed-over" })).toEqual({ state: OVER, effects: [STOP, TELL_END] });
});
