import { beforeEach, describe, expect, it } from "vitest";
import { AtLeastChecker } from "../../sim/checkers/at-least.js";
import { BeliefChecker, type Believer } from "../../sim/checkers/beliefs.js";
import { ChainChecker } from "../../sim/checkers/chain.js";
import { DeadlockChecker, type Waiting } from "../../sim/checkers/deadlocks.js";
import { Findings } from "../../sim/checkers/findings.js";
import { HistoryChecker, type Hold } from "../../sim/checkers/history.js";
import { OnceChecker } from "../../sim/checkers/once.js";
import { OrderChecker } from "../../sim/checkers/order.js";
import { RecordChecker } from "../../sim/checkers/record.js";
import { FencedCounter } from "../../sim/checkers/resource.js";
import type { Body, BodyHolder, BodyWaiter } from "../../sim/plan/body.js";

/** Each checker of the simulation is shown a history that is in order, and one that is broken in one place. */

const KEY = "locks/x.json";
let nowMs: number;
let findings: Findings;
const properties = () => findings.found.map(({ property }) => property);

beforeEach(() => {
  nowMs = 100_000;
  findings = new Findings(() => nowMs);
});

describe("beliefs", () => {
  const believer = (client: string, more: Partial<Believer> = {}): Believer => ({
    client,
    token: 1,
    believes: () => true,
    ...more,
  });
  const check = (isJudged: boolean, ...believers: Believer[]) => {
    const beliefs = new BeliefChecker(findings, isJudged);
    for (const one of believers) beliefs.begin("x", one);
    beliefs.check();
    return beliefs;
  };

  it("two who believe at once are found", () => {
    check(true, believer("a"), believer("b", { token: 2 }));
    expect(properties()).toEqual(["exclusion"]);
    expect(findings.found[0]?.detail).toContain("a (token 1) and b (token 2)");
  });

  it("also when the second belief was there before and comes back", () => {
    let isBack = false;
    const beliefs = check(true, believer("a"), believer("b", { token: 2, believes: () => isBack }));
    expect(properties()).toEqual([]);
    isBack = true;
    beliefs.check();
    expect(properties()).toEqual(["exclusion"]);
  });

  it("nothing is found where one has ended, or clocks break the assumptions, or force was used", () => {
    const first = believer("a");
    const beliefs = check(true, first);
    beliefs.end("x", first);
    beliefs.begin("x", believer("b"));
    beliefs.check();
    check(false, believer("a"), believer("b"));
    const forced = new BeliefChecker(findings, true);
    forced.excuse("x", { token: 1, owner: "a" });
    forced.begin("x", believer("a"));
    forced.begin("x", believer("b", { token: 2 }));
    forced.check();
    expect(properties()).toEqual([]);
  });

  it("readers go together, not with a writer; permits as many as there are", () => {
    const reader = (client: string) => believer(client, { mode: () => "shared" });
    const permit = (client: string) => believer(client, { permits: [1, 2] });
    check(true, reader("a"), reader("b"));
    check(true, permit("a"), permit("b"));
    expect(properties()).toEqual([]);
    check(true, reader("a"), believer("b"));
    check(true, permit("a"), permit("b"), permit("c"));
    check(true, permit("a"), believer("b", { permits: [2, 2] }));
    expect(properties()).toEqual(["exclusion", "exclusion", "exclusion"]);
  });
});

