import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GroupEnd } from "../../src/cli/process/group-end.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Makes the end of a group whose command has ended and whose rest minds nothing but the signals in `endsOn`. */
function startGroup({
  graceMs,
  endsOn = [] as readonly NodeJS.Signals[],
}: {
  graceMs?: number;
  endsOn?: readonly NodeJS.Signals[];
} = {}) {
  const startedAtMs = performance.now();
  const got: (readonly [NodeJS.Signals, number])[] = [];
  let hasMembers = true;
  const group = {
    isOver: true,
    hasMembers: () => hasMembers,
    signalAll(signal: NodeJS.Signals) {
      got.push([signal, Math.round(performance.now() - startedAtMs)]);
      if (endsOn.includes(signal)) hasMembers = false;
    },
  };
  const notes: string[] = [];
  return { end: new GroupEnd(group, graceMs, (note) => notes.push(note)), got, notes, group };
}

test("P3: what is left is asked once more after a second if it may not have heard, and killed after seven", async () => {
  const { end, got } = startGroup({ endsOn: ["SIGKILL"] });
  end.receive("SIGINT");
  const complete = end.complete();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await complete).toBe(true);
  expect(got.map(([signal]) => signal)).toEqual(["SIGINT", "SIGTERM", "SIGCONT", "SIGKILL"]);
  expect(got[1]?.[1]).toBeGreaterThanOrEqual(1000);
  expect(got[1]?.[1]).toBeLessThan(1100);
  expect(got[3]?.[1]).toBeGreaterThanOrEqual(7000);
  expect(got[3]?.[1]).toBeLessThan(7100);
});

test("SIGTERM is not repeated: many programs take the second for an order to drop everything", async () => {
  const { end, got } = startGroup();
  end.receive("SIGTERM");
  void end.complete();
  await vi.advanceTimersByTimeAsync(6000);
  expect(got.map(([signal]) => signal)).toEqual(["SIGTERM", "SIGCONT"]);
});

test.each([
  ["SIGTERM", ["SIGTERM", "SIGCONT"]],
  ["SIGHUP", ["SIGHUP", "SIGCONT"]],
  ["SIGINT", ["SIGINT"]],
  ["SIGQUIT", ["SIGQUIT"]],
] as const)("what is stopped gets round to ending on %s, which is not a keystroke", (signal, expected) => {
  for (const isOver of [false, true]) {
    const { end, got, group } = startGroup();
    group.isOver = isOver;
    end.receive(signal);
    expect(got.map(([sent]) => sent)).toEqual(expected);
  }
});

test.each([
  [undefined, "7s of the command's own end (the default of --group-grace)"],
  [1500, "1.5s (--group-grace)"],
])("says which time it was that is over (%s)", async (graceMs, time) => {
  const { end, notes } = startGroup({ ...(graceMs === undefined ? {} : { graceMs }), endsOn: ["SIGKILL"] });
  end.receive("SIGTERM");
  const complete = end.complete();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await complete).toBe(true);
  expect(notes).toEqual([`what is left of the command did not end within ${time} and is killed.`]);
});

test("what SIGKILL does not end is told after two seconds", async () => {
  const { end } = startGroup();
  end.receive("SIGTERM");
  const complete = end.complete();
  await vi.advanceTimersByTimeAsync(9200);
  expect(await complete).toBe(false);
});

test("a lock that is about to be lost has a deadline of its own: the grace of signals does not cut it short", async () => {
  const { end, got } = startGroup({ graceMs: 1000 });
  end.terminate();
  void end.complete();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(got.map(([signal]) => signal)).not.toContain("SIGKILL");
});

test("a grace longer than timers go is not a grace of nothing", async () => {
  const { end, got } = startGroup({ graceMs: 400 * 24 * 3_600_000 });
  end.receive("SIGTERM");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(got.map(([signal]) => signal)).toEqual(["SIGTERM", "SIGCONT"]);
  end.stop();
});

test("asked again, by whatever signal, what is left is killed at once and once", async () => {
  const { end, got, notes } = startGroup();
  end.receive("SIGTERM");
  void end.complete();
  await vi.advanceTimersByTimeAsync(500);
  end.receive("SIGINT");
  end.receive("SIGINT");
  expect(got).toEqual([
    ["SIGTERM", 0],
    ["SIGCONT", 0],
    ["SIGKILL", 500],
  ]);
  expect(notes).toEqual(["SIGINT once more: what is left of the command is killed."]);
});

test("D: at the third Ctrl-C that a command takes for something else, it is said how it can be ended", () => {
  const { end, got, notes, group } = startGroup();
  group.isOver = false;
  for (let times = 0; times < 5; times += 1) end.receive("SIGINT");
  expect(got.map(([signal]) => signal)).toEqual(new Array(5).fill("SIGINT"));
  expect(notes).toEqual([
    `the command is told of each Ctrl-C, and goes on. To end it: kill ${process.pid}, and once more to kill it at once.`,
  ]);
});
