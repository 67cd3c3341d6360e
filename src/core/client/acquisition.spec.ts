import { describe, expect, it } from "vitest";
import { recordOf } from "../../../test/protocol/samples.js";
import {
  type AcquisitionState,
  type Effect,
  type Happening,
  isWanting,
  type Outcome,
  proceed,
  react,
  UNASKED,
} from "./acquisition.js";

const WAKE = { do: "wake" } as const;
const record = recordOf();

function stateOf(changes: Partial<AcquisitionState<string>> = {}): AcquisitionState<string> {
  return { ...UNASKED, ...changes };
}

function placeOf(position: number, enqueued = true) {
  return { kind: "waiting", enqueued, position, turnsAhead: position } as const;
}

function queuedAt(position: number, enqueued = true) {
  return { kind: "queued", place: placeOf(position, enqueued), record } as const;
}

/** What it does next after all of this. */
function nextAfter(state: AcquisitionState<string>, ...outcomes: readonly [...Outcome<string>[], Outcome<string>]) {
  let [now, next] = [state, undefined as unknown];
  for (const outcome of outcomes) ({ state: now, next } = proceed(now, outcome));
  return { state: now, next };
}

/** What follows from all of this, one after the other. */
function effectsOf(state: AcquisitionState<string>, ...happenings: readonly Happening<string>[]) {
  let now = state;
  const effects: Effect[] = [];
  for (const happening of happenings) {
    const reaction = react(now, happening);
    now = reaction.state;
    effects.push(...reaction.effects);
  }
  return { state: now, effects };
}

describe("what an acquisition does next", () => {
  it("begins by looking around, and asks where it may not trust others of its process", () => {
    expect(nextAfter(UNASKED, { kind: "turn" }).next).toEqual({ do: "look-around" });
    expect(nextAfter(UNASKED, { kind: "trusting", forMs: 0 }).next).toEqual({ do: "ask" });
  });

  it("rests for as long as it may trust them, and looks around again", () => {
    const { state, next } = nextAfter(UNASKED, { kind: "turn" }, { kind: "trusting", forMs: 1 });
    expect(next).toEqual({ do: "rest", forMs: 1 });
    expect(nextAfter(state, { kind: "turn" }).next).toEqual({ do: "look-around" });
  });

  it("confirms what it was granted, and may be in the record from then on", () => {
    const { state, next } = nextAfter(UNASKED, { kind: "granted", grant: "mine" });
    expect(next).toEqual({ do: "confirm", grant: "mine" });
    expect(state).toEqual(stateOf({ granted: "mine", mayBePresent: true }));
  });

  it("goes by the latest of two grants", () => {
    const handed = stateOf({ granted: "earlier" });
    expect(nextAfter(handed, { kind: "granted", grant: "later" }).next).toEqual({ do: "confirm", grant: "later" });
  });

  it("asks again where the grant had gone before it was confirmed, and still may be in the record", () => {
    const { state, next } = nextAfter(UNASKED, { kind: "granted", grant: "mine" }, { kind: "gone" });
    expect(next).toEqual({ do: "look-around" });
    expect(state).toEqual(stateOf({ mayBePresent: true }));
  });

  it("waits where another caller comes first, with what it has seen", () => {
    const { state, next } = nextAfter(UNASKED, queuedAt(1, false));
    expect(next).toEqual({ do: "wait", place: placeOf(1, false), record, tell: undefined });
    expect(state).toEqual(UNASKED);
    expect(nextAfter(state, { kind: "turn" }).next).toEqual({ do: "look-around" });
  });

  it("tells of its place when it has one, and whenever that is another one", () => {
    const first = nextAfter(UNASKED, queuedAt(2));
    expect(first.next).toMatchObject({ do: "wait", tell: "enqueued" });
    expect(first.state).toEqual(stateOf({ mayBePresent: true, position: 2 }));
    const same = nextAfter(first.state, queuedAt(2));
    expect(same.next).toMatchObject({ tell: undefined });
    expect(same.state).toEqual(first.state);
    const other = nextAfter(same.state, queuedAt(1));
    expect(other.next).toMatchObject({ tell: "position" });
    expect(other.state.position).toBe(1);
  });

  it("remembers that it may be in the record, and its place, where its entry is dropped", () => {
    const { state, next } = nextAfter(UNASKED, queuedAt(2), queuedAt(3, false));
    expect(next).toMatchObject({ tell: undefined });
    expect(state).toEqual(stateOf({ mayBePresent: true, position: 2 }));
  });

  it.each<Outcome<string>>([{ kind: "turn" }, { kind: "granted", grant: "late" }, { kind: "gone" }])(
    "ends after %o where its caller has given up",
    (outcome) => {
      expect(nextAfter(stateOf({ phase: "over", granted: "mine" }), outcome).next).toEqual({ do: "end" });
    },
  );
});