describe("the history of one lock", () => {
  const hold = (token: number, askedAtMs: number, grantedAtMs: number, endedAtMs: number): Hold => ({
    client: `c${token}`,
    token,
    askedAtMs,
    grantedAtMs,
    endedAtMs,
    wasLost: false,
  });
  const check = (...holds: Hold[]) => {
    const history = new HistoryChecker();
    for (const one of holds) history.add("x", one);
    history.check(findings);
  };

  it("one after the other, and overlapping calls, are in order", () => {
    check(hold(1, 0, 10, 20), hold(2, 5, 30, 40), hold(3, 6, 45, 50));
    expect(properties()).toEqual([]);
  });

  it.each([
    ["a token that is given twice", [hold(1, 0, 10, 20), hold(1, 15, 25, 30)]],
    ["a later hold with a lower token", [hold(5, 0, 10, 20), hold(4, 30, 40, 50)]],
    ["a grant while the one before has not ended", [hold(1, 0, 10, 50), hold(2, 5, 30, 60)]],
  ])("%s is found", (_, holds) => {
    check(...holds);
    expect(properties()).toContain("history");
  });

  it("sharers overlap, and none overlaps with a holder that does not share", () => {
    const shared = (one: Hold): Hold => ({ ...one, isShared: true });
    check(shared(hold(1, 0, 10, 50)), shared(hold(2, 5, 30, 60)), hold(3, 5, 70, 80));
    expect(properties()).toEqual([]);
    check(shared(hold(1, 0, 10, 50)), hold(2, 5, 30, 60));
    check(hold(1, 0, 10, 50), shared(hold(2, 5, 30, 60)));
    expect(properties()).toEqual(["history", "history"]);
  });

  it("a hold that was lost or ended by force may have ended at any moment", () => {
    check({ ...hold(1, 0, 10, 50), wasLost: true }, hold(2, 5, 30, 60));
    const history = new HistoryChecker();
    history.add("x", hold(1, 0, 10, 50));
    history.add("x", hold(2, 5, 30, 60));
    history.force("x", 1);
    history.check(findings);
    expect(properties()).toEqual([]);
  });

  // The second time to a task that held it by name, and so tells nothing.
  it("a token that was granted again after 1.x says nothing about the order of its holds", () => {
    const play = (isBeside1x: boolean) => {
      const history = new HistoryChecker(true, isBeside1x);
      for (const token of [7, 6, 7]) history.landed("x", token);
      history.add("x", hold(7, 0, 10, 20));
      history.add("x", hold(6, 25, 30, 40));
      history.check(findings);
    };
    play(true);
    expect(properties()).toEqual([]);
    play(false);
    expect(properties()).toContain("history");
  });

  it("a task that is told that a lock is free all the while it is held was told wrong", () => {
    const history = new HistoryChecker();
    history.add("x", hold(1, 0, 10, 50));
    const question = { client: "q", askedAtMs: 20, answeredAtMs: 30 };
    history.ask("x", { ...question, isLocked: true });
    history.ask("x", { ...question, isLocked: false, answeredAtMs: 60 });
    history.check(findings);
    expect(properties()).toEqual([]);
    history.ask("x", { ...question, isLocked: false });
    history.check(findings);
    expect(properties()).toEqual(["history"]);
  });
});

