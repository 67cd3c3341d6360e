import { beforeEach, describe, expect, it } from "vitest";
import { Findings } from "../../sim/checkers/findings.js";
import { InsideChecker, type Insider } from "../../sim/checkers/inside.js";
import { LeftoverChecker } from "../../sim/checkers/leftovers.js";
import type { Body, BodyHolder } from "../../sim/plan/body.js";

/** The checkers that look where the library meets the program, each shown what is in order and what is broken in one place. */

let nowMs: number;
let findings: Findings;
const properties = () => findings.found.map(({ property }) => property);

beforeEach(() => {
  nowMs = 100_000;
  findings = new Findings(() => nowMs);
});

describe("inside", () => {
  const insider = (who: string, more: Partial<Insider> = {}): Insider => ({
    who,
    process: who,
    kind: "callback",
    token: 1,
    mode: () => "exclusive",
    permits: [1, 1],
    within: undefined,
    counts: () => true,
    leftMs: () => 1000,
    ...more,
  });
  const checker = () => new InsideChecker(findings, () => nowMs, true);

  it("a task that enters while another one's code runs is found, whatever became of the lock", () => {
    const inside = checker();
    inside.enter("x", insider("a"));
    inside.enter("x", insider("b", { token: 2 }));
    expect(properties()).toEqual(["inside"]);
    expect(findings.found[0]?.detail).toBe("b (token 2) enters x while a (token 1) is inside");
  });

  it("nothing is found once the code, the lease or the life of the first has ended, or it was told that it has lost the lock", () => {
    const inside = checker();
    const a = insider("a");
    inside.enter("x", a);
    inside.leave("x", a);
    inside.enter("x", insider("b", { counts: () => false }));
    inside.enter("x", insider("c", { leftMs: () => 10 }));
    nowMs += 11;
    inside.enter("x", insider("d"));
    inside.enter("y", insider("e"));
    expect(properties()).toEqual([]);
  });

  it("a lease that was renewed lasts longer", () => {
    const inside = checker();
    inside.enter("x", insider("a"));
    nowMs += 900;
    inside.moved(({ who }) => who === "a");
    nowMs += 900;
    inside.enter("x", insider("b"));
    expect(properties()).toEqual(["inside"]);
  });

  it("nothing is found where force was used, or its work was not to be waited for", () => {
    const inside = checker();
    inside.enter("x", insider("a", { token: 7 }));
    inside.excuse("x", { token: 7 });
    inside.enter("x", insider("b"));
    inside.dismiss(({ who }) => who === "b");
    inside.enter("x", insider("c"));
    expect(properties()).toEqual([]);
  });

  it("who nests in a callback may run beside it, but two who nest in one exclude each other", () => {
    const inside = checker();
    const outer = insider("a");
    inside.enter("x", outer);
    inside.enter("x", insider("a1", { within: outer }));
    expect(properties()).toEqual([]);
    inside.enter("x", insider("a2", { within: outer }));
    expect(findings.found[0]?.detail).toContain("a2 (token 1) enters x while a1 (token 1) is inside");
  });

  it("readers and permits go together as far as they fit", () => {
    const inside = checker();
    const shared: Partial<Insider> = { mode: () => "shared" };
    inside.enter("x", insider("a", shared));
    inside.enter("x", insider("b", shared));
    inside.enter("pool", insider("c", { permits: [2, 3] }));
    inside.enter("pool", insider("d", { permits: [1, 3] }));
    expect(properties()).toEqual([]);
    inside.enter("x", insider("e"));
    inside.enter("pool", insider("f", { permits: [1, 3] }));
    expect(properties()).toEqual(["inside", "inside"]);
  });
});

