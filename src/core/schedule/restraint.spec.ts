import { describe, expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, waiterOf } from "../../../test/protocol/samples.js";
import { ENTRY_LIFE_MS } from "../expiry.js";
import { REFRESH_RESERVE_MS } from "./enqueue.js";
import {
  hasChoice,
  ownEntry,
  type PossibleWrite,
  type Restraint,
  type StepBackSight,
  steppedBack,
  UNTRIED,
  weighed,
} from "./restraint.js";

const TRIP_MS = 20;
const FAR_AHEAD = T0 + 3_600_000;

/** Granted at T0, and written by its holder then: others may join it. */
const byHolder = recordOf({ holders: [holderOf({ renewedAtMs: T0, acquiredAtMs: T0 })], touchedAtMs: T0 });
/** A waiter joined at T0: what it has written is left alone for a few round trips. */
const byJoiner = recordOf({
  holders: [holderOf({ renewedAtMs: T0 - 500 })],
  queue: [waiterOf({ id: "other", sinceMs: T0 - 5 })],
  touchedAtMs: T0,
});
/** Released at T0, by a holder who came back after its turns before. */
const released = recordOf({
  writeId: "release",
  recent: [turnOf({ owner: "last", toMs: T0 }), turnOf({ owner: "again" })],
  queue: [waiterOf({ owner: "again" })],
  freeSinceMs: T0,
  touchedAtMs: T0,
});

function writeOf(changes: Partial<PossibleWrite> = {}): PossibleWrite {
  const write = { wanted: "entry", turnsAhead: 1, record: byHolder, attempt: attemptAt(T0 + 10) } as const;
  return { ...write, id: "mine", ownerId: "me", roundTripMs: TRIP_MS, random: 0, ...changes };
}

const having = (changes: Partial<Restraint> = {}): Restraint => ({ ...UNTRIED, ...changes });

describe("a grant", () => {
  it("is taken at once", () => {
    expect(weighed(UNTRIED, writeOf({ wanted: "grant" }))).toEqual(UNTRIED);
  });

  it("is left to the last holder for a moment where that is about to come back, once a version", () => {
    const write = writeOf({ wanted: "grant", record: released });
    const first = weighed(having({ setbacks: 3, losses: 2 }), write);
    expect(first).toEqual(having({ setbacks: 3, losses: 2, deferredTo: "release", heldBack: { withinMs: 1 } }));
    expect(weighed(first, write)).toEqual({ ...first, heldBack: undefined });
    const next = weighed(first, { ...write, record: { ...released, writeId: "next" } });
    expect(next).toMatchObject({ deferredTo: "next", heldBack: { withinMs: 1 } });
  });
});

describe("an entry", () => {
  it("is written onto what the holder has written, and not onto what another waiter has", () => {
    expect(weighed(having({ heldBack: { withinMs: 1 } }), writeOf())).toEqual(having({ wanted: "entry" }));
    const left = weighed(UNTRIED, writeOf({ record: byJoiner }));
    expect(left).toEqual(having({ wanted: "entry", heldBack: { withinMs: undefined } }));
    // For as long as four round trips, by the waiter's own.
    expect(weighed(UNTRIED, writeOf({ record: byJoiner, roundTripMs: 5 / 2 })).heldBack).toBeDefined();
    const later = attemptAt(T0 + 4 * TRIP_MS + 1);
    expect(weighed(UNTRIED, writeOf({ record: byJoiner, attempt: later })).heldBack).toBeUndefined();
  });

  it("is written by the client that has just released the lock", () => {
    expect(weighed(UNTRIED, writeOf({ record: released })).heldBack).toBeDefined();
    expect(weighed(UNTRIED, writeOf({ record: released, ownerId: "last" })).heldBack).toBeUndefined();
  });

  it("is written by chance after setbacks, while the holder's version is fresh", () => {
    // None of those that held it want it again, and there is a crowd.
    const record = { ...byHolder, queue: Array.from({ length: 9 }, (_, n) => waiterOf({ id: `${n}`, owner: `${n}` })) };
    const often = having({ setbacks: 5 });
    expect(weighed(often, writeOf({ record, random: 0.34 })).heldBack).toBeUndefined();
    expect(weighed(often, writeOf({ record, random: 0.36 })).heldBack).toEqual({ withinMs: undefined });
    expect(weighed(having({ setbacks: 1 }), writeOf({ record, random: 0.36 })).heldBack).toBeUndefined();
  });

  it("that is there is refreshed when it has to be, and put off till then", () => {
    const spareMs = 5_000;
    const expiresAtMs = T0 + 10 + REFRESH_RESERVE_MS + spareMs;
    const own = waiterOf({ id: "mine", expiresAtMs });
    const busy = { ...byJoiner, queue: [waiterOf({ id: "other", sinceMs: T0 - 5 }), own] };
    expect(weighed(UNTRIED, writeOf({ record: busy })).heldBack).toEqual({ withinMs: spareMs });
    const due = { ...busy, queue: [{ ...own, expiresAtMs: T0 + 10 + REFRESH_RESERVE_MS }] };
    expect(weighed(UNTRIED, writeOf({ record: due })).heldBack).toBeUndefined();
    const soon = { ...busy, queue: [{ ...own, expiresAtMs: T0 + 10 + REFRESH_RESERVE_MS + 0.25 }] };
    expect(weighed(UNTRIED, writeOf({ record: soon })).heldBack).toEqual({ withinMs: 1 });
  });

  it("that is there is put off where its turn comes before it expires, by the pace of the turns before", () => {
    const own = waiterOf({ id: "mine", expiresAtMs: T0 + 10 + REFRESH_RESERVE_MS + 5_000 });
    // Ten turns of a second each.
    const recent = Array.from({ length: 10 }, (_, n) =>
      turnOf({ owner: `o${n}`, fromMs: T0 - (n + 1) * 1_000, toMs: T0 - n * 1_000 }),
    );
    const paced = { ...byHolder, queue: [own], recent };
    expect(weighed(UNTRIED, writeOf({ record: paced, turnsAhead: 1 })).heldBack).toBeDefined();
    expect(weighed(UNTRIED, writeOf({ record: paced, turnsAhead: 8 })).heldBack).toBeUndefined();
    // However often it has lost before: that counts for those that are not in the queue yet.
    const often = having({ setbacks: 5 });
    expect(weighed(often, writeOf({ record: paced, turnsAhead: 8, random: 0.9 })).heldBack).toBeUndefined();
  });

  it("is written whatever it is in the way of where the record keeps all waiters waiting for hours", () => {
    const record = {
      ...byJoiner,
      holders: [holderOf({ renewedAtMs: FAR_AHEAD, expiresAtMs: FAR_AHEAD, undated: true })],
    };
    expect(hasChoice(writeOf({ record }))).toBe(false);
    expect(weighed(UNTRIED, writeOf({ record }))).toEqual(having({ wanted: "entry" }));
  });
});