describe("the versions of a record", () => {
  const holder = (id: string, token: number, more: Partial<BodyHolder> = {}): BodyHolder => ({
    id,
    owner: `owner of ${id}`,
    mode: "exclusive",
    token,
    priority: 0,
    acquiredAtMs: nowMs,
    renewedAtMs: nowMs,
    expiresAtMs: nowMs + 5000,
    leaseMs: 5000,
    leaseWriteId: id,
    ...more,
  });
  const OPTIONS = {
    judgesTime: true,
    earlyMs: 0,
    toleranceMs: 0,
    aheadMs: 0,
    restMs: 20_000,
    wipedMs: 0,
    mayFallOnRemoval: false,
  };
  let writes = 0;
  /** How long an object is at rest before it is removed. */
  let removedAfterMs = 20_000;
  const bodyOf = (body: Body): Body => {
    const [first] = body.holders ?? [];
    const mirror = first ? { locked: true, owner: first.owner, expiresAt: first.expiresAtMs } : { locked: false };
    writes += 1;
    return { schema: 3, writeId: `w${writes}`, touchedAtMs: nowMs, token: 0, limit: 1, recent: [], ...mirror, ...body };
  };
  const check = (...bodies: (Body | undefined)[]) => checkThose(false, ...bodies);
  const checkThose = (isObserved: boolean, ...bodies: (Body | undefined)[]) => {
    const records = new RecordChecker(findings, { ...OPTIONS, now: () => nowMs, isObserved });
    for (const body of bodies) {
      if (body === undefined) nowMs += removedAfterMs;
      records.landed(KEY, body === undefined ? undefined : JSON.stringify(body));
    }
    return records;
  };
  const ended = (one: BodyHolder, how: string) => [
    { id: one.id, owner: one.owner, token: one.token, toMs: nowMs, ended: how },
  ];

  it("a grant, a release and another grant are in order", () => {
    const a = holder("a", 5);
    const b = holder("b", 6);
    const records = check(
      bodyOf({ token: 5, holders: [a] }),
      bodyOf({ token: 5, recent: ended(a, "released") }),
      bodyOf({ token: 6, holders: [b], recent: ended(a, "released") }),
    );
    expect(properties()).toEqual([]);
    expect(records.grants).toBe(2);
  });

  it("tokens that do not grow are found, also across a removal", () => {
    const a = holder("a", 5);
    check(
      bodyOf({ token: 5, holders: [a] }),
      bodyOf({ token: 5, holders: [holder("b", 5)], recent: ended(a, "released") }),
    );
    const old = bodyOf({ token: 5, recent: ended(a, "released") });
    check(bodyOf({ token: 5, holders: [a] }), old, undefined, bodyOf({ token: 4, holders: [holder("c", 4)] }));
    expect(properties()).toEqual(["tokens", "tokens"]);
  });

  it("a counter that falls is found", () => {
    check(bodyOf({ token: 5 }), bodyOf({ token: 4 }));
    expect(properties()).toEqual(["tokens"]);
  });

  it("two holders are found, unless both are readers, or there are permits", () => {
    const two = (more: Body, mode: string) =>
      bodyOf({ token: 2, holders: [holder("a", 1, { mode }), holder("b", 2, { mode })], ...more });
    check(two({}, "shared"));
    check(two({ limit: 2 }, "exclusive"));
    expect(properties()).toEqual([]);
    check(two({}, "exclusive"));
    expect(properties()).toEqual(["holders"]);
  });

  it("a write id that is used twice is found", () => {
    check(bodyOf({ writeId: "same" }), bodyOf({ writeId: "same" }));
    expect(properties()).toEqual(["write-id"]);
  });

  it("a hold that another process goes on with is neither gone nor new; its token is higher all the same", () => {
    const a = holder("a", 5);
    nowMs += 1000;
    const restored = (token: number) => holder("b", token, { acquiredAtMs: a.acquiredAtMs });
    const records = check(bodyOf({ token: 5, holders: [a] }), bodyOf({ token: 6, holders: [restored(6)] }));
    expect(properties()).toEqual([]);
    expect(records.grants).toBe(2);
    check(bodyOf({ token: 5, holders: [a] }), bodyOf({ token: 5, holders: [restored(5)] }));
    expect(properties()).toEqual(["tokens", "vanished"]);
  });

  it("a lease that is taken before its end is found, and so is a holder that is gone without a word", () => {
    const a = holder("a", 5);
    const next = { token: 6, holders: [holder("b", 6, { acquiredAtMs: nowMs + 1 })] };
    check(bodyOf({ token: 5, holders: [a] }), bodyOf({ ...next, recent: ended(a, "expired") }));
    check(bodyOf({ token: 5, holders: [a] }), bodyOf(next));
    expect(properties()).toEqual(["early", "vanished"]);
    nowMs += 6000;
    check(bodyOf({ token: 5, holders: [a] }), bodyOf({ ...next, recent: ended(a, "expired") }));
    expect(properties()).toHaveLength(2);
  });

  it("a lease that is taken within the tolerance is found, but for what a clock that is right may be ahead; a sweep keeps none", () => {
    const a = holder("a", 5);
    const play = (afterMs: number, next: Body) => {
      nowMs = 0;
      const options = { ...OPTIONS, now: () => nowMs, isObserved: false, toleranceMs: 1000, aheadMs: 500 };
      const records = new RecordChecker(findings, options);
      records.landed(KEY, JSON.stringify(bodyOf({ token: 5, holders: [{ ...a, expiresAtMs: 5000 }] })));
      nowMs = 5000 + afterMs;
      records.landed(KEY, JSON.stringify(bodyOf({ recent: ended(a, "expired"), ...next })));
      return findings.found.splice(0).map(({ property }) => property);
    };
    expect(play(499, { token: 6, holders: [holder("b", 6)] })).toEqual(["early"]);
    expect(play(500, { token: 6, holders: [holder("b", 6)] })).toEqual([]);
    expect(play(0, { token: 5 })).toEqual([]);
    expect(play(-1, { token: 5 })).toEqual(["early"]);
  });

  // Its published end is as late as the bounds of store time were wide.
  it("where leases are watched, one that has not been there for its whole length is found, whatever its published end", () => {
    const a = holder("a", 5, { leaseMs: 5000, expiresAtMs: nowMs + 9000 });
    const renewed = { ...a, expiresAtMs: a.expiresAtMs + 1, leaseWriteId: "again" };
    const taken = () => bodyOf({ token: 6, holders: [holder("b", 6)], recent: ended(a, "expired") });
    const play = (isObserved: boolean, ...waits: readonly number[]) => {
      const records = checkThose(isObserved);
      const versions = [a, renewed].slice(0, waits.length).map((one) => bodyOf({ token: 5, holders: [one] }));
      for (const [index, body] of versions.entries()) {
        records.landed(KEY, JSON.stringify(body));
        nowMs += waits[index] as number;
      }
      records.landed(KEY, JSON.stringify(taken()));
      nowMs = 100_000;
      return findings.found.splice(0).map(({ property }) => property);
    };
    expect(play(true, 5000)).toEqual([]);
    expect(play(true, 4900)).toEqual(["early"]);
    expect(play(true, 4000, 4900)).toEqual(["early"]);
    // A client that only says in store time when it ends does not renew it.
    renewed.leaseWriteId = a.leaseWriteId;
    expect(play(true, 4000, 4900)).toEqual([]);
    expect(play(false, 5000)).toEqual(["early"]);
  });

  it("a live lease that 1.x takes, or releases, is found", () => {
    const text = JSON.stringify(bodyOf({ token: 5, holders: [holder("a", 5)] }));
    for (const theirs of [{ locked: true, owner: "old", expiresAt: nowMs + 1 }, { locked: false }]) {
      const records = check();
      records.landed(KEY, text);
      records.landed(KEY, JSON.stringify(theirs), true);
    }
    expect(properties()).toEqual(["early", "1.x"]);
  });

  it("whose hold is taken is told, whether by us or by 1.x: a task that waits in a cycle with it need not any more", () => {
    const text = JSON.stringify(bodyOf({ token: 5, holders: [holder("a", 5)] }));
    const ours = bodyOf({ token: 6, holders: [holder("b", 6)], recent: ended(holder("a", 5), "expired") });
    for (const [theirs, isBy1x] of [
      [{ locked: true, owner: "old", expiresAt: nowMs + 1 }, true],
      [ours, false],
    ] as const) {
      const taken: string[] = [];
      const records = check();
      records.onTaken = () => taken.push(KEY);
      records.landed(KEY, text);
      expect(taken).toEqual([]);
      records.landed(KEY, JSON.stringify(theirs), isBy1x);
      expect(taken).toEqual([KEY]);
    }
  });

  it("the removal of what is held, waited for or young is found", () => {
    const waiter: BodyWaiter = { id: "w", priority: 0, sinceMs: nowMs, expiresAtMs: nowMs + 60_000 };
    check(bodyOf({ holders: [holder("a", 1)] }), undefined);
    check(bodyOf({ queue: [waiter] }), undefined);
    expect(properties()).toEqual(["removal", "removal"]);
    check(bodyOf({}), undefined);
    expect(properties()).toHaveLength(2);
    removedAfterMs = 17_000;
    check(bodyOf({}), undefined);
    // Whatever a wall clock that was behind says of it.
    check(bodyOf({ touchedAtMs: 0 }), undefined);
    expect(properties()).toHaveLength(4);
  });
});

