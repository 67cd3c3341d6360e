import { expect, it } from "vitest";
import { T0 } from "../../../test/protocol/samples.js";
import type { Effects } from "./effects.js";
import { StoreClock } from "./store-clock.js";

/** A machine whose clocks are moved by hand. The store's clock is right; the wall clock is off by what a test says. */
class Machine {
  monotonicMs = 5000;
  storeMs = T0;
  wallMs: number;
  readonly clock: StoreClock;

  constructor(wallOffsetMs = 0) {
    this.wallMs = T0 + wallOffsetMs;
    this.clock = new StoreClock({ monotonicMs: () => this.monotonicMs, wallMs: () => this.wallMs } as Effects);
  }

  pass(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
    this.storeMs += ms;
  }

  /** The machine sleeps: only its monotonic clock does not know. */
  suspend(ms: number): void {
    this.wallMs += ms;
    this.storeMs += ms;
  }

  /** Hears so many answers that tell no time. */
  hearNothing(times: number): void {
    for (let count = 0; count < times; count += 1) {
      const sentAtMs = this.monotonicMs;
      this.pass(10);
      this.clock.observe({ sentAtMs, receivedAtMs: this.monotonicMs });
    }
  }

  /** Hears one answer of the store; `whileBack` happens on its way back. */
  ask(whileBack: () => void = () => {}): boolean {
    const sentAtMs = this.monotonicMs;
    this.pass(10);
    const dateMs = Math.floor(this.storeMs / 1000) * 1000;
    whileBack();
    this.pass(10);
    const askedAtMs = this.monotonicMs - 1;
    this.clock.observe({ sentAtMs, receivedAtMs: this.monotonicMs, dateMs });
    return this.clock.isContradictedSince(askedAtMs);
  }
}

it("knows no time before the first answer, and the wall clock's once that was seen to fit", () => {
  const machine = new Machine();
  expect(machine.clock.now()).toBeUndefined();
  expect(machine.ask()).toBe(false);
  expect(machine.clock.now()).toEqual({ earliestMs: machine.wallMs, latestMs: machine.wallMs });
});

it("has the true time between its bounds when the wall clock is hours off", () => {
  const machine = new Machine(5 * 3_600_000);
  machine.ask();
  const now = machine.clock.now();
  expect(now?.earliestMs).toBeLessThanOrEqual(machine.storeMs);
  expect(now?.latestMs).toBeGreaterThanOrEqual(machine.storeMs);
});

it("forgets its bounds after a suspension, until the store has answered again", () => {
  const machine = new Machine();
  machine.ask();
  machine.suspend(10_000);
  expect(machine.clock.now()).toBeUndefined();
  machine.ask();
  expect(machine.clock.now()?.latestMs).toBe(machine.storeMs);
});

it("says so when an answer contradicts what was known, and believes neither then", () => {
  const machine = new Machine(-3_600_000);
  machine.ask();
  machine.storeMs += 60_000;
  expect(machine.ask()).toBe(true);
  const now = machine.clock.now();
  expect(now?.latestMs).toBeGreaterThanOrEqual(machine.storeMs);
  expect(now?.earliestMs).toBeLessThanOrEqual(machine.storeMs - 60_000);
});

/** So many answers without a `Date`. */
function answerWithoutDate({ clock, monotonicMs }: Machine, count: number, aged = false): void {
  const timing = { sentAtMs: monotonicMs, receivedAtMs: monotonicMs };
  for (let index = 0; index < count; index += 1) clock.observe(aged ? { ...timing, aged } : timing);
  expect(clock.isContradictedSince(0)).toBe(false);
}

it("takes the wall clock where three answers in a row had no date, and says that leases can only be watched", () => {
  const machine = new Machine();
  answerWithoutDate(machine, 2);
  expect(machine.clock.isDateless).toBe(false);
  expect(machine.clock.now()).toBeUndefined();
  answerWithoutDate(machine, 1);
  expect(machine.clock.isDateless).toBe(true);
  expect(machine.clock.now()).toEqual({ earliestMs: machine.wallMs, latestMs: machine.wallMs });
  machine.ask();
  expect(machine.clock.isDateless).toBe(false);
});

