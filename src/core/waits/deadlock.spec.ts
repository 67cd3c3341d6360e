import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { attemptAt, holderOf, recordOf, T0, waiterOf } from "../../../test/protocol/samples.js";
import { type Hold, type Holder, type LockRecord, refKey, type Waiter } from "../record.js";
import { type CycleEdge, compareVictims, isSameCycle, type Search, searchCycle } from "./deadlock.js";

/** One line of work: what it holds, and the one lock that it waits for. */
interface Party {
  readonly name: string;
  readonly holds: readonly string[];
  readonly wants?: string;
  readonly priority?: number;
  readonly sinceMs?: number;
}

type Records = Map<string, LockRecord | undefined>;

const NOW = attemptAt(T0 + 1000);
const tokens = new Map<string, number>();

/** The same token for a name whenever it is asked for. */
function tokenOf(lockName: string): number {
  const token = tokens.get(lockName) ?? T0 + tokens.size;
  tokens.set(lockName, token);
  return token;
}

const holdOf = (name: string): Hold => ({ name, token: tokenOf(name) });

function waiterFor({ name, holds, priority = 0, sinceMs = T0 }: Party): Waiter {
  return waiterOf({ id: name, priority, sinceMs, holds: holds.map(holdOf) });
}

function holderFor(party: Party, lockName: string): Holder {
  return holderOf({ id: `${party.name} of ${lockName}`, token: tokenOf(lockName), host: party.name, pid: 1 });
}

/** The records of all locks that these hold or want. */
function recordsOf(parties: readonly Party[]): Records {
  const names = new Set(parties.flatMap(({ holds, wants }) => [...holds, ...(wants === undefined ? [] : [wants])]));
  return new Map(
    [...names].map((lockName) => {
      const holders = parties.filter(({ holds }) => holds.includes(lockName)).map((one) => holderFor(one, lockName));
      const queue = parties.filter(({ wants }) => wants === lockName).map(waiterFor);
      return [lockName, recordOf({ holders, queue })];
    }),
  );
}

function searchBy(party: Party, records: Records): Search {
  const byRef = new Map([...records].map(([name, record]) => [refKey({ name }), record]));
  return searchCycle({ name: party.wants ?? "" }, waiterFor(party), byRef, NOW);
}

function change(records: Records, lockName: string, changes: Partial<LockRecord>): Records {
  return new Map(records).set(lockName, { ...(records.get(lockName) as LockRecord), ...changes });
}

const holderIn = (records: Records, lockName: string) => (records.get(lockName) as LockRecord).holders[0] as Holder;

/** The n-th holds lock n and wants the next one; who they are says the prefix. */
function ring(size: number, prefix = ""): Party[] {
  return Array.from({ length: size }, (_, index) => ({
    name: `${prefix}p${index}`,
    holds: [`${prefix}L${index}`],
    wants: `${prefix}L${(index + 1) % size}`,
    priority: index,
  }));
}

const locksOf = (search: Search) => (search.kind === "cycle" ? search.edges.map(({ lockName }) => lockName) : search);
const findersIn = (parties: readonly Party[]) => {
  const records = recordsOf(parties);
  const waiting = parties.filter(({ wants }) => wants !== undefined);
  return waiting.filter((party) => searchBy(party, records).kind === "cycle").map(({ name }) => name);
};

it.each([2, 3, 4, 5, 6])("finds a ring of %i, for its victim only, beginning with the lock it waits for", (size) => {
  const parties = ring(size);
  const records = recordsOf(parties);
  const expected = parties.map((_, index) => `L${(index + 1) % size}`);
  expect(locksOf(searchBy(parties[0] as Party, records))).toEqual(expected);
  for (const other of parties.slice(1)) expect(searchBy(other, records)).toEqual({ kind: "none" });
});

it("chooses the lowest priority, then the youngest wait, then the id", () => {
  const [low, high] = [waiterOf({ priority: 1 }), waiterOf({ priority: 2, sinceMs: T0 + 9 })];
  expect(compareVictims(low, high)).toBeLessThan(0);
  const [young, old] = [waiterOf({ sinceMs: T0 + 2 }), waiterOf({ sinceMs: T0 + 1 })];
  expect(compareVictims(young, old)).toBeLessThan(0);
  const [last, first] = [waiterOf({ id: "b" }), waiterOf({ id: "a" })];
  expect(compareVictims(last, first)).toBeLessThan(0);
  const alike = ring(4).map((party, index) => ({ ...party, priority: 7, sinceMs: T0 + (index === 2 ? 5 : 0) }));
  expect(findersIn(alike)).toEqual(["p2"]);
  expect(findersIn(alike.map((party) => ({ ...party, sinceMs: T0 })))).toEqual(["p3"]);
});