describe("the order of service", () => {
  const waiter = (id: string, sinceMs: number, priority = 0): BodyWaiter => ({
    id,
    priority,
    sinceMs,
    expiresAtMs: nowMs + 15_000,
  });
  const holder = (id: string, priority = 0) => ({ id, priority, token: 7, expiresAtMs: nowMs + 5000 }) as BodyHolder;
  const freeFor = (ms: number) => {
    const order = new OrderChecker(findings, { now: () => nowMs, toleranceMs: 1000, aheadMs: 100 });
    order.landed(KEY, {});
    nowMs += ms;
    return order;
  };

  it.each([
    ["the first", "a", 0, []],
    ["the second", "b", 0, ["order"]],
    ["the second, one grace after the lock became free", "b", 120, []],
    ["the third, one grace after the lock became free", "c", 120, ["order"]],
  ])("%s of three is served", (_, id, ms, expected) => {
    const order = freeFor(ms);
    const queue = [waiter("a", 1), waiter("b", 2), waiter("c", 3)];
    order.granted(KEY, { queue }, holder(id));
    expect(properties()).toEqual(expected);
  });

  it("a task that came later and is more urgent may be first, and no other", () => {
    const queue = [waiter("a", 1), waiter("boss", 2, 5)];
    freeFor(0).granted(KEY, { queue }, holder("boss", 5));
    expect(properties()).toEqual([]);
    freeFor(0).granted(KEY, { queue }, holder("a"));
    expect(properties()).toEqual(["order"]);
  });

  it("whose entry has run out by the clock that is furthest ahead need not be waited for, and no other", () => {
    const entry = { ...waiter("a", 1), expiresAtMs: nowMs + 100 };
    freeFor(0).granted(KEY, { queue: [entry, waiter("b", 2)] }, holder("b"));
    expect(properties()).toEqual([]);
    freeFor(0).granted(KEY, { queue: [{ ...entry, expiresAtMs: nowMs + 101 }, waiter("b", 2)] }, holder("b"));
    expect(properties()).toEqual(["order"]);
  });

  it("a task that fits beside all ahead takes nothing from them", () => {
    const queue = [waiter("a", 1), waiter("b", 2)];
    freeFor(0).granted(KEY, { queue, limit: 2 }, holder("b"));
    expect(properties()).toEqual([]);
    const greedy = { ...waiter("a", 1), permits: 2 };
    freeFor(0).granted(KEY, { queue: [greedy, waiter("b", 2)], limit: 2 }, holder("b"));
    expect(properties()).toEqual(["order"]);
  });

  it("a task that gives permits back to one of its own in the same write takes nothing from those that fit as well", () => {
    const queue = [waiter("a", 1), waiter("b", 2)];
    const from = { ...holder("from"), permits: 2 };
    freeFor(0).granted(KEY, { queue, limit: 2, holders: [from] }, holder("b"), { holders: [holder("b")] });
    expect(properties()).toEqual([]);
    const staying = [holder("other"), holder("b")];
    freeFor(0).granted(KEY, { queue, limit: 2, holders: staying }, holder("b"), { holders: staying });
    expect(properties()).toEqual(["order"]);
  });

  it("a reader that could have come in beside other readers for a while has not been overtaken", () => {
    const reader: BodyWaiter = { ...waiter("reader", 1), mode: "shared" };
    const queue = [reader, waiter("b", 2)];
    const grantAfter = (ms: number, mode: string) => {
      const order = new OrderChecker(findings, { now: () => nowMs, toleranceMs: 1000, aheadMs: 100 });
      const holders = [{ ...holder("first"), mode, expiresAtMs: nowMs - 1000 + ms }];
      order.landed(KEY, { holders, queue });
      nowMs += ms;
      order.granted(KEY, { holders, queue }, holder("b"));
    };
    grantAfter(300, "shared");
    expect(properties()).toEqual([]);
    grantAfter(300, "exclusive");
    grantAfter(20, "shared");
    expect(properties()).toEqual(["order", "order"]);
  });

  it("a newcomer that takes the lock before a waiter is found when it says when it came", () => {
    const order = freeFor(0);
    order.granted(KEY, { queue: [waiter("a", 1000)] }, holder("new"));
    expect(properties()).toEqual([]);
    order.asked(KEY, 7, 2000);
    expect(properties()).toEqual(["order"]);
  });
});

