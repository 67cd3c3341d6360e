import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Standing } from "./standing.js";

/** The signals of a standing that are aborted, and why. */
const aborted = ({ signal, lossSignal, quietSignal }: Standing) =>
  [signal, lossSignal, quietSignal].map((one) => one.aborted);

it("of a lock that is held says nothing", () => {
  const standing = new Standing("x");
  expect(aborted(standing)).toEqual([false, false, false]);
  expect([standing.isOver, standing.isLeft, standing.isGuarding, standing.isUnused, standing.wasClosed]).toEqual(
    Array.from({ length: 5 }, () => false),
  );
  expect([standing.loss, standing.lossOfWork, standing.askedBy]).toEqual([undefined, undefined, undefined]);
});

describe("being asked to stop", () => {
  it("tells the work under the lock why, and takes nothing away", () => {
    const standing = new Standing("x");
    standing.askToStop("resigned");
    expect(aborted(standing)).toEqual([true, false, false]);
    expect(standing.signal.reason).toMatchObject({ code: "lost", reason: "resigned", lockName: "x" });
    expect([standing.isOver, standing.loss, standing.lossOfWork]).toEqual([false, undefined, undefined]);
    expect([standing.askedBy, standing.wasClosed]).toEqual(["resigned", false]);
  });

  it("again leaves the first reason, and a close is known all the same", () => {
    const standing = new Standing("x");
    standing.askToStop("resigned");
    const { reason } = standing.signal;
    standing.askToStop("closed");
    standing.askToStop("resigned");
    expect(standing.signal.reason).toBe(reason);
    expect([standing.askedBy, standing.wasClosed]).toEqual(["resigned", true]);
  });
});

it("is brief while only its own library works under it", () => {
  const standing = new Standing("x");
  expect(standing.isBrief).toBe(false);
  standing.noteBrief();
  expect(standing.isBrief).toBe(true);
  const ends = [standing.guard(), standing.guard()];
  expect([standing.isBrief, standing.isGuarding]).toEqual([false, true]);
  ends[0]?.();
  expect(standing.isBrief).toBe(false);
  ends[1]?.();
  expect([standing.isBrief, standing.isGuarding]).toEqual([true, false]);
});

describe("being left to run out", () => {
  it("ends what is sent for it, and is told to work that goes on to its end", () => {
    const standing = new Standing("x");
    standing.leave();
    expect(aborted(standing)).toEqual([false, false, true]);
    expect([standing.isLeft, standing.isOver, standing.loss]).toEqual([true, false, undefined]);
    expect(standing.lossOfWork).toMatchObject({ reason: "closed", lockName: "x" });
  });

  it("is what it is lost by, whatever came after", () => {
    const standing = new Standing("x");
    standing.leave();
    expect(standing.lose("taken-over")).toMatchObject({ reason: "closed" });
    expect(standing.lossOfWork).toBe(standing.loss);
  });
});

it("says why it is not held: in doubt, released, handed over, or lost, which comes before all else", () => {
  const told = (end: (standing: Standing) => void) => {
    const standing = new Standing("x");
    end(standing);
    return standing.notHeld;
  };
  expect(told(() => {})).toMatchObject({ reason: "in-doubt" });
  expect(told((standing) => standing.end()).message).toMatch(/it was released/);
  expect(told((standing) => standing.handOver()).message).toMatch(/it was handed over/);
  expect(told((standing) => standing.lose("deleted"))).toMatchObject({ reason: "deleted" });
});

describe("a loss", () => {
  it("is told to all, with one error, which a listener finds true", () => {
    const standing = new Standing("x");
    const cause = new Error("why");
    let wasOver = false;
    standing.lossSignal.addEventListener("abort", () => {
      wasOver = standing.isOver;
    });
    const error = standing.lose("taken-over", { cause });
    expect(error).toMatchObject({ code: "lost", reason: "taken-over", cause });
    expect([standing.loss, standing.lossOfWork, standing.signal.reason, standing.lossSignal.reason]).toEqual(
      Array.from({ length: 4 }, () => error),
    );
    expect(wasOver).toBe(true);
  });

  it("comes once, and changes nothing for work that was asked to stop before", () => {
    const standing = new Standing("x");
    standing.askToStop("closed");
    const { reason } = standing.signal;
    expect(standing.lose("deleted")).toMatchObject({ reason: "deleted" });
    expect(standing.lose("expired")).toBeUndefined();
    expect(standing.loss).toMatchObject({ reason: "deleted" });
    expect(standing.signal.reason).toBe(reason);
  });
});

it("its end, as by a release, is not told to the work under it", () => {
  const standing = new Standing("x");
  standing.end();
  expect(aborted(standing)).toEqual([false, false, true]);
  expect([standing.isOver, standing.loss]).toEqual([true, undefined]);
});

it("knows whether functions run under it, and keeps the process while they do", () => {
  const kept: string[] = [];
  const standing = new Standing("x", () => {
    kept.push("kept");
    return () => kept.push("let go");
  });
  const ends = [standing.guard(), standing.guard()];
  expect(kept).toEqual(["kept", "kept"]);
  ends[0]?.();
  expect(standing.isGuarding).toBe(true);
  ends[1]?.();
  expect(standing.isGuarding).toBe(false);
  expect(kept).toEqual(["kept", "kept", "let go", "let go"]);
  const alone = new Standing("x");
  alone.guard()();
  expect(alone.isGuarding).toBe(false);
});

it("knows that no work was done under it", () => {
  const standing = new Standing("x");
  standing.noteUnused();
  expect(standing.isUnused).toBe(true);
});

it("may be listened to by any number of requests", () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on("warning", note);
  const { signal } = new Standing("x");
  for (let count = 0; count < 20; count += 1) signal.addEventListener("abort", () => {});
  expect(getEventListeners(signal, "abort")).toHaveLength(20);
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    process.off("warning", note);
    expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
  });
});