it("13.1.1: an answer out of a cache says nothing about whether the store tells the time", () => {
  const machine = new Machine();
  answerWithoutDate(machine, 2);
  answerWithoutDate(machine, 100, true);
  expect(machine.clock.now()).toBeUndefined();
  answerWithoutDate(machine, 1);
  expect(machine.clock.isDateless).toBe(true);
});

it("13.1.1: a date in between says that the store tells the time", () => {
  const machine = new Machine();
  answerWithoutDate(machine, 2);
  machine.ask();
  machine.suspend(10_000);
  expect(machine.clock.now()).toBeUndefined();
  answerWithoutDate(machine, 2);
  expect(machine.clock.now()).toBeUndefined();
});

it("13.1.1: wants a second answer while there is one that the wall clock contradicts", () => {
  for (const offsetMs of [-3_600_000, 3_600_000]) {
    const machine = new Machine(offsetMs);
    expect(machine.clock.needsWitness).toBe(false);
    machine.ask();
    expect(machine.clock.needsWitness).toBe(true);
    machine.ask();
    expect(machine.clock.needsWitness).toBe(false);
    machine.suspend(10_000);
    expect(machine.clock.now()).toBeUndefined();
    machine.ask();
    expect(machine.clock.needsWitness).toBe(true);
  }
  const right = new Machine();
  right.ask();
  expect(right.clock.needsWitness).toBe(false);
});

it("learns nothing from a request that was not timed", () => {
  const machine = new Machine();
  machine.clock.observe(undefined);
  expect(machine.clock.isContradictedSince(0)).toBe(false);
  expect(machine.clock.roundTripMs).toBe(0);
});

it("knows about the quickest round trip of late", () => {
  const { clock, monotonicMs: sentAtMs } = new Machine();
  expect(clock.quickestRoundTripMs).toBe(0);
  for (const ms of [300, 20, 400]) clock.observe({ sentAtMs, receivedAtMs: sentAtMs + ms });
  expect(clock.quickestRoundTripMs).toBeCloseTo(22);
});

it("smooths round trips", () => {
  const { clock, monotonicMs: sentAtMs } = new Machine();
  expect(clock.roundTripMs).toBe(0);
  clock.observe({ sentAtMs, receivedAtMs: sentAtMs + 100 });
  clock.observe({ sentAtMs, receivedAtMs: sentAtMs + 200 });
  expect(clock.roundTripMs).toBeGreaterThan(100);
  expect(clock.roundTripMs).toBeLessThan(200);
});

// A process that has just started connects, and compiles what it runs for the first time.
it("takes the first, slow answers for unusual as soon as there is a quick one, and a slow one among quick ones as well", () => {
  const { clock, monotonicMs: sentAtMs } = new Machine();
  const answer = (ms: number) => clock.observe({ sentAtMs, receivedAtMs: sentAtMs + ms });
  for (const ms of [300, 150, 20]) answer(ms);
  expect(clock.roundTripMs).toBeGreaterThan(100);
  expect(clock.usualRoundTripMs).toBeLessThan(31);
  for (const ms of [20, 22, 400]) answer(ms);
  expect(clock.usualRoundTripMs).toBeLessThan(31);
});

it("takes answers for usual that have become slow and stay so", () => {
  const { clock, monotonicMs: sentAtMs } = new Machine();
  for (const ms of [20, ...Array.from({ length: 30 }, () => 200)])
    clock.observe({ sentAtMs, receivedAtMs: sentAtMs + ms });
  expect(clock.usualRoundTripMs).toBeCloseTo(200, 0);
});

it("believes no answer on whose way back the machine was suspended", () => {
  const machine = new Machine();
  machine.ask();
  expect(machine.ask(() => machine.suspend(30_000))).toBe(true);
  const now = machine.clock.now();
  // Undefined is right: a read has to come first.
  if (now !== undefined) expect(now.latestMs).toBeGreaterThanOrEqual(machine.storeMs);
});