describe("deadlocks", () => {
  const task = (name: string, wants: string | undefined, isAwake = true): Waiting => ({
    name,
    wants: wants === undefined ? undefined : [wants],
    isAwake,
    isGivingUp: false,
  });
  const held = (label: string, token: number): Body => ({
    holders: [{ id: label, owner: label, label, token } as BodyHolder],
  });
  const records: Record<string, Body> = { x: held("a", 1), y: held("b", 2) };
  const checker = (...tasks: Waiting[]) =>
    new DeadlockChecker(
      findings,
      () => nowMs,
      (lock) => records[lock],
      () => tasks,
    );
  const cycle = [
    { lockName: "x", fencingToken: 1 },
    { lockName: "y", fencingToken: 2 },
  ];

  it("a cycle that is not broken is found when its time is up", () => {
    const deadlocks = checker(task("a", "y"), task("b", "x"));
    deadlocks.check(1000);
    nowMs += 999;
    deadlocks.check(1000);
    expect(properties()).toEqual([]);
    nowMs += 1;
    deadlocks.check(1000);
    expect(properties()).toEqual(["deadlock"]);
  });

  it("a queue is not a cycle, nor is one with a sleeper in it", () => {
    for (const deadlocks of [
      checker(task("a", undefined), task("b", "x")),
      checker(task("a", "y"), task("b", "x", false)),
    ]) {
      deadlocks.check(1000);
      nowMs += 10_000;
      deadlocks.check(1000);
    }
    expect(properties()).toEqual([]);
  });

  it("a victim in a cycle is in order; one without a cycle is found", () => {
    checker(task("a", "y"), task("b", "x")).noteVictim("b", cycle);
    expect(properties()).toEqual([]);
    checker(task("a", undefined), task("b", "x")).noteVictim("b", cycle);
    checker(task("a", "y"), task("b", "x")).noteVictim("b", [{ lockName: "x", fencingToken: 9 }]);
    expect(properties()).toEqual(["victim", "victim"]);
  });

  it("while a task whose time-out is over clears up, it is not known which cycles there are", () => {
    const gone = [{ lockName: "x", fencingToken: 9 }];
    checker({ ...task("a", "y"), isGivingUp: true }, task("b", "x")).noteVictim("b", gone);
    expect(properties()).toEqual([]);
    checker(task("a", "y"), task("b", "x")).noteVictim("b", gone);
    expect(properties()).toEqual(["victim"]);
  });

  it("who waits for two locks at once is in the cycles of both", () => {
    const both: Waiting = { name: "a", wants: ["z", "y"], isAwake: true, isGivingUp: false };
    checker(both, task("b", "x")).noteVictim("b", cycle);
    expect(properties()).toEqual([]);
  });

  it("who took a lock by name can be waited for as long as the record says that it has it", () => {
    const named: Record<string, Body> = { x: { holders: [{ owner: "o", token: 1, via: "name" } as BodyHolder] } };
    const deadlocks = new DeadlockChecker(
      findings,
      () => nowMs,
      (lock) => named[lock],
      () => [],
    );
    deadlocks.tookByName("a", "x", "another owner");
    expect(deadlocks.holdsByName("a")).toBe(false);
    deadlocks.tookByName("a", "x", "o");
    expect([deadlocks.holdsByName("a"), deadlocks.holdsByName("b")]).toEqual([true, false]);
    named["x"] = { holders: [{ owner: "o", token: 2, via: "name" } as BodyHolder] };
    expect(deadlocks.holdsByName("a")).toBe(false);
  });

  it("a second victim for the same cycle is found, however disturbed it is by then", () => {
    const b = { ...task("b", "x") };
    const deadlocks = checker(task("a", "y"), b);
    deadlocks.noteVictim("b", cycle);
    deadlocks.disturb();
    b.wants = undefined;
    deadlocks.noteVictim("a", cycle.toReversed());
    expect(properties()).toEqual(["victim"]);
  });

  it("one that gives way, keeps what it holds and asks again may have another one of the cycle give way", () => {
    const deadlocks = checker(task("a", "y"), task("b", "x"));
    deadlocks.noteVictim("b", cycle);
    deadlocks.noteVictim("a", cycle.toReversed());
    expect(properties()).toEqual([]);
  });

  it("one that gives way, keeps what it holds and asks again may give way again", () => {
    const deadlocks = checker(task("a", "y"), task("b", "x"));
    deadlocks.noteVictim("b", cycle);
    deadlocks.noteVictim("b again", cycle);
    expect(properties()).toEqual([]);
  });

  it("nothing is said of a victim just after the cycle was disturbed from outside", () => {
    const deadlocks = checker(task("a", undefined), task("b", "x"));
    deadlocks.disturb();
    deadlocks.noteVictim("b", cycle);
    expect(properties()).toEqual([]);
  });
});