it("finds both of two rings that share a lock, each once", () => {
  // The scope that holds A waits for B and for C, whose holders wait for A.
  const parties: Party[] = [
    { name: "a1", holds: ["A"], wants: "B", priority: 9 },
    { name: "a2", holds: ["A"], wants: "C", priority: 8 },
    { name: "b", holds: ["B"], wants: "A", priority: 1 },
    { name: "c", holds: ["C"], wants: "A", priority: 2 },
  ];
  // One scope, one hold.
  const records = change(recordsOf(parties), "A", { holders: [holderFor(parties[0] as Party, "A")] });
  const found = parties.map((party) => locksOf(searchBy(party, records)));
  expect(found).toEqual([{ kind: "none" }, { kind: "none" }, ["A", "B"], ["A", "C"]]);
});

it("finds no victim where a waiter waits for a ring but is not in it", () => {
  const outsider: Party = { name: "outsider", holds: ["Z"], wants: "L0", priority: -5 };
  expect(findersIn([...ring(3), outsider])).toEqual(["p0"]);
  const behind: Party = { name: "behind", holds: [], wants: "L1", priority: -9 };
  expect(findersIn([...ring(3), behind])).toEqual(["p0"]);
});

it("finds nothing in a chain, however long, nor for a waiter that holds nothing", () => {
  expect(searchBy({ name: "me", holds: [], wants: "L0" }, recordsOf(ring(3)))).toEqual({ kind: "none" });
  const chain = ring(6).map((party, index) => (index === 5 ? { ...party, wants: "free" } : party));
  expect(findersIn(chain)).toEqual([]);
});

it("ignores entries that have expired", () => {
  const [victim, other] = ring(2) as [Party, Party];
  const records = recordsOf([victim, other]);
  const dead = { ...waiterFor(other), expiresAtMs: T0 + 999 };
  expect(searchBy(victim, change(records, "L0", { queue: [dead] }))).toEqual({ kind: "none" });
  const alive = { ...dead, expiresAtMs: T0 + 1000 };
  expect(searchBy(victim, change(records, "L0", { queue: [alive] })).kind).toBe("cycle");
});

it.each(["L0", "L1"])("ignores a holder of %s whose lease has run out: it will be taken over", (lockName) => {
  const [victim, other] = ring(2) as [Party, Party];
  const records = recordsOf([victim, other]);
  const holder = holderIn(records, lockName);
  const ended = change(records, lockName, { holders: [{ ...holder, expiresAtMs: T0 + 999 }] });
  expect(searchBy(victim, ended)).toEqual({ kind: "none" });
});

it.each(["L0", "L1"])("ignores holds of %s from an earlier turn: their token holds nothing any more", (lockName) => {
  const [victim, other] = ring(2) as [Party, Party];
  const records = recordsOf([victim, other]);
  const holder = holderIn(records, lockName);
  const next = change(records, lockName, { holders: [{ ...holder, token: holder.token + 1000 }] });
  expect(searchBy(victim, next)).toEqual({ kind: "none" });
  expect(searchBy(victim, change(records, lockName, { holders: [] }))).toEqual({ kind: "none" });
});

it("asks for the records that it has not seen, all of one step at once, and goes on with them", () => {
  const parties = ring(4);
  const victim = parties[0] as Party;
  const all = recordsOf(parties);
  const known: Records = new Map([["L1", all.get("L1")]]);
  // Backwards: who waits for L0, which I hold? Who holds L3, then?
  for (const name of ["L0", "L3", "L2"]) {
    expect(searchBy(victim, known)).toEqual({ kind: "read", refs: [{ name }] });
    known.set(name, all.get(name));
  }
  expect(searchBy(victim, known).kind).toBe("cycle");
});

it("finds rings of up to 32, and leaves longer ones to their leases", () => {
  const ringOf = (size: number) => ring(size)[0] as Party;
  expect(locksOf(searchBy(ringOf(32), recordsOf(ring(32))))).toHaveLength(32);
  expect(searchBy(ringOf(33), recordsOf(ring(33)))).toEqual({ kind: "none" });
});

it("takes a wait for another lock under its id for no wait for this one", () => {
  const me: Party = { name: "me", holds: ["A"], wants: "C" };
  const other: Party = { name: "other", holds: ["B"], wants: "A", priority: 3 };
  const records = change(recordsOf([me, other]), "B", { queue: [waiterFor(me)] });
  expect(searchBy(me, records)).toEqual({ kind: "none" });
});

it("asks for several at once where I hold several, each once", () => {
  const me: Party = { name: "me", holds: ["A", "B", "A"], wants: "C" };
  expect(searchBy(me, new Map())).toEqual({ kind: "read", refs: [{ name: "A" }, { name: "B" }] });
});

it("takes a lock that has no object for a free one", () => {
  const [victim, other] = ring(2) as [Party, Party];
  const records = recordsOf([victim, other]).set("L0", undefined);
  expect(searchBy(victim, records)).toEqual({ kind: "none" });
});