it("wants the lock until it was granted, handed over or given up", () => {
  expect(isWanting(UNASKED)).toBe(true);
  expect(isWanting(stateOf({ granted: "mine" }))).toBe(false);
  expect(isWanting(stateOf({ phase: "granted" }))).toBe(false);
  expect(isWanting(stateOf({ phase: "over" }))).toBe(false);
});

describe("what happens to an acquisition", () => {
  it("is its caller's when its grant was confirmed, and nothing is cleared up", () => {
    const { state, effects } = effectsOf(stateOf({ granted: "mine" }), { kind: "confirmed" });
    expect(state).toEqual(stateOf({ phase: "granted", granted: "mine" }));
    expect(effects).toEqual([]);
  });

  it("is cleared up where the caller had given up before the grant was confirmed", () => {
    const { state, effects } = effectsOf(UNASKED, { kind: "given-up" }, { kind: "confirmed" });
    expect(state.phase).toBe("over");
    expect(effects).toEqual([{ do: "stop" }, WAKE, { do: "clear-up", entry: "none" }]);
  });

  it("is cleared up when it ends without a grant", () => {
    const { state, effects } = effectsOf(UNASKED, { kind: "ended" });
    expect(state).toEqual(stateOf({ phase: "over" }));
    expect(effects).toEqual([{ do: "clear-up", entry: "none" }]);
  });

  it.each<[string, Happening<string>]>([
    ["it was listed", { kind: "listed" }],
    ["a transfer to it was tried", { kind: "transfer-unknown" }],
    ["it was handed the lock", { kind: "handed", grant: "handed" }],
    ["a place was taken for it", { kind: "placed", enqueued: true }],
  ])("is believed to be gone by a write only, where %s", (_, happening) => {
    const { effects } = effectsOf(UNASKED, happening, { kind: "placed", enqueued: false }, { kind: "ended" });
    expect(effects.at(-1)).toEqual({ do: "clear-up", entry: "listed" });
  });

  it("says nothing of being listed, and wakes to ask after a transfer of which nothing is known", () => {
    expect(effectsOf(UNASKED, { kind: "listed" })).toEqual({ state: stateOf({ mayBePresent: true }), effects: [] });
    expect(effectsOf(UNASKED, { kind: "transfer-unknown" })).toEqual({
      state: stateOf({ mayBePresent: true }),
      effects: [WAKE],
    });
  });

  it("wakes to confirm what it was handed", () => {
    const { state, effects } = effectsOf(UNASKED, { kind: "handed", grant: "handed" });
    expect(effects).toEqual([{ do: "tell-asking", isUnderWay: true }, WAKE]);
    expect(nextAfter(state, { kind: "turn" }).next).toEqual({ do: "confirm", grant: "handed" });
  });

  it("wakes where it was not handed anything, and keeps what it was handed before", () => {
    const { state, effects } = effectsOf(stateOf({ granted: "before" }), { kind: "placed", enqueued: false });
    expect(effects).toEqual([{ do: "tell-asking", isUnderWay: false }, WAKE]);
    expect(state).toEqual(stateOf({ granted: "before" }));
  });

  it("takes no notice of a transfer that is answered after it has taken the lock up", () => {
    const granted = stateOf({ phase: "granted", granted: "mine" });
    const { state, effects } = effectsOf(granted, { kind: "handed", grant: "handed" });
    expect(effects).toEqual([]);
    expect(state).toEqual({ ...granted, mayBePresent: true });
  });

  it.each<Happening<string>>([
    { kind: "handed", grant: "handed" },
    { kind: "placed", enqueued: true },
  ])("clears up what was %o after it was over", (happening) => {
    const { state, effects } = effectsOf(stateOf({ phase: "over" }), happening);
    expect(effects).toEqual([{ do: "clear-up", entry: "listed" }]);
    expect(state.phase).toBe("over");
  });

  it("stops and wakes when its caller gives up, and clears up at once only what was granted", () => {
    const waiting = effectsOf(stateOf({ mayBePresent: true }), { kind: "given-up" });
    expect(waiting.effects).toEqual([{ do: "stop" }, WAKE]);
    expect(waiting.state).toEqual(stateOf({ phase: "over", mayBePresent: true }));
    const granted = effectsOf(stateOf({ phase: "granted", mayBePresent: true }), { kind: "given-up" });
    expect(granted.effects).toEqual([{ do: "clear-up", entry: "listed" }, { do: "stop" }, WAKE]);
    expect(granted.state.phase).toBe("over");
  });
});