describe("a resource that checks tokens", () => {
  it("loses no update of those that come in order, and refuses one that comes late", () => {
    const counter = new FencedCounter("x", findings);
    const old = counter.read(1);
    const young = counter.read(2);
    expect(counter.write(1, (old ?? 0) + 1)).toBe(false);
    expect(counter.write(2, (young ?? 0) + 1)).toBe(true);
    expect(counter.refused).toBe(1);
    expect(properties()).toEqual([]);
  });

  it("an update that is lost behind one token is found", () => {
    const counter = new FencedCounter("x", findings);
    const [one, other] = [counter.read(1), counter.read(1)];
    counter.write(1, (one ?? 0) + 1);
    counter.write(1, (other ?? 0) + 1);
    expect(properties()).toEqual(["lost-update"]);
  });
});

describe("the versions of a fenced object", () => {
  const OBJECT = "objects/x.json";
  let writes = 0;
  const land = (chain: ChainChecker, token: number, content: readonly string[] | undefined, id?: string) => {
    writes += 1;
    chain.landed(OBJECT, JSON.stringify({ fenced: 1, token, writeId: id ?? `w${writes}`, content }));
  };

  it("openings and changes, one after the other, are in order, and so is what was told of them", () => {
    const chain = new ChainChecker(findings);
    land(chain, 1, undefined);
    chain.change(OBJECT, "a")("made");
    land(chain, 1, ["a"]);
    land(chain, 2, ["a"]);
    chain.change(OBJECT, "b")("not made");
    chain.change(OBJECT, "c");
    land(chain, 2, ["a", "c"]);
    chain.check();
    expect(properties()).toEqual([]);
  });

  it.each<[string, [number, string[]], [number, string[]]]>([
    ["a token that falls", [2, ["a"]], [1, ["a"]]],
    ["an update that is lost", [1, ["b"]], [2, ["c"]]],
    ["two changes in one", [1, []], [1, ["a", "b"]]],
  ])("%s is found", (_, first, second) => {
    const chain = new ChainChecker(findings);
    land(chain, ...first);
    expect(properties()).toEqual([]);
    land(chain, ...second);
    expect(properties()).toEqual(["chain"]);
  });

  it("a removal, and a write id that is used twice, are found", () => {
    const chain = new ChainChecker(findings);
    land(chain, 1, [], "same");
    land(chain, 1, [], "same");
    chain.landed(OBJECT, undefined);
    expect(properties()).toEqual(["chain", "chain"]);
  });

  it("a change whose caller was told otherwise is found, and one that was made twice", () => {
    const chain = new ChainChecker(findings);
    for (const content of [["a"], ["a", "b"], ["a", "b", "b"]]) land(chain, 1, content);
    chain.change(OBJECT, "lost")("made");
    chain.change(OBJECT, "a")("not made");
    chain.change(OBJECT, "b")("made");
    chain.check();
    expect(findings.found.map(({ detail }) => detail.split(": ")[1])).toEqual([
      "lost was made, and is lost",
      "a was made, and denied",
      "b was made 2 times",
    ]);
  });
});

