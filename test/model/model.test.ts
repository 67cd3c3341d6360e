import { expect, it } from "vitest";
import { problemOfState } from "../../model/checker.js";
import { boundOf, type Configuration, NO_TROUBLE } from "../../model/configuration.js";
import { configurationNamed, configurations } from "../../model/configurations.js";
import { explore, firstWorld } from "../../model/explore.js";
import type { Budget, Client, Request } from "../../model/state.js";
import { REAL, type Subject } from "../../model/subject.js";
import { describe } from "../../model/trace.js";
import { IN_FULL } from "../scale.js";

const MAX_STATES = 200_000;

/** Gives one of the configurations, with so much trouble. */
function within(name: string, budget: Partial<Budget>): Configuration {
  return { ...configurationNamed(name), budget: { ...NO_TROUBLE, ...budget } };
}

function check(config: Configuration, broken: Partial<Subject> = {}) {
  return explore(config, { ...REAL, ...broken }, MAX_STATES);
}

const QUICK: readonly [string, Partial<Budget>][] = [
  ["one", { seconds: 1, lost: 1, giveUp: 1 }],
  ["two", { lost: 1, giveUp: 1 }],
];
const SLOW: typeof QUICK = [
  ["two", { seconds: 2 }],
  ["one, deleted twice", { seconds: 3, delete: 1 }],
  ["two, transfer", { lost: 1 }],
  ["two, edge", { seconds: 2 }],
  ["two, closing", { seconds: 1, close: 1 }],
];

it.each(IN_FULL ? [...QUICK, ...SLOW] : QUICK)("finds nothing wrong in %s, within %o", (name, budget) => {
  const { end, states } = check(within(name, budget));
  expect(end).toBe("exhausted");
  expect(states).toBeGreaterThan(100);
});

it.each<[string, string, Partial<Budget>, Partial<Subject>, string]>([
  [
    "no tolerance",
    "two",
    { seconds: 2 },
    { acquire: (record, command, attempt) => REAL.acquire(record, command, { ...attempt, toleranceMs: 0 }) },
    "one believer",
  ],
  [
    "half of the tolerance",
    "two, edge",
    { seconds: 2 },
    { acquire: (record, command, attempt) => REAL.acquire(record, command, { ...attempt, toleranceMs: 500 }) },
    "one believer",
  ],
  [
    "the nearer bound, where the wall clock lies outside",
    "two, what is known",
    { seconds: 2, clock: 1 },
    {
      storeTimeAt: (bounds, reading) => {
        const { earliestMs, latestMs } = REAL.storeTimeAt(bounds, reading);
        const nearestMs = reading.wallMs < earliestMs ? earliestMs : latestMs;
        return { earliestMs: nearestMs, latestMs: nearestMs };
      },
    },
    "nothing is dated back",
  ],
  [
    "a renewal of what has ended",
    "two, what is known",
    { seconds: 3, clock: 1 },
    { renew: (record, command, attempt) => REAL.renew(record, { ...command, onlyUnexpired: false }, attempt) },
    "what has ended stays ended",
  ],
  [
    "a holder that counts nothing",
    "two",
    { seconds: 3 },
    { remainingMs: (leaseMs) => leaseMs },
    "deadline before expiry",
  ],
  [
    "tokens that are the time",
    "two",
    {},
    {
      acquire: (record, command, attempt) => {
        const { reply, change } = REAL.acquire(record, command, attempt);
        if (reply.kind !== "granted" || change?.kind !== "write") return { reply, ...(change ? { change } : {}) };
        const holder = { ...reply.holder, token: attempt.now.latestMs };
        const others = change.record.holders.filter(({ id }) => id !== holder.id);
        const next = { ...change.record, token: holder.token, holders: [...others, holder] };
        return { reply: { kind: "granted", holder }, change: { kind: "write", record: next } };
      },
    },
    "tokens grow",
  ],
  [
    "a cancel that leaves no tombstone",
    "one",
    { lost: 1, giveUp: 1 },
    {
      cancel: (record, command, attempt) =>
        record === undefined ? { reply: { kind: "cancelled" } } : REAL.cancel(record, command, attempt),
    },
    "nothing is left",
  ],
  [
    "a deletion that does not wait",
    "one, deleted twice",
    { seconds: 2, delete: 1 },
    { deleteLock: (record, command, attempt) => REAL.deleteLock(record, { ...command, restMs: -1 }, attempt) },
    "nothing young is removed",
  ],
])("finds %s", (_, name, budget, broken, invariant) => {
  const { end, found } = check(within(name, budget), broken);
  expect(end).toBe("violation");
  expect(found?.violation.invariant).toBe(invariant);
});

it("finds a lease that a sweep ends before its end, and one that is granted too early after it", () => {
  const config = within("two, swept within bounds", { seconds: 2, clock: 1, cleanup: 1 });
  const cleanup: Subject["cleanup"] = (record, command, { now, ...attempt }) =>
    REAL.cleanup(record, command, { ...attempt, now: { ...now, earliestMs: now.latestMs } });
  expect(check(config, { cleanup }).found?.violation.invariant).toBe("nothing ends early");
});

it("finds what is sent after a close, and what is given away under work that runs on", () => {
  const config = configurationNamed("two, closing");
  const world = firstWorld(config);
  const [first, second] = world.clients as [Client, Client];
  const request = {
    client: 0,
    condition: 0,
    version: undefined,
    operation: "renew",
    sentTick: world.now,
    applied: false,
  };
  const withRequest = (write: number) => ({
    ...world,
    clients: [{ ...first, phase: "left", closedAt: 1 } as Client, second],
    requests: [{ ...request, write } as Request],
  });
  expect(problemOfState(withRequest(1), config, [0, 0])).toBeUndefined();
  expect(problemOfState(withRequest(2), config, [0, 0])?.invariant).toBe("closed is closed");
  const working = { ...world, clients: [{ ...first, phase: "holding", isClosing: true } as Client, second] };
  expect(problemOfState(working, config, [0, 0])).toBeUndefined();
  expect(problemOfState(working, config, [1, 0])?.invariant).toBe("inside until the end");
});

it("tells how it came to a violation, event by event", () => {
  const config = within("two", { seconds: 2 });
  const acquire: Subject["acquire"] = (record, command, attempt) =>
    REAL.acquire(record, command, { ...attempt, toleranceMs: 0 });
  const { found } = check(config, { acquire });
  if (found === undefined) throw new Error("nothing was found");
  const lines = describe({ config, subject: { ...REAL, acquire } }, found).split("\n");
  expect(lines[0]).toBe('VIOLATION of "one believer": client 0 and client 1 believe that they hold the lock');
  expect(lines[1]).toMatch(/^ {2}1\. {2}0 s {2}client [01]: {3}begins to acquire the lock$/);
  expect(lines.at(-1)).toMatch(/client \d believes that it holds, for \d+ ms/);
});

it("stops at as many states as it may visit, and says how deep it has looked", () => {
  const { end, states, depth } = explore(configurationNamed("two", "long"), REAL, 1000);
  expect(end).toBe("states");
  expect(states).toBeGreaterThanOrEqual(1000);
  expect(depth).toBeGreaterThan(3);
});

it("says what its bounds are", () => {
  expect(boundOf(within("two", { seconds: 3, lost: 1, giveUp: 2 }))).toBe(
    "2 acquisitions, 3 s, 1 lost or late, 2 give-up",
  );
  for (const config of [...configurations("short"), ...configurations("long")]) expect(boundOf(config)).toMatch(/\d s/);
});