it("believes no first answer on whose way back the machine was suspended", () => {
  const machine = new Machine();
  machine.ask(() => machine.suspend(30_000));
  const now = machine.clock.now();
  if (now !== undefined) expect(now.latestMs).toBeGreaterThanOrEqual(machine.storeMs);
});

it("tells what time it was at an earlier moment, as far as it knows now", () => {
  const machine = new Machine();
  expect(machine.clock.when(machine.monotonicMs)).toBeUndefined();
  machine.ask();
  const then = machine.monotonicMs;
  machine.pass(700);
  const [now, earlier] = [machine.clock.now(), machine.clock.when(then)];
  expect(earlier).toEqual({ earliestMs: (now?.earliestMs ?? 0) - 700, latestMs: (now?.latestMs ?? 0) - 700 });
});

it("is not without store time where it was told it once, however many answers come without it later", () => {
  const machine = new Machine();
  machine.ask();
  answerWithoutDate(machine, 20);
  expect(machine.clock.now()).toBeDefined();
  expect(machine.clock.isDateless).toBe(false);
});

it("goes by one answer until a second one has told the time, whatever the wall clock says", () => {
  for (const wallOffsetMs of [0, 3_600_000]) {
    const machine = new Machine(wallOffsetMs);
    expect(machine.clock.hasOneWitness).toBe(false);
    machine.ask();
    expect(machine.clock.hasOneWitness).toBe(true);
    expect(machine.clock.needsWitness).toBe(wallOffsetMs > 0);
    machine.ask();
    expect([machine.clock.hasOneWitness, machine.clock.needsWitness]).toEqual([false, false]);
    machine.suspend(10_000);
    expect(machine.clock.now()).toBeUndefined();
    expect(machine.clock.hasOneWitness).toBe(false);
    machine.ask();
    expect(machine.clock.hasOneWitness).toBe(true);
  }
});

it("does not count answers from before a suspension that told no time, where the store has told it", () => {
  for (const hasTold of [true, false]) {
    const machine = new Machine();
    const askUndated = () => {
      const sentAtMs = machine.monotonicMs;
      machine.pass(10);
      machine.clock.observe({ sentAtMs, receivedAtMs: machine.monotonicMs });
    };
    if (hasTold) machine.ask();
    for (let count = 0; count < 3; count += 1) askUndated();
    machine.suspend(10_000);
    expect(machine.clock.now() === undefined).toBe(hasTold);
    askUndated();
    expect([machine.clock.isDateless, machine.clock.isSilent]).toEqual([!hasTold, !hasTold]);
  }
});

it("has no time to publish by where one answer has told it and no other does", () => {
  const machine = new Machine();
  machine.ask();
  machine.hearNothing(2);
  expect(machine.clock.lacksStoreTime).toBe(false);
  machine.hearNothing(1);
  expect(machine.clock.lacksStoreTime).toBe(true);
  expect(machine.clock.isDateless).toBe(false);
  machine.ask();
  machine.hearNothing(5);
  expect(machine.clock.lacksStoreTime).toBe(false);
});

it("has none either where answers have contradicted each other and no more are heard", () => {
  const machine = new Machine();
  machine.ask();
  machine.storeMs += 3_600_000;
  expect(machine.ask()).toBe(true);
  machine.storeMs -= 3_600_000;
  for (let count = 0; count < 2; count += 1) machine.ask();
  expect(machine.clock.hasOneWitness).toBe(false);
  expect(machine.clock.lacksStoreTime).toBe(false);
  machine.hearNothing(3);
  expect(machine.clock.lacksStoreTime).toBe(true);
});

it("goes by the wall clock in questions where one answer has told the time and no other does", () => {
  const machine = new Machine(3_600_000);
  machine.ask();
  const when = () => machine.clock.when(machine.monotonicMs - 1000);
  expect(when()?.latestMs).toBeLessThan(machine.storeMs + 10_000);
  machine.hearNothing(3);
  expect(when()).toEqual({ earliestMs: machine.wallMs - 1000, latestMs: machine.wallMs - 1000 });
  machine.ask();
  machine.ask();
  machine.hearNothing(3);
  expect(when()?.latestMs).toBeLessThan(machine.storeMs + 10_000);
});