describe("who is fenced out", () => {
  const OBJECT = "objects/x.json";

  it("is so because of a newer token in the object, and of nothing else", () => {
    const chain = new ChainChecker(findings);
    chain.landed(OBJECT, JSON.stringify({ fenced: 1, token: 5, writeId: "a" }));
    chain.fencedOut(OBJECT, 4);
    expect(properties()).toEqual([]);
    chain.fencedOut(OBJECT, 5);
    chain.fencedOut("objects/y.json", 1);
    expect(properties()).toEqual(["fenced-out", "fenced-out"]);
  });
});

describe("what is done once", () => {
  it("may be begun again until a task was told its result, and not after that", () => {
    const once = new OnceChecker(findings);
    once.begun("job", "a");
    once.begun("job", "b");
    once.told("job", "b", 1);
    once.told("job", "c", 1);
    expect(properties()).toEqual([]);
    once.begun("job", "d");
    once.told("job", "e", 2);
    expect(properties()).toEqual(["once", "once"]);
  });
});

it("at-least: sees a task that comes before a used hold's time is over, unless that was ended by force or no work was done under it", () => {
  const checker = new AtLeastChecker(findings, { now: () => nowMs, isJudged: true, earlyMs: 100 });
  const granted = (token: number) => checker.granted(KEY, { token, acquiredAtMs: nowMs } as BodyHolder);
  granted(1);
  checker.used(KEY, 1, 5000);
  nowMs += 4900;
  granted(2);
  checker.used(KEY, 2, 5000);
  checker.excuse(KEY, { token: 2 });
  granted(3);
  // The force can land before its code begins.
  checker.excuse(KEY, { token: 3 });
  checker.used(KEY, 3, 5000);
  granted(4);
  expect(properties()).toEqual([]);
  checker.used(KEY, 4, 5000);
  nowMs += 4899;
  granted(5);
  expect(properties()).toEqual(["at-least"]);
});
