import { beforeEach, describe, expect, it } from "vitest";
import { EventChecker, type Handle } from "../../sim/checkers/events.js";
import { Findings } from "../../sim/checkers/findings.js";
import { SimProcess } from "../../src/testing/virtual/process.js";
import { World } from "../../src/testing/virtual/world.js";

/** The checker of events is shown what a listener may hear of a hold, and what it may not. */

const HOLD = { lockName: "x", acquisitionId: "a", fencingToken: 1 };
let findings: Findings;
let events: EventChecker;
const details = () => findings.found.map(({ detail }) => detail);

beforeEach(() => {
  findings = new Findings(() => 0);
  events = new EventChecker(findings, "c0");
});

describe("events of a hold", () => {
  it.each([["released" as const], ["lost" as const]])("acquired, renewed and %s are in order", (end) => {
    for (const event of ["acquired", "renewed", "renewed", end] as const) events.hears(event, HOLD);
    events.givenBack({ name: "x", fencingToken: 1 }, end === "released");
    expect(details()).toEqual([]);
  });

  it("a hold that was restored is renewed without having been acquired here", () => {
    for (const event of ["renewed", "released"] as const) events.hears(event, HOLD);
    expect(details()).toEqual([]);
  });

  it.each([
    ["renewed after released", ["acquired", "released", "renewed"]],
    ["renewed after lost", ["acquired", "lost", "renewed"]],
    ["two ends", ["acquired", "lost", "released"]],
    ["acquired after renewed", ["renewed", "acquired"]],
    ["acquired twice", ["acquired", "acquired"]],
  ] as const)("%s is found", (_, order) => {
    for (const event of order) events.hears(event, HOLD);
    expect(details()).toEqual([`c0 hears "${order.at(-1)}" after "${order.at(-2)}" of x, token 1`]);
  });

  it.each([true, false])("a release that answers %s before the end is told is found", (answer) => {
    events.hears("acquired", HOLD);
    events.givenBack({ name: "x", fencingToken: 1 }, answer);
    expect(details()).toEqual(["c0 has given x back (token 1) and hears of no end"]);
  });

  it("a release that a close did not wait for is false, and what runs out has no end to hear of yet", () => {
    events.hears("acquired", HOLD);
    events.closed();
    events.givenBack({ name: "x", fencingToken: 1 }, false);
    expect(details()).toEqual([]);
    events.givenBack({ name: "x", fencingToken: 1 }, true);
    expect(details()).toHaveLength(1);
  });

  it("after the mutex is closed nothing is heard but ends", () => {
    events.hears("acquired", HOLD);
    events.closed();
    events.hears("lost", HOLD);
    events.hears("released", { ...HOLD, acquisitionId: "late" });
    expect(details()).toEqual([]);
    events.hears("acquired", { ...HOLD, acquisitionId: "b" });
    expect(details()).toEqual(['c0 hears "acquired" after "closed" of x, token 1']);
  });
});

describe("handles on a hold", () => {
  const ended = AbortSignal.abort();
  const going = new AbortController().signal;
  const handle = (more: Partial<Handle>): Handle => ({
    name: "x",
    fencingToken: 1,
    held: false,
    signal: ended,
    ...more,
  });

  it("have ended when an end is heard", () => {
    events.watch(handle({}));
    events.watch(handle({ held: true, signal: going, fencingToken: 2 }));
    events.watch(handle({ held: true, signal: going }))();
    events.hears("lost", HOLD);
    expect(details()).toEqual([]);
  });

  it.each([
    ["a signal that is not aborted when the loss is heard", "lost", { signal: going }, "before its signal is aborted"],
    ["a handle that says it is held when the loss is heard", "lost", { held: true }, "says that it is held"],
    ["a handle that says it is held when the release is heard", "released", { held: true }, "says that it is held"],
  ] as const)("%s is found", (_, event, more, what) => {
    events.watch(handle(more));
    events.hears(event, HOLD);
    expect(details()).toHaveLength(1);
    expect(details()[0]).toContain(what);
  });

  it("the signal of what was released is not aborted", () => {
    events.watch(handle({ signal: going }));
    events.hears("released", HOLD);
    expect(details()).toEqual([]);
  });
});

it("a timer that was due while its process stood still is cancelled by what runs first when that goes on", async () => {
  const world = new World(1);
  const process = new SimProcess(world, "p");
  const fired: string[] = [];
  const first = () => {
    fired.push("first");
    cancel();
  };
  process.effects.setTimer(10, first, { keepAlive: true });
  const cancel = process.effects.setTimer(11, () => fired.push("second"), { keepAlive: true });
  process.freeze(100, false);
  await world.run(1000);
  expect(fired).toEqual(["first"]);
});