describe("leftovers", () => {
  const holder = (id: string, more: Partial<BodyHolder> = {}): BodyHolder => ({
    id,
    owner: "o",
    token: 1,
    priority: 0,
    acquiredAtMs: nowMs,
    renewedAtMs: nowMs,
    expiresAtMs: nowMs + 5000,
    leaseMs: 5000,
    leaseWriteId: "w1",
    via: "handle",
    ...more,
  });
  const records = new Map<string, Body>();
  const checker = (body: Body, backAtMs?: number) => {
    records.clear();
    records.set("locks/x.json", body);
    return new LeftoverChecker(
      findings,
      () => nowMs,
      () => records,
      backAtMs,
    );
  };
  const left = { lockName: "x", acquisitionId: "c0#1", expiresAt: 105_000 };

  it("what a closed process has in a record is found, unless it has said so", () => {
    checker({ holders: [holder("c0#1"), holder("c00#2"), holder("c1#1")] }).closed("c0", []);
    expect(findings.found.map(({ detail }) => detail)).toEqual(["locks/x.json: c0#1 of c0, which was closed"]);
    checker({ holders: [holder("c0#1")] }).closed("c0", [left]);
    expect(findings.found).toHaveLength(1);
  });

  it("a place in the queue as well; not what has run out, is held by name or was handed over", () => {
    const waiter = { id: "c0#2", priority: 0, sinceMs: 0, expiresAtMs: nowMs + 1 };
    const over = [
      holder("c0#3", { expiresAtMs: nowMs }),
      holder("c0#4", { via: "name" }),
      holder("c0#5", { token: 9 }),
    ];
    const leftovers = checker({ holders: over, queue: [waiter] });
    leftovers.handOver(9);
    const left = leftovers.quiet(["c0", "c1"]);
    expect(left).toEqual([{ key: "locks/x.json", id: "c0#2" }]);
    expect(properties()).toEqual([]);
    leftovers.stillQuiet(left);
    expect(findings.found.map(({ detail }) => detail)).toEqual([
      "locks/x.json: c0#2, which no task of its process believes in",
    ]);
  });

  it("what is taken out a little later is in order; what only runs out meanwhile is not", () => {
    const record: { holders: BodyHolder[] } = { holders: [holder("c0#1"), holder("c0#2")] };
    const leftovers = checker(record);
    const left = leftovers.quiet(["c0"]);
    record.holders.pop();
    nowMs += 60_000;
    leftovers.stillQuiet(left);
    expect(findings.found).toHaveLength(1);
  });

  it("a lease is as long as ever where the clock that published its end is hours off, counted from its last renewal", () => {
    const ahead = (leaseWriteId: string) => ({
      holders: [holder("c0#1", { leaseWriteId, expiresAtMs: nowMs + 3_600_000 })],
    });
    const leftovers = checker(ahead("w1"));
    leftovers.landed("locks/x.json", ahead("w1"));
    nowMs += 4000;
    leftovers.landed("locks/x.json", ahead("w2"));
    leftovers.landed("locks/x.json", ahead("w2"));
    nowMs += 7000;
    expect(leftovers.quiet(["c0"])).toHaveLength(1);
    nowMs += 1000;
    expect(leftovers.quiet(["c0"])).toEqual([]);
  });

  // Each excuse of the checker, and where it ends.
  it("an entry that a crowd keeps its client from taking out in time is in order; a hold, or an entry without a crowd, is not", () => {
    const queue = [{ id: "c0#1", priority: 0, sinceMs: 0, expiresAtMs: nowMs + 5000 }];
    const crowded = checker({ queue });
    for (let n = 0; n < 8; n += 1) crowded.landed("locks/x.json", { queue });
    crowded.closed("c0", []);
    expect(properties()).toEqual([]);
    nowMs += 3000;
    crowded.closed("c0", []);
    expect(properties()).toEqual(["leftover"]);
    const held = checker({ holders: [holder("c0#1")] });
    for (let n = 0; n < 8; n += 1) held.landed("locks/x.json", { holders: [holder("c0#1")] });
    held.closed("c0", []);
    expect(properties()).toEqual(["leftover", "leftover"]);
    const few = checker({ queue });
    for (let n = 0; n < 7; n += 1) few.landed("locks/x.json", { queue });
    few.closed("c0", []);
    expect(properties()).toEqual(["leftover", "leftover", "leftover"]);
  });

  it("an entry of before an outage may stay until it expires; one that was written since may not", () => {
    const queue = [{ id: "c0#1", priority: 0, sinceMs: 0, expiresAtMs: nowMs + 90_000 }];
    const seenBy = (leftovers: LeftoverChecker) => {
      leftovers.landed("locks/x.json", { queue });
      leftovers.stillQuiet(leftovers.quiet(["c0"]));
      leftovers.closed("c0", []);
      return properties().length;
    };
    expect(seenBy(checker({ queue }, nowMs + 1))).toBe(0);
    expect(seenBy(checker({ queue }, nowMs))).toBe(2);
    const held = checker({ holders: [holder("c0#1")] }, nowMs + 1);
    held.landed("locks/x.json", { queue });
    held.closed("c0", []);
    expect(properties()).toHaveLength(3);
  });

  it("a client that takes the store for unsafe does not clear up there while it does, and others do", () => {
    const holders = [holder("c0#1"), holder("c1#1", { token: 2 })];
    const leftovers = checker({ holders });
    leftovers.distrusts("c0");
    expect(leftovers.quiet(["c0", "c1"])).toEqual([{ key: "locks/x.json", id: "c1#1" }]);
    leftovers.closed("c0", []);
    expect(properties()).toEqual(["leftover"]);
  });

  it("a hold that its client was told is gone stays until it expires, by its token, and so does one that was given back and lasts", () => {
    const holders = [
      holder("c0#1", { token: 7 }),
      holder("c0#2", { token: 8 }),
      holder("c0#3", { token: 9, releasedAtMs: nowMs }),
    ];
    const leftovers = checker({ holders });
    leftovers.misled(7);
    expect(leftovers.quiet(["c0"])).toEqual([{ key: "locks/x.json", id: "c0#2" }]);
  });

  it("what was left behind is not renewed any more, and is there", () => {
    const leftovers = checker({ holders: [holder("c0#1")] });
    leftovers.closed("c0", [left]);
    leftovers.landed("locks/x.json", { holders: [holder("c0#1")] });
    expect(properties()).toEqual([]);
    leftovers.landed("locks/x.json", { holders: [holder("c0#1", { leaseWriteId: "w2" })] });
    checker({}).closed("c0", [left]);
    expect(properties()).toEqual(["leftover", "leftover"]);
    const forced = checker({});
    forced.force("c0#1");
    forced.closed("c0", [left]);
    expect(findings.found).toHaveLength(2);
  });
});