it("does not take a hold of the very lock that is wanted for a cycle, nor loops in it", () => {
  const me: Party = { name: "me", holds: ["A"], wants: "A" };
  const other: Party = { name: "other", holds: [], wants: "A", priority: 3 };
  const records = recordsOf([{ ...other }, { ...me }]);
  expect(searchBy(me, records)).toEqual({ kind: "none" });
  const selfish: Party = { name: "selfish", holds: ["B"], wants: "B", priority: 3 };
  expect(findersIn([{ name: "x", holds: ["B"], wants: "C", priority: 1 }, selfish])).toEqual([]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Any graph in which each party waits for one lock at most: cycles have no party in common, so each can be listed.

const anyGraph = fc
  .record({
    /** Who holds each lock. */
    heldBy: fc.array(fc.nat({ max: 7 }), { minLength: 2, maxLength: 10 }),
    wants: fc.array(fc.option(fc.nat({ max: 9 }), { freq: 6 }), { minLength: 8, maxLength: 8 }),
    priorities: fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 8, maxLength: 8 }),
    ages: fc.array(fc.nat({ max: 2 }), { minLength: 8, maxLength: 8 }),
  })
  .map(({ heldBy, wants, priorities, ages }) =>
    wants.map((want, index): Party => {
      const holds = heldBy.flatMap((who, lock) => (who === index ? [`G${lock}`] : []));
      const wanted = want === null || want >= heldBy.length || heldBy[want] === index ? undefined : `G${want}`;
      const rank = { priority: priorities[index] as number, sinceMs: T0 + (ages[index] as number) };
      return { name: `q${index}`, holds, ...rank, ...(wanted === undefined ? {} : { wants: wanted }) };
    }),
  );

function cyclesOf(parties: readonly Party[]): Party[][] {
  const next = (party: Party) =>
    party.wants === undefined ? undefined : parties.find(({ holds }) => holds.includes(party.wants as string));
  const cycles = new Map<string, Party[]>();
  for (const start of parties) {
    const path: Party[] = [];
    let at: Party | undefined = start;
    while (at !== undefined && !path.includes(at)) {
      path.push(at);
      at = next(at);
    }
    if (at !== start) continue;
    const names = path.map(({ name }) => name).sort();
    cycles.set(names.join(), path);
  }
  return [...cycles.values()];
}

it("has every cycle found by exactly one party, the one to give way, and no party found outside of cycles", () => {
  let withCycle = 0;
  fc.assert(
    fc.property(anyGraph, (parties) => {
      const cycles = cyclesOf(parties);
      withCycle += cycles.length > 0 ? 1 : 0;
      const victims = cycles.map((cycle) => cycle.map(waiterFor).sort(compareVictims)[0]?.id);
      expect(findersIn(parties).sort()).toEqual(victims.sort());
    }),
    { numRuns: 1000 },
  );
  // The property would be an empty one if hardly any graph had a cycle.
  expect(withCycle).toBeGreaterThan(100);
});

it("names in a cycle's edges the locks of that cycle in their order: each is held by whom the step before waits for", () => {
  fc.assert(
    fc.property(anyGraph, (parties) => {
      const records = recordsOf(parties);
      for (const party of parties.filter(({ wants }) => wants !== undefined)) {
        const search = searchBy(party, records);
        if (search.kind !== "cycle") continue;
        expect(search.edges[0]?.lockName).toBe(party.wants);
        for (const [index, { lockName, holder, waiter }] of search.edges.entries()) {
          const stuck = parties.find(({ name }) => name === waiter.id);
          expect(stuck?.holds).toContain(lockName);
          expect(holder.host).toBe(stuck?.name);
          const following = search.edges[(index + 1) % search.edges.length] as CycleEdge;
          expect(stuck?.wants).toBe(following.lockName);
        }
      }
    }),
    { numRuns: 500 },
  );
});

// ---------------------------------------------------------------------------------------------------------------------
// Two looks, and what people read

function edgesOf(parties: readonly Party[], records = recordsOf(parties)): readonly CycleEdge[] {
  const search = searchBy(parties[0] as Party, records);
  if (search.kind !== "cycle") throw new Error(search.kind);
  return search.edges;
}

it("tells a cycle that was seen before from one of other waits or other holds", () => {
  const parties = ring(2);
  const [victim, other] = parties as [Party, Party];
  expect(isSameCycle(edgesOf(parties), edgesOf(parties))).toBe(true);
  const records = recordsOf(parties);
  const holder = holderIn(records, "L1");
  const renewed = change(records, "L1", { holders: [{ ...holder, expiresAtMs: T0 + 9e4, leaseWriteId: "other" }] });
  expect(isSameCycle(edgesOf(parties), edgesOf(parties, renewed))).toBe(true);

  const anotherWait = change(records, "L0", { queue: [{ ...waiterFor(other), id: "another wait" }] });
  expect(isSameCycle(edgesOf(parties), edgesOf(parties, anotherWait))).toBe(false);
  const laterHold = { name: "L1", token: holder.token + 5000 };
  const anotherHold = change(change(records, "L1", { holders: [{ ...holder, token: laterHold.token }] }), "L0", {
    queue: [{ ...waiterFor(other), holds: [laterHold] }],
  });
  expect(isSameCycle(edgesOf(parties), edgesOf([victim, other], anotherHold))).toBe(false);
  expect(isSameCycle(edgesOf(parties), edgesOf(ring(3)))).toBe(false);
  const [edge] = edgesOf(parties) as [CycleEdge];
  expect(isSameCycle([edge, edge], [edge])).toBe(false);
});