it("has a choice where it wants an entry, and none of a grant", () => {
  expect(hasChoice(writeOf())).toBe(true);
  expect(hasChoice(writeOf({ wanted: "grant" }))).toBe(false);
});

it("knows its own entry by the acquisition's id", () => {
  const mine = waiterOf({ id: "mine" });
  expect(ownEntry({ record: recordOf({ queue: [waiterOf({ id: "other" }), mine] }), id: "mine" })).toBe(mine);
  expect(ownEntry({ record: byJoiner, id: "mine" })).toBeUndefined();
});

describe("stepping back", () => {
  const exclusive = { mode: "exclusive", permits: 1 } as const;
  const sightOf = (changes: Partial<StepBackSight> = {}): StepBackSight => ({
    ...{ cause: "race", claim: exclusive, record: byHolder, isEnqueued: false, waitedMs: 100, holdAgeMs: 50 },
    ...{ roundTripMs: TRIP_MS, random: 0.5, ...changes },
  });

  it("counts each setback, and as losses the entries that were lost to others", () => {
    expect(steppedBack(having(), sightOf()).restraint).toEqual(having({ setbacks: 1 }));
    expect(steppedBack(having({ wanted: "entry" }), sightOf()).restraint).toMatchObject({ setbacks: 1, losses: 1 });
    const alone = steppedBack(having({ wanted: "entry", setbacks: 2 }), sightOf({ cause: "restraint", random: 0 }));
    expect(alone.restraint).toMatchObject({ setbacks: 3, losses: 0 });
  });

  it("forgets a row of losses where it pauses by itself for more than two round trips", () => {
    const lost = having({ wanted: "entry", losses: 2 });
    // The first setback: one round trip, and up to four more by chance.
    const short = steppedBack(lost, sightOf({ cause: "restraint", random: 0.25 }));
    expect(short).toMatchObject({ delayMs: 2 * TRIP_MS, restraint: { losses: 2 } });
    const long = steppedBack(lost, sightOf({ cause: "restraint", random: 0.26 }));
    expect(long.delayMs).toBeGreaterThan(2 * TRIP_MS);
    expect(long.restraint.losses).toBe(0);
    // After a race that does not show calm.
    expect(steppedBack(lost, sightOf({ random: 0.9 })).restraint.losses).toBe(3);
  });

  it("goes by what was lost: a grant leaves the winner in peace, entries are tried again at once a few times", () => {
    expect(steppedBack(having(), sightOf()).delayMs).toBe(TRIP_MS * (4 + 12 * 0.5));
    const few = { ...byHolder, queue: [waiterOf({ owner: "a" }), waiterOf({ owner: "b" })] };
    const record = { ...few, recent: [turnOf({ owner: "a" }), turnOf({ owner: "b" })] };
    const lost = (losses: number) => steppedBack(having({ wanted: "entry", losses }), sightOf({ record })).delayMs;
    expect([lost(0), lost(2), lost(3)]).toEqual([0, 0, TRIP_MS * (1 + 12 * 0.5)]);
  });

  it("is short where there was room beside the winner: permits, or readers among readers", () => {
    const shared = { mode: "shared", permits: 1 } as const;
    const readers = recordOf({ holders: [holderOf({ mode: "shared" })] });
    const openMs = 2 * TRIP_MS * 0.5;
    expect(steppedBack(having(), sightOf({ record: readers, claim: shared })).delayMs).toBe(openMs);
    expect(steppedBack(having(), sightOf({ record: readers })).delayMs).toBe(TRIP_MS * 10);
    const pool = recordOf({ limit: 3, holders: [holderOf()] });
    expect(steppedBack(having(), sightOf({ record: pool })).delayMs).toBe(openMs);
    // Room for one is not room for two.
    expect(steppedBack(having(), sightOf({ record: { ...pool, limit: 2 } })).delayMs).toBe(TRIP_MS * 10);
    expect(steppedBack(having(), sightOf({ record: undefined })).delayMs).toBe(TRIP_MS * 10);
  });

  it("spreads a crowd out by how long it took to get a place", () => {
    const queue = Array.from({ length: 9 }, (_, n) =>
      waiterOf({ id: `${n}`, owner: `${n}`, sinceMs: T0, expiresAtMs: T0 + 300 + ENTRY_LIFE_MS }),
    );
    const sight = sightOf({ record: { ...byHolder, queue }, waitedMs: 1_000 });
    const lost = having({ wanted: "entry", losses: 3, setbacks: 3 });
    expect(steppedBack(lost, sight).delayMs).toBe(TRIP_MS + 6 * 300 * 0.5);
  });
});
