import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import { dated, needsDates } from "./dating.js";
import { FAR_AHEAD_MS } from "./expiry.js";
import type { LockRecord } from "./record.js";

const NOW = attemptAt(T0);
/** The latest that a clock can show that is right, as far as that is known; and what none shows. */
const FARTHEST_MS = T0 + FAR_AHEAD_MS;
const BEYOND_MS = FARTHEST_MS + 1;
const LIFE_MS = 15_000;

it.each<[string, Partial<LockRecord>, Partial<LockRecord>]>([
  ["since when it is free", { freeSinceMs: FARTHEST_MS }, { freeSinceMs: BEYOND_MS }],
  [
    "when an entry expires",
    { queue: [waiterOf({ expiresAtMs: FARTHEST_MS + LIFE_MS })] },
    { queue: [waiterOf(), waiterOf({ expiresAtMs: BEYOND_MS + LIFE_MS })] },
  ],
  [
    "when a lease ends",
    { holders: [holderOf({ expiresAtMs: FARTHEST_MS + 10_000 })] },
    { holders: [holderOf(), holderOf({ expiresAtMs: BEYOND_MS + 10_000 })] },
  ],
  [
    "when a turn ended",
    { recent: [turnOf({ toMs: FARTHEST_MS })] },
    { recent: [turnOf(), turnOf({ toMs: BEYOND_MS })] },
  ],
])("believes %s as long as clocks that are right may show it", (_, believed, beyond) => {
  const right = recordOf(believed);
  expect(needsDates(right, NOW)).toBe(false);
  expect(dated(right, NOW)).toBe(right);
  expect(needsDates(recordOf(beyond), NOW)).toBe(true);
  expect(needsDates(dated(recordOf(beyond), NOW), NOW)).toBe(false);
});

it("leaves everything as it is where there is no store time", () => {
  const record = recordOf({ freeSinceMs: BEYOND_MS, holders: [holderOf({ undated: true })] });
  const alone = attemptAt(T0, { lacksStoreTime: true });
  expect(needsDates(record, alone)).toBe(false);
  expect(dated(record, alone)).toBe(record);
});

it("puts right what is beyond belief, and nothing else", () => {
  const farMs = T0 + 3_600_000;
  const right = { queue: waiterOf({ id: "alive", sinceMs: T0 - 5 }), recent: turnOf({ id: "before" }) };
  const record = recordOf({
    freeSinceMs: farMs,
    queue: [right.queue, waiterOf({ id: "dead", sinceMs: farMs, expiresAtMs: farMs + LIFE_MS })],
    recent: [turnOf({ id: "last", fromMs: T0 - 100, toMs: farMs }), right.recent],
  });
  expect(dated(record, NOW)).toEqual({
    ...record,
    freeSinceMs: T0,
    queue: [right.queue, waiterOf({ id: "dead", sinceMs: T0, expiresAtMs: T0 + LIFE_MS })],
    recent: [turnOf({ id: "last", fromMs: T0 - 100, toMs: T0 }), right.recent],
  });
  const later = {
    queue: [waiterOf({ sinceMs: T0 - 7, expiresAtMs: farMs })],
    recent: [turnOf({ fromMs: farMs, toMs: farMs })],
  };
  expect(dated(recordOf(later), NOW)).toMatchObject({
    queue: [{ sinceMs: T0 - 7, expiresAtMs: T0 + LIFE_MS }],
    recent: [{ fromMs: T0, toMs: T0 }],
  });
  expect(dated(recordOf({ freeSinceMs: T0 - 500, ...later }), NOW).freeSinceMs).toBe(T0 - 500);
  const held = recordOf({ holders: [holderOf()], ...later });
  expect(dated(held, NOW)).not.toHaveProperty("freeSinceMs");
});
