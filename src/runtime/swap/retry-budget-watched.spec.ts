import { describe, expect, it } from "vitest";
import { begun, unknown } from "../../../test/protocol/calls.js";

const PLACE = { bucketName: "locks", key: "locks/a.json" };

describe("a watcher of failures", () => {
  const TIMING = { sentAtMs: 1, receivedAtMs: 2 };

  function watched() {
    const told: (readonly [string, boolean])[] = [];
    const begins = begun({ onFailure: (error, isAnswered) => void told.push([error.message, isAnswered]) });
    return { ...begins, told };
  }

  it("is told of each whether the store has answered", async () => {
    const { budget, timed, told } = watched();
    await timed(budget.afterFailure(unknown("nothing came")));
    await timed(budget.afterFailure({ ...unknown("507"), timing: TIMING }));
    expect(told).toEqual([
      ["nothing came", false],
      ["507", true],
    ]);
  });

  it("is told again of the last failure where there was no time to ask, and that no answer came", async () => {
    const { budget, timed, told } = watched();
    await timed(budget.afterFailure(unknown("503")));
    await timed(budget.afterFailure({ ...unknown("no time was left", { sent: false }), timing: TIMING }));
    expect(told).toEqual([
      ["503", false],
      ["503", false],
    ]);
  });

  it("is told that a write that was refused over and over has been answered", async () => {
    const { budget, timed, told } = watched();
    await timed(budget.afterLostRace({ etag: '"a"' }));
    budget.saw({ etag: '"a"' }, PLACE);
    expect(told.map(([, isAnswered]) => isAnswered)).toEqual([true]);
  });
});
